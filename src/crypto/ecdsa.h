// Deterministic ECDSA (FIPS 186-5, RFC 6979) and its verification; signatures are r || s,
// big-endian, each of the curve's size, without a low-S rule. Private to crypto/.
#ifndef QUORATE_CRYPTO_ECDSA_H
#define QUORATE_CRYPTO_ECDSA_H

#include "crypto/ec_key.h"

#include <openssl/ecdsa.h>

struct ecdsa_suite {
    const struct ec_curve *curve;
    const char *digest;                                // OpenSSL's name
    enum q_err (*hash)(struct bytes in, uint8_t *out); // curve->size bytes
};

extern const struct ecdsa_suite ecdsa_p256_sha256, ecdsa_p384_sha384;

// key holds a private scalar. The signature (2 * curve->size bytes) is verified before it is
// written.
enum q_err ecdsa_sign(const struct ecdsa_suite *suite, EC_KEY *key, struct bytes message,
                      uint8_t *signature);

#define ECDSA_SIG_AUTO __attribute__((cleanup(ecdsa_signature_release))) ECDSA_SIG
void ecdsa_signature_release(ECDSA_SIG **signature);

// Two steps, because callers name the two failures apart; both are Q_CRYPTO. First the form:
// length, r and s in [1, n-1] (high s is fine).
enum q_err ecdsa_signature_parse(const struct ecdsa_suite *suite, const EC_KEY *key,
                                 struct bytes signature, ECDSA_SIG **out);
// Then the truth.
enum q_err ecdsa_verify(const struct ecdsa_suite *suite, EC_KEY *key, struct bytes message,
                        const ECDSA_SIG *signature);

#endif
