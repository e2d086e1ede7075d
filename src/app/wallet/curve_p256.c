// P-256 by OpenSSL: keys of SLIP-0010, ECDSA with SHA-256 (RFC 6979). See curve_rules.h.
#include "app/wallet/curve_rules.h"

#include "crypto/openssl_scope.h"
#include "crypto/p256.h"

#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/obj_mac.h>
#include <string.h>

#define COORDINATE 32

static void group_release(EC_GROUP **group)
{
    EC_GROUP_free(*group);
}
#define GROUP_AUTO __attribute__((cleanup(group_release))) EC_GROUP

static void signature_release(ECDSA_SIG **signature)
{
    ECDSA_SIG_free(*signature);
}
#define SIGNATURE_AUTO __attribute__((cleanup(signature_release))) ECDSA_SIG

static BIGNUM *secret_number(const uint8_t bytes[static WALLET_PRIVATE_SIZE])
{
    BIGNUM *number = BN_secure_new();
    if (number == NULL || BN_bin2bn(bytes, WALLET_PRIVATE_SIZE, number) == NULL) {
        BN_clear_free(number);
        return NULL;
    }
    BN_set_flags(number, BN_FLG_CONSTTIME);
    return number;
}

static enum q_err is_key(const uint8_t private[static WALLET_PRIVATE_SIZE], bool *fits)
{
    GROUP_AUTO *group = EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1);
    BN_AUTO *number = secret_number(private);
    if (group == NULL || number == NULL)
        return openssl_failed("P-256 key");
    *fits = !BN_is_zero(number) && BN_cmp(number, EC_GROUP_get0_order(group)) < 0;
    return Q_OK;
}

static enum q_err add(const uint8_t left[static WALLET_PRIVATE_SIZE],
                      const uint8_t parent[static WALLET_PRIVATE_SIZE],
                      uint8_t sum[static WALLET_PRIVATE_SIZE], bool *fits)
{
    GROUP_AUTO *group = EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1);
    BN_AUTO *a = secret_number(left);
    BN_AUTO *b = secret_number(parent);
    if (group == NULL || a == NULL || b == NULL)
        return openssl_failed("P-256 key");
    const BIGNUM *order = EC_GROUP_get0_order(group);
    *fits = BN_cmp(a, order) < 0;
    if (!*fits)
        return Q_OK;
    if (BN_mod_add_quick(a, a, b, order) != 1 ||
        BN_bn2binpad(a, sum, WALLET_PRIVATE_SIZE) != WALLET_PRIVATE_SIZE)
        return openssl_failed("P-256 key");
    *fits = !BN_is_zero(a);
    return Q_OK;
}

// A pair whose scalar is the key itself (P256_SUITE_RENCLAVE).
static enum q_err pair_of(const uint8_t private[static WALLET_PRIVATE_SIZE], struct p256_pair **out)
{
    return p256_pair_from_seed_suite(P256_SUITE_RENCLAVE, bytes_of(private, WALLET_PRIVATE_SIZE),
                                     out);
}

static enum q_err public_key(const uint8_t private[static WALLET_PRIVATE_SIZE],
                             uint8_t out[static WALLET_PUBLIC_MAX])
{
    P256_PAIR_AUTO *pair = NULL;
    TRY(pair_of(private, &pair));
    const uint8_t *point = p256_pair_public(pair)->bytes;
    out[0] = (uint8_t)(POINT_CONVERSION_COMPRESSED | (point[P256_POINT_SIZE - 1] & 1));
    memcpy(out + 1, point + 1, COORDINATE);
    return Q_OK;
}

static enum q_err check_public(struct bytes key)
{
    GROUP_AUTO *group = EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1);
    EC_POINT_AUTO *point = group == NULL ? NULL : EC_POINT_new(group);
    if (point == NULL)
        return openssl_failed("P-256 public key");
    if (EC_POINT_oct2point(group, point, key.p, key.n, NULL) == 1)
        return Q_OK;
    ERR_clear_error();
    return fail(Q_CRYPTO, "P-256 public key: expected a compressed point of the curve, found none");
}

static enum q_err put_der(struct wallet_signature *out)
{
    SIGNATURE_AUTO *parsed = ECDSA_SIG_new();
    BN_AUTO *r = BN_bin2bn(out->compact, COORDINATE, NULL);
    BN_AUTO *s = BN_bin2bn(out->compact + COORDINATE, COORDINATE, NULL);
    if (parsed == NULL || r == NULL || s == NULL || ECDSA_SIG_set0(parsed, r, s) != 1)
        return openssl_failed("P-256 signature");
    r = s = NULL; // they belong to the signature now
    uint8_t *end = out->der;
    int n = i2d_ECDSA_SIG(parsed, NULL);
    if (n <= 0 || n > WALLET_DER_MAX || i2d_ECDSA_SIG(parsed, &end) != n)
        return openssl_failed("P-256 signature");
    out->der_size = (size_t)n;
    return Q_OK;
}

static enum q_err sign(const uint8_t private[static WALLET_PRIVATE_SIZE], enum signed_as as,
                       struct bytes message, struct wallet_signature *out)
{
    (void)as;
    P256_PAIR_AUTO *pair = NULL;
    TRY(pair_of(private, &pair));
    TRY(p256_sign(pair, message, out->compact)); // verifies it
    TRY(put_der(out));
    out->algorithm = "ecdsa-p256-sha256";
    return Q_OK;
}

const struct curve_rules curve_rules_p256 = {
    .name = "P-256",
    .master_label = "Nist256p1 seed",
    .public_size = WALLET_PUBLIC_MAX,
    .hashes_again = true,
    .fits = is_key,
    .add = add,
    .public_key = public_key,
    .check_public = check_public,
    .sign = sign,
};
