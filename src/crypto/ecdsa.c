// Deterministic ECDSA (see ecdsa.h). OpenSSL 3.0's newer interface has no RFC 6979, so the nonce is
// ours (rfc6979.c) and the signature is ECDSA_do_sign_ex's, given r and the inverse of the nonce.
#define OPENSSL_API_COMPAT 10101
#include "crypto/ecdsa.h"
#include "crypto/hash.h"
#include "crypto/openssl_scope.h"
#include "crypto/rfc6979.h"

#include <openssl/crypto.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>

const struct ecdsa_suite ecdsa_p256_sha256 = {&ec_p256, "SHA256", sha256};
const struct ecdsa_suite ecdsa_p384_sha384 = {&ec_p384, "SHA384", sha384};

void ecdsa_signature_release(ECDSA_SIG **signature)
{
    ECDSA_SIG_free(*signature);
}

// The bytes a nonce is made from and the nonce itself, in the secure heap.
struct nonce_bytes {
    uint8_t scalar[EC_MAX_SIZE], nonce[EC_MAX_SIZE];
};

static void nonce_bytes_release(struct nonce_bytes **bytes)
{
    OPENSSL_secure_clear_free(*bytes, sizeof **bytes);
}
#define NONCE_BYTES_AUTO __attribute__((cleanup(nonce_bytes_release))) struct nonce_bytes

// bits2octets: H(m) mod n, where both have the same number of bits.
static enum q_err reduce_hash(const EC_GROUP *group, size_t size, const uint8_t *hash, uint8_t *out)
{
    const BIGNUM *order = EC_GROUP_get0_order(group);
    BN_AUTO *number = BN_bin2bn(hash, (int)size, NULL);
    if (number == NULL || (BN_cmp(number, order) >= 0 && BN_sub(number, number, order) != 1) ||
        BN_bn2binpad(number, out, (int)size) != (int)size)
        return openssl_failed("ECDSA hash");
    return Q_OK;
}

// inverse = k^(n-2) mod n: by Fermat, without a branch on k.
static int invert_nonce(const EC_GROUP *group, const BIGNUM *k, BN_CTX *ctx, BIGNUM *inverse)
{
    const BIGNUM *order = EC_GROUP_get0_order(group);
    BN_AUTO *exponent = BN_dup(order);
    return exponent != NULL && BN_sub_word(exponent, 2) == 1 &&
           BN_mod_exp_mont_consttime(inverse, k, exponent, order, ctx,
                                     EC_GROUP_get_mont_data(group)) == 1;
}

// r = (k times the generator).x mod n.
static int nonce_r(const EC_GROUP *group, const BIGNUM *k, BN_CTX *ctx, BIGNUM *r)
{
    EC_POINT_AUTO *point = EC_POINT_new(group);
    return point != NULL && EC_POINT_mul(group, point, k, NULL, NULL, ctx) == 1 &&
           EC_POINT_get_affine_coordinates(group, point, r, NULL, ctx) == 1 &&
           BN_nnmod(r, r, EC_GROUP_get0_order(group), ctx) == 1;
}

// Signs with one candidate. *out stays NULL when the candidate is to be passed over: k outside [1,
// n-1], r == 0 or s == 0 (none of which anyone will see happen).
static enum q_err sign_with(EC_KEY *key, struct bytes nonce, struct bytes hash, ECDSA_SIG **out)
{
    const EC_GROUP *group = EC_KEY_get0_group(key);
    BN_CTX_AUTO *ctx = BN_CTX_secure_new();
    BN_AUTO *k = BN_secure_new();
    BN_AUTO *inverse = BN_secure_new();
    BN_AUTO *r = BN_secure_new();
    if (ctx == NULL || k == NULL || inverse == NULL || r == NULL ||
        BN_bin2bn(nonce.p, (int)nonce.n, k) == NULL)
        return openssl_failed("ECDSA nonce");
    BN_set_flags(k, BN_FLG_CONSTTIME);
    BN_set_flags(inverse, BN_FLG_CONSTTIME);
    if (BN_is_zero(k) || BN_cmp(k, EC_GROUP_get0_order(group)) >= 0)
        return Q_OK;
    if (!nonce_r(group, k, ctx, r) || !invert_nonce(group, k, ctx, inverse))
        return openssl_failed("ECDSA nonce");
    if (BN_is_zero(r))
        return Q_OK;
    *out = ECDSA_do_sign_ex(hash.p, (int)hash.n, inverse, r, key);
    if (*out != NULL)
        return Q_OK;
    if (ERR_GET_REASON(ERR_peek_last_error()) != EC_R_NEED_NEW_SETUP_VALUES)
        return openssl_failed("ECDSA signature");
    ERR_clear_error();
    return Q_OK;
}

static enum q_err sign_hash(const struct ecdsa_suite *suite, EC_KEY *key, struct bytes hash,
                            ECDSA_SIG **out)
{
    size_t size = suite->curve->size;
    const BIGNUM *scalar = EC_KEY_get0_private_key(key);
    uint8_t reduced[EC_MAX_SIZE];
    NONCE_BYTES_AUTO *secret = OPENSSL_secure_zalloc(sizeof *secret);
    if (secret == NULL || scalar == NULL ||
        BN_bn2binpad(scalar, secret->scalar, (int)size) != (int)size)
        return openssl_failed("ECDSA key");
    TRY(reduce_hash(EC_KEY_get0_group(key), size, hash.p, reduced));
    RFC6979_AUTO nonces = {0};
    TRY(rfc6979_start(&nonces, suite->digest, size, secret->scalar, reduced));
    while (*out == NULL) {
        TRY(rfc6979_next(&nonces, secret->nonce));
        TRY(sign_with(key, bytes_of(secret->nonce, size), hash, out));
    }
    return Q_OK;
}

enum q_err ecdsa_sign(const struct ecdsa_suite *suite, EC_KEY *key, struct bytes message,
                      uint8_t *signature)
{
    int size = (int)suite->curve->size;
    uint8_t hash[EC_MAX_SIZE];
    ECDSA_SIG_AUTO *made = NULL;
    TRY(suite->hash(message, hash));
    TRY(sign_hash(suite, key, bytes_of(hash, suite->curve->size), &made));
    // A fault during signing must not let a signature out that gives the key away.
    if (ECDSA_do_verify(hash, size, made, key) != 1) {
        ERR_clear_error();
        return fail(Q_INTERNAL,
                    "%s signature: expected the one just made to verify, found that "
                    "it does not",
                    suite->curve->name);
    }
    if (BN_bn2binpad(ECDSA_SIG_get0_r(made), signature, size) != size ||
        BN_bn2binpad(ECDSA_SIG_get0_s(made), signature + size, size) != size)
        return openssl_failed("ECDSA signature");
    return Q_OK;
}

// r or s: 1 <= part < n.
static bool is_part(const EC_GROUP *group, const BIGNUM *part)
{
    return !BN_is_zero(part) && BN_cmp(part, EC_GROUP_get0_order(group)) < 0;
}

static enum q_err signature_numbers(const struct ec_curve *curve, struct bytes signature,
                                    ECDSA_SIG **out)
{
    ECDSA_SIG_AUTO *parsed = ECDSA_SIG_new();
    BN_AUTO *r = BN_bin2bn(signature.p, (int)curve->size, NULL);
    BN_AUTO *s = BN_bin2bn(signature.p + curve->size, (int)curve->size, NULL);
    if (parsed == NULL || r == NULL || s == NULL || ECDSA_SIG_set0(parsed, r, s) != 1)
        return openssl_failed("ECDSA signature");
    *out = parsed;
    parsed = NULL;
    r = s = NULL; // they belong to the signature now
    return Q_OK;
}

enum q_err ecdsa_signature_parse(const struct ecdsa_suite *suite, const EC_KEY *key,
                                 struct bytes signature, ECDSA_SIG **out)
{
    const struct ec_curve *curve = suite->curve;
    const EC_GROUP *group = EC_KEY_get0_group(key);
    if (signature.n != 2 * curve->size)
        return fail(Q_CRYPTO, "%s signature: expected %zu bytes, found %zu", curve->name,
                    2 * curve->size, signature.n);
    ECDSA_SIG_AUTO *parsed = NULL;
    TRY(signature_numbers(curve, signature, &parsed));
    if (!is_part(group, ECDSA_SIG_get0_r(parsed)) || !is_part(group, ECDSA_SIG_get0_s(parsed)))
        return fail(Q_CRYPTO, "%s signature: expected r and s from 1 to n - 1, found 0 or one >= n",
                    curve->name);
    *out = parsed;
    parsed = NULL;
    return Q_OK;
}

enum q_err ecdsa_verify(const struct ecdsa_suite *suite, EC_KEY *key, struct bytes message,
                        const ECDSA_SIG *signature)
{
    uint8_t hash[EC_MAX_SIZE];
    TRY(suite->hash(message, hash));
    if (ECDSA_do_verify(hash, (int)suite->curve->size, signature, key) == 1)
        return Q_OK;
    ERR_clear_error();
    return fail(Q_CRYPTO, "%s signature: expected one by this key over this message, found another",
                suite->curve->name);
}
