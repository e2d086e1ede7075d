// Elliptic-curve keys from raw bytes (see ec_key.h). EC_KEY is the older interface of OpenSSL: the
// one whose signing takes a nonce from outside (ecdsa.c), so keys are built in it once.
#define OPENSSL_API_COMPAT 10101
#include "crypto/ec_key.h"
#include "crypto/openssl_scope.h"

#include <openssl/err.h>
#include <openssl/obj_mac.h>
#include <pthread.h>

const struct ec_curve ec_p256 = {"P-256", NID_X9_62_prime256v1, 32};
const struct ec_curve ec_p384 = {"P-384", NID_secp384r1, 48};

// OpenSSL builds a curve from its parameters each time it is asked for one by name; these are built once, and copied.
static EC_GROUP *p256_group, *p384_group;
static pthread_once_t groups_made = PTHREAD_ONCE_INIT;

static void make_groups(void)
{
    p256_group = EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1);
    p384_group = EC_GROUP_new_by_curve_name(NID_secp384r1);
}

EC_KEY *ec_key_new(const struct ec_curve *curve)
{
    if (pthread_once(&groups_made, make_groups) != 0)
        return NULL;
    const EC_GROUP *group = curve == &ec_p256 ? p256_group : p384_group;
    EC_KEY_AUTO *key = EC_KEY_new();
    if (key == NULL || group == NULL || EC_KEY_set_group(key, group) != 1)
        return NULL;
    EC_KEY *out = key;
    key = NULL;
    return out;
}

void ec_key_release(EC_KEY **key)
{
    EC_KEY_free(*key);
    *key = NULL;
}

// 1 <= scalar < n. BN_cmp may tell how many leading words equal those of n: nothing for a random
// scalar.
static bool is_scalar(const EC_GROUP *group, const BIGNUM *scalar)
{
    return !BN_is_zero(scalar) && BN_cmp(scalar, EC_GROUP_get0_order(group)) < 0;
}

static enum q_err set_scalar(EC_KEY *key, const BIGNUM *scalar)
{
    const EC_GROUP *group = EC_KEY_get0_group(key);
    BN_CTX_AUTO *ctx = BN_CTX_secure_new();
    EC_POINT_AUTO *point = EC_POINT_new(group);
    if (ctx == NULL || point == NULL || EC_POINT_mul(group, point, scalar, NULL, NULL, ctx) != 1 ||
        EC_KEY_set_private_key(key, scalar) != 1 || EC_KEY_set_public_key(key, point) != 1)
        return openssl_failed("elliptic-curve key");
    return Q_OK;
}

enum q_err ec_key_from_scalar(const struct ec_curve *curve, struct bytes scalar, EC_KEY **out)
{
    if (scalar.n != curve->size)
        return fail(Q_CRYPTO, "%s scalar: expected %zu bytes, found %zu", curve->name, curve->size,
                    scalar.n);
    EC_KEY_AUTO *key = ec_key_new(curve);
    BN_AUTO *number = BN_secure_new();
    if (key == NULL || number == NULL || BN_bin2bn(scalar.p, (int)scalar.n, number) == NULL)
        return openssl_failed("elliptic-curve key");
    BN_set_flags(number, BN_FLG_CONSTTIME);
    if (!is_scalar(EC_KEY_get0_group(key), number))
        return fail(Q_CRYPTO, "%s scalar: expected one from 1 to n - 1, found 0 or one >= n",
                    curve->name);
    TRY(set_scalar(key, number));
    *out = key;
    key = NULL;
    return Q_OK;
}

enum q_err ec_key_from_point(const struct ec_curve *curve, struct bytes point, EC_KEY **out)
{
    if (point.n != EC_POINT_SIZE(curve))
        return fail(Q_CRYPTO, "%s point: expected %zu bytes, found %zu", curve->name,
                    EC_POINT_SIZE(curve), point.n);
    if (point.p[0] != POINT_CONVERSION_UNCOMPRESSED)
        return fail(Q_CRYPTO, "%s point: expected an uncompressed one (04), found %02x",
                    curve->name, point.p[0]);
    EC_KEY_AUTO *key = ec_key_new(curve);
    if (key == NULL)
        return openssl_failed("elliptic-curve key");
    const EC_GROUP *group = EC_KEY_get0_group(key);
    EC_POINT_AUTO *parsed = EC_POINT_new(group);
    if (parsed == NULL)
        return openssl_failed("elliptic-curve key");
    if (EC_POINT_oct2point(group, parsed, point.p, point.n, NULL) != 1) {
        ERR_clear_error();
        return fail(Q_CRYPTO, "%s point: expected one on the curve, found one that is not",
                    curve->name);
    }
    if (EC_KEY_set_public_key(key, parsed) != 1)
        return openssl_failed("elliptic-curve key");
    *out = key;
    key = NULL;
    return Q_OK;
}

enum q_err ec_key_point(const struct ec_curve *curve, const EC_KEY *key, uint8_t *out)
{
    size_t size = EC_POINT_SIZE(curve);
    if (EC_POINT_point2oct(EC_KEY_get0_group(key), EC_KEY_get0_public_key(key),
                           POINT_CONVERSION_UNCOMPRESSED, out, size, NULL) != size)
        return openssl_failed("elliptic-curve point");
    return Q_OK;
}

enum q_err ec_key_agree(const struct ec_curve *curve, const EC_KEY *key, const EC_KEY *peer,
                        uint8_t *shared_x)
{
    if (ECDH_compute_key(shared_x, curve->size, EC_KEY_get0_public_key(peer), key, NULL) !=
        (int)curve->size)
        return openssl_failed("Diffie-Hellman");
    return Q_OK;
}
