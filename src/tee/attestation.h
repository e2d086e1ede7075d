// Verifying evidence: document + trusted root + time -> claims, and claims against what is expected
// (qos-wire 7.1 to 7.3, nitro 4). Nothing above this room sees a provider's own format.
#ifndef QUORATE_TEE_ATTESTATION_H
#define QUORATE_TEE_ATTESTATION_H

#include "base/arena.h"
#include "tee/tee.h"

#define ATTESTATION_MAX_SIZE ((size_t)32 << 10)

enum measurement { MEASUREMENT_IMAGE, MEASUREMENT_BOOT, MEASUREMENT_APPLICATION, MEASUREMENT_ROLE };
#define MEASUREMENT_COUNT 4 // PCR0..PCR3 on Nitro

struct register_value {
    bool present;
    uint8_t value[SHA512_SIZE];
    size_t n; // 32, 48 or 64
};

// Security version numbers of what runs below the guest (nitro 5.2). fmc: Turin only, else 0.
struct tcb {
    uint8_t fmc, bootloader, tee, snp, microcode;
};

// What only the evidence of a whole machine says.
struct platform {
    const char *product; // "Milan", "Genoa", "Turin"; NULL: evidence of another provider
    bool cloud_key;      // signed with a key of the cloud's (VLEK), not of the chip (VCEK)
    uint64_t policy;     // the guest's, as AMD encodes it
    uint32_t vmpl;       // privilege level of whoever asked for the evidence
    struct tcb tcb;      // as reported
    struct tcb launch;   // what measured the guest when it was started
    struct bytes host_data;
};

struct claims {
    const char *provider; // "nitro" (also what sim imitates), "snp"
    bool simulated;       // the root carries the quorate-simulated extension
    struct bytes module_id;
    int64_t timestamp_ms; // 0: the evidence says no time (snp)
    struct platform platform;
    struct register_value registers[33]; // index as in the evidence (0..32)
    size_t register_count;
    struct bytes public_key, user_data, nonce; // p == NULL: absent
    struct bytes root;                         // DER of the root the evidence names
    int64_t not_before_s, not_after_s;         // intersection of the certificates' validity
    bool debug;    // its operator reads its memory: measurement 0 all zero, or the policy's DEBUG
    bool verified; // chain, time and signature were checked
};

// The critical X.509 extension "quorate-simulated" that marks the root of a simulated TEE. An OID
// of our own, made from the UUID ac74c5c8-f2a3-4096-b432-6c77f100c4ff (ITU-T X.667); its value is a
// UTF8String.
#define QUORATE_SIMULATED_OID "2.25.229233533266012724673119154098365580543"

// The root certificate that evidence must chain to, AWS's or AMD's. Made by the functions below
// only; a finished one is immutable and may be used by several threads at once.
struct x509_store_st;
struct trust {
    struct buf root; // DER
    bool simulated;  // it carries the quorate-simulated extension
    int64_t not_before_s, not_after_s;
    struct x509_store_st *store; // the parsed root, alone
};
#define TRUST_AUTO __attribute__((cleanup(trust_free))) struct trust
extern const struct bytes attestation_aws_root; // DER of AWS Nitro Root-G1, SHA-256 641a0321...
enum q_err trust_aws(struct trust *out);
// AMD's pinned root (ARK) for a product, "Milan", "Genoa" or "Turin".
enum q_err trust_amd(const char *product, struct trust *out);
// The product of a pinned AMD root, "Milan"; NULL: it is none of them.
const char *attestation_amd_product(struct bytes root);
// A root given by the user, as DER or PEM: a self-issued CA, with a P-384 key (Nitro) or an RSA one
// (AMD). Accepted only with the critical quorate-simulated extension (P-384 only) or when it is
// AWS's or one of AMD's own, unless any_root.
enum q_err trust_load(const char *path, bool any_root, struct trust *out);
// Same for DER in memory, such as tee_root() or the root a manifest names. what names it in errors.
enum q_err trust_from_der(struct bytes der, const char *what, bool any_root, struct trust *out);
void trust_free(struct trust *t); // a zeroed or released struct is fine

// Full verification at time at_s (seconds, UTC; both ends of the certificates' validity are
// inside). The claims live in the arena. Errors name the check that failed and what was found, and
// for an expired document its validity and the time that would do.
enum q_err attestation_verify(struct bytes document, const struct trust *trust, int64_t at_s,
                              struct arena *a, struct claims *out);
// Parsing and syntax only; out->verified stays false. For --unsafe-skip-attestation and display.
enum q_err attestation_read(struct bytes document, struct arena *a, struct claims *out);

// The steps of a full verification, in their order.
enum attestation_step {
    ATTESTATION_LIMITS,       // size of the whole
    ATTESTATION_PARSE,        // COSE, CBOR, the fields and their sizes
    ATTESTATION_ROOT,         // the root it names is the trusted one
    ATTESTATION_CERTIFICATES, // each one alone
    ATTESTATION_VALIDITY,     // all certificates at the time
    ATTESTATION_CHAIN,        // from leaf to root
    ATTESTATION_SIGNATURE,    // of the document, by the leaf
    ATTESTATION_PLATFORM,     // the machine is the certificate's, sound, and no debug mode (snp)
    ATTESTATION_BINDING,      // the signed hash is that of what comes with it (snp)
};
#define ATTESTATION_STEPS 9

struct attestation_report {
    struct {
        bool exists; // this kind of evidence has that step
        bool made;   // false: a step it needs has failed
        enum q_err result;
        struct bytes why; // the sentence of a failure, arena memory
    } steps[ATTESTATION_STEPS];
};
// For showing: takes every step that can be taken, also after one that failed. Q_OK when all hold,
// just as attestation_verify; else the first failure. The claims are filled from ATTESTATION_PARSE
// on (validity: from ATTESTATION_CERTIFICATES on), and verified says what it says elsewhere.
enum q_err attestation_inspect(struct bytes document, const struct trust *trust, int64_t at_s,
                               struct arena *a, struct claims *out,
                               struct attestation_report *report);

struct tee_policy;
struct expectation {
    struct bytes user_data;
    struct bytes measurements[MEASUREMENT_COUNT];
    bool allow_debug;                // accept all-zero measurements 0 to 2
    const struct tee_policy *policy; // what else must hold (tee/policy.h); NULL: the default
    bool committed;             // also: all registers 0..31 present, public key present, commitment
    enum commitment commitment; // which register, when committed
    uint8_t manifest_hash[SHA256_SIZE];
};
// Refuses claims that are not verified. In the order of qos-wire 7.3; error texts carry the
// original's names (DifferentUserData { ... }, UnexpectedNonce, DifferentPcr0 { ... }, MissingPcr {
// index }, MissingPubKey, DifferentPcr { ... }).
enum q_err claims_check(const struct claims *c, const struct expectation *e);

#endif
