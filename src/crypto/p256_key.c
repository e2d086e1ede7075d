// P-256 key pairs: from the seed to scalars and public key (qos-wire 1.1), and public keys from
// others (1.2). See p256.h.
#define OPENSSL_API_COMPAT 10101
#include "crypto/hkdf.h"
#include "crypto/openssl_scope.h"
#include "crypto/p256_internal.h"

#include "base/random.h"

#include <stdlib.h>
#include <string.h>

const char *p256_error_name(enum p256_error e)
{
    static const char *const names[P256_ERROR_COUNT] = {
        [P256_QOS_HEX] = "QosHex",
        [P256_IO_ERROR] = "IOError",
        [P256_SERIALIZE_ENVELOPE] = "FailedToSerializeEnvelope",
        [P256_DESERIALIZE_ENVELOPE] = "FailedToDeserializeEnvelope",
        [P256_AES_DECRYPT] = "AesGcm256DecryptError",
        [P256_AES_ENCRYPT] = "AesGcm256EncryptError",
        [P256_CREATE_CIPHER] = "FailedToCreateAes256GcmCipher",
        [P256_DESERIALIZE_PUBLIC_KEY] = "FailedToDeserializePublicKey",
        [P256_COERCE_PUBLIC_KEY] = "FailedToCoercePublicKeyToIntendedLength",
        [P256_COERCE_NONCE] = "FailedToCoerceNonceToIntendedLength",
        [P256_DESERIALIZE_SIGNATURE] = "FailedToDeserializeSignature",
        [P256_SIGNATURE_VERIFICATION] = "FailedSignatureVerification",
        [P256_READ_SECRET] = "FailedToReadSecret",
        [P256_READ_PUBLIC_KEY] = "FailedToReadPublicKey",
        [P256_PUBLIC_KEY_TOO_LONG] = "EncodedPublicKeyTooLong",
        [P256_PUBLIC_KEY_TOO_SHORT] = "EncodedPublicKeyTooShort",
        [P256_HKDF] = "HkdfExpansionFailed",
        [P256_SEED_INVALID_UTF8] = "MasterSeedInvalidUtf8",
        [P256_SEED_INVALID_LENGTH] = "MasterSeedInvalidLength",
        [P256_INVALID_MASTER_SEED] = "InvalidMasterSeed",
        [P256_COERCE_LENGTH] = "CannotCoerceLenToU8",
    };
    return (unsigned)e < P256_ERROR_COUNT ? names[e] : "UnknownP256Error";
}

void p256_put_name(enum p256_error e)
{
    err_record((int)e, "%s: %s", p256_error_name(e), err_text());
}

enum q_err p256_half(const uint8_t point[static P256_POINT_SIZE], EC_KEY **out)
{
    return p256_named(ec_key_from_point(&ec_p256, bytes_of(point, P256_POINT_SIZE), out),
                      P256_READ_PUBLIC_KEY);
}

enum q_err p256_public_parse(struct bytes encoded, struct p256_public *out)
{
    if (encoded.n > P256_PUBLIC_SIZE)
        return p256_fail(Q_CRYPTO, P256_PUBLIC_KEY_TOO_LONG,
                         "public key: expected %d bytes, found %zu", P256_PUBLIC_SIZE, encoded.n);
    if (encoded.n < P256_PUBLIC_SIZE)
        return p256_fail(Q_CRYPTO, P256_PUBLIC_KEY_TOO_SHORT,
                         "public key: expected %d bytes, found %zu", P256_PUBLIC_SIZE, encoded.n);
    EC_KEY_AUTO *encrypt = NULL;
    EC_KEY_AUTO *sign = NULL;
    TRY(p256_half(encoded.p, &encrypt));
    TRY(p256_half(encoded.p + P256_POINT_SIZE, &sign));
    memcpy(out->bytes, encoded.p, P256_PUBLIC_SIZE);
    return Q_OK;
}

struct bytes p256_public_bytes(const struct p256_public *key)
{
    return BYTES_OF(key->bytes);
}

struct bytes p256_public_signing(const struct p256_public *key)
{
    return bytes_of(key->bytes + P256_POINT_SIZE, P256_POINT_SIZE);
}

enum p256_suite p256_public_suite(const struct p256_public *key)
{
    struct bytes encrypt = bytes_of(key->bytes, P256_POINT_SIZE);
    struct bytes sign = bytes_of(key->bytes + P256_POINT_SIZE, P256_POINT_SIZE);
    return bytes_equal(encrypt, sign) ? P256_SUITE_RENCLAVE : P256_SUITE_QOS;
}

struct bytes p256_public_short(const struct p256_public *key)
{
    bool one = p256_public_suite(key) == P256_SUITE_RENCLAVE;
    return bytes_of(key->bytes, one ? P256_POINT_SIZE : P256_PUBLIC_SIZE);
}

enum q_err p256_public_parse_short(struct bytes encoded, struct p256_public *out)
{
    EC_KEY_AUTO *point = NULL;
    if (encoded.n != P256_POINT_SIZE) {
        TRY(p256_public_parse(encoded, out));
        if (p256_public_suite(out) == P256_SUITE_RENCLAVE)
            return p256_fail(Q_CRYPTO, P256_READ_PUBLIC_KEY,
                             "public key: expected %d bytes of one point or two different points",
                             P256_POINT_SIZE);
        return Q_OK;
    }
    TRY(p256_half(encoded.p, &point));
    memcpy(out->bytes, encoded.p, P256_POINT_SIZE);
    memcpy(out->bytes + P256_POINT_SIZE, encoded.p, P256_POINT_SIZE);
    return Q_OK;
}

// HKDF-SHA512 of the seed with the path as salt and an empty info: 32 bytes.
static enum q_err derive(const struct p256_secrets *secrets, struct bytes path,
                         uint8_t out[static P256_SEED_SIZE])
{
    return p256_named(hkdf_sha512(BYTES_OF(secrets->seed), path, BYTES_NONE, out, P256_SEED_SIZE),
                      P256_HKDF);
}

static enum q_err use_key(struct bytes scalar, EC_KEY **out, uint8_t point[static P256_POINT_SIZE])
{
    TRY(p256_named(ec_key_from_scalar(&ec_p256, scalar, out), P256_READ_SECRET));
    return p256_named(ec_key_point(&ec_p256, *out, point), P256_READ_SECRET);
}

// The 32 derived bytes are the scalar as they are: 0 and >= n are refused, never reduced.
static enum q_err derive_key(struct p256_secrets *secrets, struct bytes path, EC_KEY **out,
                             uint8_t point[static P256_POINT_SIZE])
{
    TRY(derive(secrets, path, secrets->scalar));
    return use_key(BYTES_OF(secrets->scalar), out, point);
}

const struct p256_secrets *p256_pair_secrets(const struct p256_pair *pair)
{
    return (const struct p256_secrets *)pair->memory.p;
}

static enum q_err fill_pair(struct p256_pair *pair, enum p256_suite suite, struct bytes seed)
{
    TRY(p256_named(secret_new(&pair->memory, sizeof(struct p256_secrets)), P256_IO_ERROR));
    struct p256_secrets *secrets = (struct p256_secrets *)pair->memory.p;
    memcpy(secrets->seed, seed.p, P256_SEED_SIZE);
    TRY(derive(secrets, BYTES_LIT("qos_aes_gcm_encrypt"), secrets->aes_key));
    if (suite == P256_SUITE_RENCLAVE) {
        struct bytes scalar = BYTES_OF(secrets->seed);
        TRY(use_key(scalar, &pair->encrypt, pair->public.bytes));
        return use_key(scalar, &pair->sign, pair->public.bytes + P256_POINT_SIZE);
    }
    TRY(derive_key(secrets, BYTES_LIT("qos_p256_encrypt"), &pair->encrypt, pair->public.bytes));
    TRY(derive_key(secrets, BYTES_LIT("qos_p256_sign"), &pair->sign,
                   pair->public.bytes + P256_POINT_SIZE));
    wipe(secrets->scalar, sizeof secrets->scalar);
    return Q_OK;
}

enum q_err p256_pair_from_seed_suite(enum p256_suite suite, struct bytes seed,
                                     struct p256_pair **out)
{
    *out = NULL;
    if (seed.n != P256_SEED_SIZE)
        return p256_fail(Q_CRYPTO, P256_INVALID_MASTER_SEED,
                         "master seed: expected %d bytes, found %zu", P256_SEED_SIZE, seed.n);
    struct p256_pair *pair = calloc(1, sizeof *pair);
    if (pair == NULL)
        return p256_fail(Q_NOMEM, P256_IO_ERROR, "key pair: expected memory, found none left");
    enum q_err err = fill_pair(pair, suite, seed);
    if (err != Q_OK)
        p256_pair_free(&pair);
    *out = pair;
    return err;
}

// A seed whose scalar is out of range comes once in 2^31: drawn again. A source of randomness that
// keeps giving one is broken, and said to be.
enum q_err p256_pair_generate_suite(enum p256_suite suite, struct p256_pair **out)
{
    SECRET_AUTO seed = {0};
    TRY(p256_named(secret_new(&seed, P256_SEED_SIZE), P256_IO_ERROR));
    enum q_err err = Q_INTERNAL;
    for (int tries = 0; tries < P256_DRAWS; tries++) {
        TRY(p256_named(random_bytes(seed.p, seed.n), P256_IO_ERROR));
        err = p256_pair_from_seed_suite(suite, secret_bytes(&seed), out);
        if (err == Q_OK || err_detail() != P256_READ_SECRET)
            return err;
    }
    return err;
}

enum q_err p256_pair_from_seed(struct bytes seed, struct p256_pair **out)
{
    return p256_pair_from_seed_suite(P256_SUITE_QOS, seed, out);
}

enum q_err p256_pair_generate(struct p256_pair **out)
{
    return p256_pair_generate_suite(P256_SUITE_QOS, out);
}

void p256_pair_free(struct p256_pair **pair)
{
    if (*pair == NULL)
        return;
    ec_key_release(&(*pair)->encrypt);
    ec_key_release(&(*pair)->sign);
    secret_free(&(*pair)->memory);
    free(*pair);
    *pair = NULL;
}

struct bytes p256_pair_seed(const struct p256_pair *pair)
{
    return BYTES_OF(p256_pair_secrets(pair)->seed);
}

const struct p256_public *p256_pair_public(const struct p256_pair *pair)
{
    return &pair->public;
}

static enum q_err scalar_of(const EC_KEY *key, struct secret *out)
{
    TRY(p256_named(secret_new(out, P256_SCALAR_SIZE), P256_IO_ERROR));
    if (EC_KEY_priv2oct(key, out->p, out->n) != P256_SCALAR_SIZE)
        return p256_named(openssl_failed("scalar"), P256_READ_SECRET);
    return Q_OK;
}

enum q_err p256_pair_scalars(const struct p256_pair *pair, struct secret *encrypt,
                             struct secret *sign)
{
    TRY(scalar_of(pair->encrypt, encrypt));
    return scalar_of(pair->sign, sign);
}
