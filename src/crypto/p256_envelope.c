// P-256 envelopes: to a public key (qos-wire 1.4) and under a pair's own AES key (1.5). See p256.h.
#include "crypto/openssl_scope.h"
#include "crypto/p256_internal.h"

#include "base/random.h"
#include "crypto/hash.h"

#include <assert.h>
#include <limits.h>
#include <openssl/crypto.h>
#include <openssl/hmac.h>
#include <string.h>

#define NONCE_SIZE 12
#define TAG_SIZE 16
#define LENGTH_SIZE 4
#define AAD_MAX (2 * (P256_POINT_SIZE + 8) + P256_PURPOSE_MAX)
#define PLAINTEXT_MAX ((size_t)INT_MAX - TAG_SIZE) // what OpenSSL takes in one piece

static_assert(P256_ENVELOPE_OVERHEAD == NONCE_SIZE + P256_POINT_SIZE + LENGTH_SIZE + TAG_SIZE,
              "the envelope's layout and its overhead differ");

// The AES-256-GCM step, the same in both envelopes.
struct gcm {
    const uint8_t *key, *nonce;
    struct bytes aad;
};

// In OpenSSL's secure heap, where its scalars are too: the key of an envelope and what it is made from. hmac_key is ephemeral point ||
// receiver's point || shared X; the AES key is the first half of hmac.
struct envelope_secrets {
    uint8_t hmac_key[2 * P256_POINT_SIZE + P256_SCALAR_SIZE];
    uint8_t hmac[SHA512_SIZE];
};

// What an envelope consists of, as views into it; the symmetric one has no ephemeral point.
struct envelope {
    struct bytes nonce, ephemeral, sealed;
};

// Writes plaintext.n bytes of ciphertext and the tag.
static enum q_err gcm_seal(const struct gcm *gcm, struct bytes plaintext, uint8_t *out)
{
    int n = 0;
    CIPHER_CTX_AUTO *ctx = EVP_CIPHER_CTX_new();
    if (ctx == NULL || EVP_EncryptInit_ex(ctx, EVP_aes_256_gcm(), NULL, gcm->key, gcm->nonce) != 1)
        return p256_named(openssl_failed("AES-256-GCM"), P256_CREATE_CIPHER);
    uint8_t *tag = out + plaintext.n;
    if (EVP_EncryptUpdate(ctx, NULL, &n, gcm->aad.p, (int)gcm->aad.n) != 1 ||
        (plaintext.n > 0 && EVP_EncryptUpdate(ctx, out, &n, plaintext.p, (int)plaintext.n) != 1) ||
        EVP_EncryptFinal_ex(ctx, tag, &n) != 1 ||
        EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, TAG_SIZE, tag) != 1)
        return p256_named(openssl_failed("AES-256-GCM"), P256_AES_ENCRYPT);
    return Q_OK;
}

// Decrypts n bytes into out (NULL when n is 0); false when the tag does not hold.
static bool gcm_check(EVP_CIPHER_CTX *ctx, struct bytes aad, struct bytes sealed, uint8_t *out)
{
    int n = 0;
    uint8_t tag[TAG_SIZE], nothing[1];
    size_t length = sealed.n - TAG_SIZE;
    memcpy(tag, sealed.p + length, TAG_SIZE);
    return EVP_DecryptUpdate(ctx, NULL, &n, aad.p, (int)aad.n) == 1 &&
           (length == 0 || EVP_DecryptUpdate(ctx, out, &n, sealed.p, (int)length) == 1) &&
           EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, TAG_SIZE, tag) == 1 &&
           EVP_DecryptFinal_ex(ctx, nothing, &n) == 1;
}

// Give *out zeroed.
static enum q_err gcm_open(const struct gcm *gcm, struct bytes sealed, struct secret *out)
{
    if (sealed.n < TAG_SIZE || sealed.n - TAG_SIZE > PLAINTEXT_MAX)
        return p256_fail(Q_CRYPTO, P256_AES_DECRYPT,
                         "ciphertext: expected from %d to %zu bytes, found %zu", TAG_SIZE,
                         PLAINTEXT_MAX + TAG_SIZE, sealed.n);
    CIPHER_CTX_AUTO *ctx = EVP_CIPHER_CTX_new();
    if (ctx == NULL || EVP_DecryptInit_ex(ctx, EVP_aes_256_gcm(), NULL, gcm->key, gcm->nonce) != 1)
        return p256_named(openssl_failed("AES-256-GCM"), P256_CREATE_CIPHER);
    if (sealed.n > TAG_SIZE)
        TRY(p256_named(secret_new(out, sealed.n - TAG_SIZE), P256_IO_ERROR));
    if (gcm_check(ctx, gcm->aad, sealed, out->p))
        return Q_OK;
    secret_free(out); // what was decrypted so far is not to be trusted
    return p256_fail(Q_CRYPTO, P256_AES_DECRYPT,
                     "ciphertext: expected one for this key, found a tag that does not hold");
}

static void put_u32le(uint8_t *out, size_t value)
{
    for (int i = 0; i < LENGTH_SIZE; i++)
        out[i] = (uint8_t)(value >> (8 * i));
}

// Makes room at the end of b for an envelope with this plaintext; its bytes count only once b->n
// grows.
static enum q_err reserve(struct buf *b, struct bytes plaintext, size_t overhead, uint8_t **at)
{
    if (plaintext.n > PLAINTEXT_MAX)
        return p256_fail(Q_LIMIT, P256_SERIALIZE_ENVELOPE,
                         "plaintext: expected at most %zu bytes, found %zu", PLAINTEXT_MAX,
                         plaintext.n);
    TRY(p256_named(buf_reserve(b, plaintext.n + overhead), P256_SERIALIZE_ENVELOPE));
    *at = b->p + b->n;
    return Q_OK;
}

// secrets->hmac_key holds the shared X already; fills in the points and computes the key.
static enum q_err envelope_key(struct envelope_secrets *secrets, const uint8_t *ephemeral,
                               const uint8_t *receiver)
{
    static const char message[] = "qos_encryption_hmac_message";
    memcpy(secrets->hmac_key, ephemeral, P256_POINT_SIZE);
    memcpy(secrets->hmac_key + P256_POINT_SIZE, receiver, P256_POINT_SIZE);
    unsigned n = 0;
    if (HMAC(EVP_sha512(), secrets->hmac_key, (int)sizeof secrets->hmac_key,
             (const uint8_t *)message, sizeof message - 1, secrets->hmac, &n) == NULL)
        return p256_named(openssl_failed("HMAC"), P256_CREATE_CIPHER);
    return Q_OK;
}

static uint8_t *shared_x_of(struct envelope_secrets *secrets)
{
    return secrets->hmac_key + 2 * (size_t)P256_POINT_SIZE;
}

static void envelope_secrets_release(struct envelope_secrets **secrets)
{
    OPENSSL_secure_clear_free(*secrets, sizeof **secrets);
}
#define ENVELOPE_SECRETS_AUTO                                                                      \
    __attribute__((cleanup(envelope_secrets_release))) struct envelope_secrets

static enum q_err new_secrets(struct envelope_secrets **out)
{
    *out = OPENSSL_secure_zalloc(sizeof **out);
    return *out != NULL ? Q_OK : p256_fail(Q_NOMEM, P256_IO_ERROR, "envelope: no secret memory");
}

static struct bytes put_aad(uint8_t *aad, size_t n, struct bytes piece)
{
    memcpy(aad + n, piece.p, piece.n);
    return bytes_of(aad, n + piece.n);
}

// Each point is followed, not preceded, by its length.
static enum q_err envelope_aad(const uint8_t *ephemeral, const uint8_t *receiver,
                               struct p256_binding binding, uint8_t storage[static AAD_MAX],
                               struct bytes *out)
{
    static const uint8_t length[8] = {0, 0, 0, 0, 0, 0, 0, P256_POINT_SIZE};
    struct bytes tail =
        binding.long_lengths ? BYTES_OF(length) : bytes_of(length + sizeof length - 1, 1);
    if (binding.purpose.n > P256_PURPOSE_MAX)
        return p256_fail(Q_INTERNAL, P256_COERCE_LENGTH,
                         "envelope: expected a purpose of at most %d bytes, found %zu",
                         P256_PURPOSE_MAX, binding.purpose.n);
    *out = put_aad(storage, 0, bytes_of(ephemeral, P256_POINT_SIZE));
    *out = put_aad(storage, out->n, tail);
    *out = put_aad(storage, out->n, bytes_of(receiver, P256_POINT_SIZE));
    *out = put_aad(storage, out->n, tail);
    if (binding.purpose.n > 0)
        *out = put_aad(storage, out->n, binding.purpose);
    return Q_OK;
}

// The scalar is drawn into memory that the shared X overwrites next.
static enum q_err draw_ephemeral(uint8_t scalar[static P256_SCALAR_SIZE], EC_KEY **out)
{
    enum q_err err = Q_CRYPTO;
    for (int tries = 0; err == Q_CRYPTO && tries < P256_DRAWS; tries++) {
        TRY(p256_named(random_bytes(scalar, P256_SCALAR_SIZE), P256_IO_ERROR));
        err = ec_key_from_scalar(&ec_p256, bytes_of(scalar, P256_SCALAR_SIZE), out);
    }
    return p256_named(err, P256_READ_SECRET);
}

static enum q_err draw_and_agree(const EC_KEY *receiver, struct envelope_secrets *secrets,
                                 uint8_t point[static P256_POINT_SIZE])
{
    EC_KEY_AUTO *ephemeral = NULL;
    uint8_t *shared_x = shared_x_of(secrets);
    TRY(draw_ephemeral(shared_x, &ephemeral));
    TRY(p256_named(ec_key_point(&ec_p256, ephemeral, point), P256_SERIALIZE_ENVELOPE));
    return p256_named(ec_key_agree(&ec_p256, ephemeral, receiver, shared_x), P256_CREATE_CIPHER);
}

enum q_err p256_seal_bound(const struct p256_public *to, struct p256_binding binding,
                           struct bytes plaintext, struct buf *envelope)
{
    EC_KEY_AUTO *receiver = NULL;
    ENVELOPE_SECRETS_AUTO *secrets = NULL;
    uint8_t *nonce, storage[AAD_MAX];
    struct bytes aad;
    TRY(reserve(envelope, plaintext, P256_ENVELOPE_OVERHEAD, &nonce));
    TRY(p256_half(to->bytes, &receiver));
    TRY(new_secrets(&secrets));
    uint8_t *ephemeral = nonce + NONCE_SIZE, *length = ephemeral + P256_POINT_SIZE;
    TRY(p256_named(random_bytes(nonce, NONCE_SIZE), P256_IO_ERROR));
    TRY(draw_and_agree(receiver, secrets, ephemeral));
    TRY(envelope_key(secrets, ephemeral, to->bytes));
    TRY(envelope_aad(ephemeral, to->bytes, binding, storage, &aad));
    put_u32le(length, plaintext.n + TAG_SIZE);
    const struct gcm gcm = {secrets->hmac, nonce, aad};
    TRY(gcm_seal(&gcm, plaintext, length + LENGTH_SIZE));
    envelope->n += plaintext.n + P256_ENVELOPE_OVERHEAD;
    return Q_OK;
}

enum q_err p256_seal(const struct p256_public *to, struct bytes plaintext, struct buf *envelope)
{
    return p256_seal_bound(to, (struct p256_binding){0}, plaintext, envelope);
}

static enum q_err read_sealed(struct reader *r, struct bytes *sealed)
{
    uint32_t length;
    TRY(reader_u32le(r, &length));
    TRY(reader_take(r, length, sealed));
    return reader_end(r);
}

static enum q_err read_parts(struct bytes in, struct envelope *out)
{
    struct reader r = reader_of(in, "envelope");
    TRY(reader_take(&r, NONCE_SIZE, &out->nonce));
    TRY(reader_take(&r, P256_POINT_SIZE, &out->ephemeral));
    return read_sealed(&r, &out->sealed);
}

static enum q_err read_envelope(struct bytes in, struct envelope *out)
{
    if (read_parts(in, out) != Q_OK)
        return p256_fail(Q_CRYPTO, P256_DESERIALIZE_ENVELOPE, "%s", err_text());
    return Q_OK;
}

static enum q_err open_agreed(const struct envelope *envelope, struct p256_binding binding,
                              struct envelope_secrets *secrets, const uint8_t *own_point,
                              struct secret *out)
{
    uint8_t storage[AAD_MAX];
    struct bytes aad;
    TRY(envelope_key(secrets, envelope->ephemeral.p, own_point));
    TRY(envelope_aad(envelope->ephemeral.p, own_point, binding, storage, &aad));
    const struct gcm gcm = {secrets->hmac, envelope->nonce.p, aad};
    return gcm_open(&gcm, envelope->sealed, out);
}

enum q_err p256_open_bound(const struct p256_pair *pair, struct p256_binding binding,
                           struct bytes envelope, struct secret *out)
{
    struct envelope parts;
    EC_KEY_AUTO *ephemeral = NULL;
    ENVELOPE_SECRETS_AUTO *secrets = NULL;
    *out = (struct secret){0};
    TRY(read_envelope(envelope, &parts));
    TRY(p256_named(ec_key_from_point(&ec_p256, parts.ephemeral, &ephemeral),
                   P256_DESERIALIZE_PUBLIC_KEY));
    TRY(new_secrets(&secrets));
    TRY(p256_named(ec_key_agree(&ec_p256, pair->encrypt, ephemeral, shared_x_of(secrets)),
                   P256_CREATE_CIPHER));
    return open_agreed(&parts, binding, secrets, pair->public.bytes, out);
}

enum q_err p256_open(const struct p256_pair *pair, struct bytes envelope, struct secret *out)
{
    return p256_open_bound(pair, (struct p256_binding){0}, envelope, out);
}

enum q_err p256_envelope_point(struct bytes envelope, struct bytes *out)
{
    struct envelope parts;
    EC_KEY_AUTO *ephemeral = NULL;
    TRY(read_envelope(envelope, &parts));
    TRY(p256_named(ec_key_from_point(&ec_p256, parts.ephemeral, &ephemeral),
                   P256_DESERIALIZE_PUBLIC_KEY));
    *out = parts.ephemeral;
    return Q_OK;
}

enum q_err p256_open_with_shared(struct bytes shared_x,
                                 const uint8_t own_point[static P256_POINT_SIZE],
                                 struct bytes envelope, struct secret *out)
{
    struct envelope parts;
    ENVELOPE_SECRETS_AUTO *secrets = NULL;
    *out = (struct secret){0};
    if (shared_x.n != P256_SCALAR_SIZE)
        return p256_fail(Q_CRYPTO, P256_CREATE_CIPHER, "shared X: expected %d bytes, found %zu",
                         P256_SCALAR_SIZE, shared_x.n);
    TRY(read_envelope(envelope, &parts));
    TRY(new_secrets(&secrets));
    memcpy(shared_x_of(secrets), shared_x.p, P256_SCALAR_SIZE);
    return open_agreed(&parts, (struct p256_binding){0}, secrets, own_point, out);
}

#define SYMMETRIC_AAD BYTES_LIT("qos_aes_gcm_256_hmac_sha512")

enum q_err p256_seal_symmetric(const struct p256_pair *pair, struct bytes plaintext,
                               struct buf *out)
{
    const size_t overhead = NONCE_SIZE + LENGTH_SIZE + TAG_SIZE;
    uint8_t *nonce;
    TRY(reserve(out, plaintext, overhead, &nonce));
    TRY(p256_named(random_bytes(nonce, NONCE_SIZE), P256_IO_ERROR));
    put_u32le(nonce + NONCE_SIZE, plaintext.n + TAG_SIZE);
    const struct gcm gcm = {p256_pair_secrets(pair)->aes_key, nonce, SYMMETRIC_AAD};
    TRY(gcm_seal(&gcm, plaintext, nonce + NONCE_SIZE + LENGTH_SIZE));
    out->n += plaintext.n + overhead;
    return Q_OK;
}

static enum q_err read_symmetric_parts(struct bytes in, struct envelope *out)
{
    struct reader r = reader_of(in, "symmetric envelope");
    TRY(reader_take(&r, NONCE_SIZE, &out->nonce));
    return read_sealed(&r, &out->sealed);
}

enum q_err p256_open_symmetric(const struct p256_pair *pair, struct bytes envelope,
                               struct secret *out)
{
    struct envelope parts;
    *out = (struct secret){0};
    if (read_symmetric_parts(envelope, &parts) != Q_OK)
        return p256_fail(Q_CRYPTO, P256_DESERIALIZE_ENVELOPE, "%s", err_text());
    const struct gcm gcm = {p256_pair_secrets(pair)->aes_key, parts.nonce.p, SYMMETRIC_AAD};
    return gcm_open(&gcm, parts.sealed, out);
}
