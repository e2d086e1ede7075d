// What an SEV-SNP guest shows of itself: the firmware's report, the host's table of certificates,
// and what the report's 64 bytes are the hash of (nitro 7: one binding rule). In Borsh, since AMD
// defines no container. Internal to this room.
#ifndef QUORATE_TEE_SNP_EVIDENCE_H
#define QUORATE_TEE_SNP_EVIDENCE_H

#include "codec/describe.h"
#include "tee/snp_certificates.h"

#define SNP_EVIDENCE_FORMAT "quorate-snp-evidence-v1"
#define SNP_FIRST_REGISTER 16 // of those that the guest keeps itself: 16 to 31
#define SNP_REGISTERS ((size_t)16)
#define SNP_MAX_TABLE ((size_t)16 << 10) // what Linux takes from a host
#define SNP_MAX_ROLE 2048

// What the report is bound to. Optional ones: p == NULL.
struct snp_bound {
    struct bytes nonce, public_key, user_data, role;
    uint8_t registers[SNP_REGISTERS * SHA384_SIZE]; // 16 to 31
};

// SHA-512 over the Borsh encoding of (domain "quorate-evidence-binding-v1", nonce, SHA-384 of the
// public key, user data, role, registers): every part with its length, so that none can be taken
// for another.
enum q_err snp_bind(const struct snp_bound *b, uint8_t out[static SNP_DATA_SIZE]);

struct snp_container {
    struct bytes format, report, certificates;
    struct snp_bound bound;
};

// What was read, and what its verification has made so far.
struct snp_evidence {
    struct snp_container container; // arena memory
    struct snp_report report;
    struct snp_certificates certificates;
    struct bytes leaf; // the one of certificates that the report names as its signer
    struct snp_key key;
};

bool snp_evidence_recognise(struct bytes in); // by its first bytes
// Sizes, table and report are checked; out->key is not read.
enum q_err snp_evidence_read(struct bytes in, struct arena *a, struct snp_evidence *out);
enum q_err snp_evidence_write(const struct snp_container *c, struct buf *out);

// The registers as everything above this room expects them: 0 and 1 the launch measurement (there
// is one image), 2 what Nitro says of an image without a second part, 3 the role (48 zero bytes
// without one and without host data; absent for host data that no role explains), 4 to 15 zero.
enum q_err snp_registers(const struct snp_report *r, const struct snp_bound *b,
                         struct register_value out[static 32]);

#endif
