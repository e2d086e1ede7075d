// Elliptic-curve keys in OpenSSL's form: from raw scalars and raw points, and the Diffie-Hellman
// step. Points are SEC1 uncompressed (04 || X || Y) and nothing else. Private to crypto/.
#ifndef QUORATE_CRYPTO_EC_KEY_H
#define QUORATE_CRYPTO_EC_KEY_H

#include "base/bytes.h"

#include <openssl/ec.h>

struct ec_curve {
    const char *name;
    int nid;
    size_t size; // bytes of a scalar and of a coordinate
};

extern const struct ec_curve ec_p256, ec_p384;

#define EC_POINT_SIZE(curve) (2 * (curve)->size + 1)
#define EC_MAX_SIZE 48 // of a scalar, P-384

#define EC_KEY_AUTO __attribute__((cleanup(ec_key_release))) EC_KEY
void ec_key_release(EC_KEY **key); // clears; safe on NULL; sets it to NULL

// A key of this curve without numbers; NULL: openssl_failed().
EC_KEY *ec_key_new(const struct ec_curve *curve);
// A pair: private scalar (big-endian, curve->size bytes) in secure memory, and its point. Q_CRYPTO
// when it is 0 or >= the order n.
enum q_err ec_key_from_scalar(const struct ec_curve *curve, struct bytes scalar, EC_KEY **out);
// A public key. Q_CRYPTO when it is not an uncompressed point on the curve.
enum q_err ec_key_from_point(const struct ec_curve *curve, struct bytes point, EC_KEY **out);
// Writes EC_POINT_SIZE(curve) bytes.
enum q_err ec_key_point(const struct ec_curve *curve, const EC_KEY *key, uint8_t *out);
// ECDH: the X coordinate (curve->size bytes, secret) of key's scalar times peer's point.
enum q_err ec_key_agree(const struct ec_curve *curve, const EC_KEY *key, const EC_KEY *peer,
                        uint8_t *shared_x);

#endif
