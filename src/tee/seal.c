// Sealed bytes (see seal.h), in Borsh: who sealed what, then the secret under XChaCha20-Poly1305
// with a key that HKDF makes of the provider's and a salt. All of the header is authenticated.
#include "tee/seal.h"

#include "base/file.h"
#include "base/hex.h"
#include "base/random.h"
#include "codec/borsh.h"
#include "crypto/hkdf.h"
#include "tee/provider.h"

#include <sodium.h>
#include <string.h>

#define FORMAT "quorate-sealed-v1"
#define SALT_SIZE 32
#define NONCE_SIZE crypto_aead_xchacha20poly1305_ietf_NPUBBYTES
#define TAG_SIZE crypto_aead_xchacha20poly1305_ietf_ABYTES
#define MAX_FILE (SEAL_MAX_SECRET + 4096)

struct sealed {
    struct bytes format, provider, purpose;
    struct seal_identity by;
    uint8_t salt[SALT_SIZE], nonce[NONCE_SIZE];
    struct bytes ciphertext;
};

static const struct type type_image = {FIXED("image", SHA384_SIZE)};
static const struct type type_machine = {FIXED("machine", SHA256_SIZE)};
static const struct type type_salt = {FIXED("salt", SALT_SIZE)};
static const struct type type_nonce = {FIXED("nonce", NONCE_SIZE)};

// The last field is the only one that the header has not.
static const struct field sealed_fields[] = {
    FIELD(struct sealed, format, "format", &type_text),
    FIELD(struct sealed, provider, "provider", &type_text),
    FIELD(struct sealed, purpose, "purpose", &type_text),
    FIELD(struct sealed, by.image, "image", &type_image),
    FIELD(struct sealed, by.machine, "machine", &type_machine),
    FIELD(struct sealed, by.firmware, "firmware", &type_u64),
    FIELD(struct sealed, salt, "salt", &type_salt),
    FIELD(struct sealed, nonce, "nonce", &type_nonce),
    FIELD(struct sealed, ciphertext, "ciphertext", &type_bytes),
};
static const struct type type_sealed = {STRUCT(struct sealed, "sealed bytes", sealed_fields)};
static const struct type type_header = {.name = "sealed header",
                                        .shape = SHAPE_STRUCT,
                                        .size = sizeof(struct sealed),
                                        .fields = sealed_fields,
                                        .count =
                                            sizeof sealed_fields / sizeof sealed_fields[0] - 1};

static enum q_err check_offered(const struct tee *t)
{
    if (t->ops->seal_key != NULL && t->ops->seal_identity != NULL)
        return Q_OK;
    return fail(
        Q_UNSUPPORTED,
        "sealing: expected a TEE with a key of its own that outlives it, found %s, which has "
        "none",
        t->name);
}

static enum q_err key_of(struct tee *t, const struct sealed *s, struct secret *out)
{
    SECRET_AUTO root = {0};
    TRY(t->ops->seal_key(t, s->by.firmware, &root));
    if (root.n != SEAL_KEY_SIZE)
        return fail(Q_INTERNAL, "sealing: expected a key of %d bytes, found %zu", SEAL_KEY_SIZE,
                    root.n);
    TRY(secret_new(out, crypto_aead_xchacha20poly1305_ietf_KEYBYTES));
    return hkdf_sha512(secret_bytes(&root), BYTES_OF(s->salt), BYTES_LIT(FORMAT), out->p, out->n);
}

static enum q_err encrypt(struct tee *t, struct sealed *s, struct bytes secret, struct buf *cipher)
{
    SECRET_AUTO key = {0};
    BUF_AUTO header = {0};
    TRY(key_of(t, s, &key));
    TRY(borsh_encode(&type_header, s, &header));
    TRY(buf_reserve(cipher, secret.n + TAG_SIZE));
    unsigned long long n = 0;
    if (crypto_aead_xchacha20poly1305_ietf_encrypt(cipher->p, &n, secret.p, secret.n, header.p,
                                                   header.n, NULL, s->nonce, key.p) != 0)
        return fail(Q_INTERNAL, "sealing: libsodium refused to encrypt");
    cipher->n = (size_t)n;
    s->ciphertext = buf_bytes(cipher);
    return Q_OK;
}

enum q_err tee_seal(struct tee *t, const char *purpose, struct bytes secret, struct buf *out)
{
    BUF_AUTO cipher = {0};
    struct sealed s = {
        .format = BYTES_LIT(FORMAT), .provider = bytes_str(t->name), .purpose = bytes_str(purpose)};
    TRY(check_offered(t));
    if (secret.n == 0 || secret.n > SEAL_MAX_SECRET)
        return fail(Q_LIMIT, "sealing: expected a secret of 1 to %zu bytes, found %zu",
                    SEAL_MAX_SECRET, secret.n);
    TRY(t->ops->seal_identity(t, &s.by));
    TRY(random_bytes(s.salt, sizeof s.salt));
    TRY(random_bytes(s.nonce, sizeof s.nonce));
    TRY(encrypt(t, &s, secret, &cipher));
    return borsh_encode(&type_sealed, &s, out);
}

// Why it is another's: both names in hex.
static enum q_err other(const char *what, struct bytes theirs, struct bytes ours)
{
    BUF_AUTO theirs_hex = {0}, ours_hex = {0};
    TRY(hex_encode(theirs, &theirs_hex));
    TRY(hex_encode(ours, &ours_hex));
    const char *t = buf_text(&theirs_hex), *o = buf_text(&ours_hex);
    return fail(Q_REFUSED, "wrong %s: sealed by %s, expected this one, %s", what,
                t == NULL ? "?" : t, o == NULL ? "?" : o);
}

static enum q_err check_header(const struct tee *t, const char *purpose, const struct sealed *s)
{
    if (!bytes_is(s->format, FORMAT))
        return fail(Q_BAD_INPUT, "expected sealed bytes (" FORMAT "), found another format");
    if (!bytes_is(s->provider, t->name))
        return fail(Q_REFUSED, "wrong TEE: expected it sealed by %s, found it sealed by another",
                    t->name);
    if (!bytes_is(s->purpose, purpose))
        return fail(Q_REFUSED, "expected a sealed %s, found one sealed for another purpose",
                    purpose);
    if (s->ciphertext.n <= TAG_SIZE || s->ciphertext.n > SEAL_MAX_SECRET + TAG_SIZE)
        return fail(Q_BAD_INPUT, "damaged: expected %u to %zu encrypted bytes, found %zu",
                    TAG_SIZE + 1, SEAL_MAX_SECRET + TAG_SIZE, s->ciphertext.n);
    return Q_OK;
}

static enum q_err check_identity(struct tee *t, const struct sealed *s)
{
    struct seal_identity self;
    TRY(t->ops->seal_identity(t, &self));
    if (!bytes_equal(BYTES_OF(s->by.image), BYTES_OF(self.image)))
        return other("image", BYTES_OF(s->by.image), BYTES_OF(self.image));
    if (!bytes_equal(BYTES_OF(s->by.machine), BYTES_OF(self.machine)))
        return other("machine", BYTES_OF(s->by.machine), BYTES_OF(self.machine));
    return Q_OK;
}

static enum q_err decrypt(struct tee *t, const struct sealed *s, struct secret *out)
{
    SECRET_AUTO key = {0}, opened = {0};
    BUF_AUTO header = {0};
    TRY(key_of(t, s, &key));
    TRY(borsh_encode(&type_header, s, &header));
    TRY(secret_new(&opened, s->ciphertext.n - TAG_SIZE));
    if (crypto_aead_xchacha20poly1305_ietf_decrypt(opened.p, NULL, NULL, s->ciphertext.p,
                                                   s->ciphertext.n, header.p, header.n, s->nonce,
                                                   key.p) != 0)
        return fail(Q_CRYPTO, "damaged: expected what this image sealed on this machine, found "
                              "bytes that its key does not open");
    *out = opened;
    opened = (struct secret){0};
    return Q_OK;
}

enum q_err tee_unseal(struct tee *t, const char *purpose, struct bytes sealed, struct secret *out)
{
    ARENA_AUTO a = {0};
    struct sealed s;
    *out = (struct secret){0};
    TRY(check_offered(t));
    if (sealed.n > MAX_FILE)
        return fail(Q_LIMIT, "sealed bytes: expected at most %zu, found %zu", MAX_FILE, sealed.n);
    TRY(borsh_decode(&type_sealed, sealed, &a, &s));
    TRY(check_header(t, purpose, &s));
    TRY(check_identity(t, &s));
    return decrypt(t, &s, out);
}

enum q_err tee_seal_file(struct tee *t, const char *purpose, struct bytes secret, const char *path)
{
    BUF_AUTO sealed = {0};
    TRY(err_context(tee_seal(t, purpose, secret, &sealed), "%s", path));
    return file_write(path, buf_bytes(&sealed), 0600, FILE_NEW);
}

enum q_err tee_unseal_file(struct tee *t, const char *purpose, const char *path, struct secret *out)
{
    BUF_AUTO sealed = {0};
    *out = (struct secret){0};
    TRY(file_read(path, MAX_FILE, &sealed));
    return err_context(tee_unseal(t, purpose, buf_bytes(&sealed), out), "%s", path);
}
