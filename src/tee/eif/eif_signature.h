// The signature section of an EIF (nitro 1.1): the certificate of whoever made the image, and their
// ES384 signature (RFC 9052, COSE_Sign1) over PCR0. Nitro reports the certificate's hash as PCR8.
#ifndef QUORATE_TEE_EIF_EIF_SIGNATURE_H
#define QUORATE_TEE_EIF_EIF_SIGNATURE_H

#include "base/secret.h"
#include "tee/eif/eif.h"

#define EIF_CERTIFICATE_MAX ((size_t)16 << 10) // PEM
#define EIF_KEY_MAX ((size_t)16 << 10)         // PEM

struct eif_signer {
    uint8_t pcr8[SHA384_SIZE];
    uint8_t fingerprint[SHA256_SIZE];  // of the certificate
    int64_t not_before_s, not_after_s; // of the certificate, seconds since 1970
};

// Appends the section's data. pem: one X.509 certificate with a P-384 key; key_pem: that key, in PEM
// (PKCS #8 or SEC 1) without a passphrase. The signature is deterministic (RFC 6979), so the same image
// gets the same bytes. Q_CRYPTO when the key is not the certificate's.
enum q_err eif_sign(const struct eif_measurements *m, struct bytes pem,
                    const struct secret *key_pem, struct buf *out);

// Verifies the section's data: its form, which QEMU takes in this one only; that it signs register 0
// with the value in m; and that the certificate's key made the signature. Says nothing about who the
// signer is, nor whether the certificate is valid now: compare pcr8, and look at the times.
enum q_err eif_signature_verify(struct bytes section, const struct eif_measurements *m,
                                struct eif_signer *out);

// The same facts of a certificate alone.
enum q_err eif_signer_read(struct bytes pem, const char *what, struct eif_signer *out);

#endif
