// The certificates that come with a report: the host's table of them (nitro 5.1), and what AMD says
// in the certificate of a chip's or a cloud's key (nitro 5.3). Internal to this room.
#ifndef QUORATE_TEE_SNP_CERTIFICATES_H
#define QUORATE_TEE_SNP_CERTIFICATES_H

#include "tee/certificate.h"
#include "tee/snp_report.h"

// DER, as the table gives them; p == NULL: it has none. Views point into the table.
struct snp_certificates {
    struct bytes vcek, vlek, ask, ark; // ask: or ASVK
};
// An empty table has no certificates. Refuses one without its end, entries that reach beyond it or
// are empty, and a certificate that is there twice. Entries of other kinds are passed over.
enum q_err snp_certificates_read(struct bytes table, struct snp_certificates *out);
// How much of a buffer the table at its beginning takes.
enum q_err snp_certificates_size(struct bytes buffer, size_t *out);

enum amd_role { AMD_ROOT, AMD_AUTHORITY, AMD_KEY };
// X.509 v3, signed RSASSA-PSS with SHA-384, MGF1-SHA-384 and a salt of 48 bytes; authorities with
// an RSA key of 4096 bits, critical CA:TRUE and keyCertSign; keys on P-384, and no CA; no critical
// extension that is unknown here.
enum q_err amd_certificate_check(X509 *x, const char *what, enum amd_role role);
bool amd_certificate_is_rsa(X509 *x);

// What AMD says of a key in its certificate's extensions.
struct snp_key {
    const struct amd_chain *product;
    struct tcb tcb;
    uint8_t chip[SNP_CHIP_SIZE]; // filled up with zeros
    bool cloud_key;              // VLEK: of no chip
};
// The leaf says which of both it is, and its names and issuer agree with that and with the product.
enum q_err snp_key_read(X509 *leaf, struct snp_key *out);
// The product alone, of a certificate that nobody has checked.
enum q_err snp_product_of_certificate(struct bytes der, const struct amd_chain **out);

#endif
