// What the three files of the P-256 pair share: its insides, and failures that carry the original's
// name.
#ifndef QUORATE_CRYPTO_P256_INTERNAL_H
#define QUORATE_CRYPTO_P256_INTERNAL_H

#include "crypto/ec_key.h"
#include "crypto/p256.h"

#define P256_AES_KEY_SIZE 32
#define P256_DRAWS 8 // random scalars out of range in a row that a sound source never gives

// In locked memory. OpenSSL's keys hold the two scalars, in its secure heap; scalar is where each
// of them is derived, and zero afterwards.
struct p256_secrets {
    uint8_t seed[P256_SEED_SIZE];
    uint8_t aes_key[P256_AES_KEY_SIZE];
    uint8_t scalar[P256_SCALAR_SIZE];
};

struct p256_pair {
    struct secret memory; // one struct p256_secrets
    EC_KEY *encrypt, *sign;
    struct p256_public public;
};

const struct p256_secrets *p256_pair_secrets(const struct p256_pair *pair);

// Puts the name of e in front of the recorded sentence and makes e its detail.
void p256_put_name(enum p256_error e);
// Records "<name of e>: <sentence>".
#define p256_fail(code, e, ...)                                                                    \
    (err_record((int)(e), __VA_ARGS__), p256_put_name(e), (enum q_err)(code))
// Gives a failure that others recorded that name; returns code unchanged.
static inline enum q_err p256_named(enum q_err code, enum p256_error e)
{
    if (code != Q_OK)
        p256_put_name(e);
    return code;
}

// The encryption or signing half of a public key as an OpenSSL key; FailedToReadPublicKey.
enum q_err p256_half(const uint8_t point[static P256_POINT_SIZE], EC_KEY **out);

#endif
