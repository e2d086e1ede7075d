// Reading, opening and making protected files (see protected_file.h).
#include "client/protected_file.h"

#include "base/hex.h"
#include "base/random.h"
#include "base/text.h"

#include <sodium.h>
#include <string.h>

#define ANY_VERSION "quorate-protected-"
#define VERSION_1 ANY_VERSION "v1"
#define KEY_SIZE crypto_aead_xchacha20poly1305_ietf_KEYBYTES
#define TAG_SIZE ((size_t)crypto_aead_xchacha20poly1305_ietf_ABYTES)

_Static_assert(PROTECTED_SALT_SIZE == crypto_pwhash_SALTBYTES, "the salt of Argon2id");
_Static_assert(PROTECTED_NONCE_SIZE == crypto_aead_xchacha20poly1305_ietf_NPUBBYTES, "the nonce");

const struct protected_cost protected_cost_usual = {
    .memory_kib = crypto_pwhash_argon2id_MEMLIMIT_MODERATE / 1024,
    .passes = crypto_pwhash_argon2id_OPSLIMIT_MODERATE,
};

bool protected_is(struct bytes file)
{
    return bytes_begin_with(file, bytes_str(ANY_VERSION));
}

// Takes "<label><value>" and the space or the end behind it off rest.
static enum q_err take_word(struct bytes *rest, const char *label, const char *what,
                            struct bytes *value)
{
    if (!bytes_begin_with(*rest, bytes_str(label)))
        return fail(Q_BAD_INPUT,
                    "%s: expected %s in the line of a protected file, found other text", what,
                    label);
    struct bytes word = bytes_of(rest->p + strlen(label), rest->n - strlen(label));
    const uint8_t *space = word.n == 0 ? NULL : memchr(word.p, ' ', word.n);
    size_t n = space == NULL ? word.n : (size_t)(space - word.p);
    *value = bytes_of(word.p, n);
    *rest = space == NULL ? bytes_of(word.p + n, 0) : bytes_of(space + 1, word.n - n - 1);
    return Q_OK;
}

static enum q_err take_number(struct bytes *rest, const char *label, const char *what,
                              uint32_t least, uint32_t most, uint32_t *out)
{
    struct bytes digits;
    TRY(take_word(rest, label, what, &digits));
    if (text_u32(digits, out) == Q_OK && *out >= least && *out <= most)
        return Q_OK;
    return fail(Q_LIMIT, "%s: expected %s%u to %s%u in the line of a protected file, found another",
                what, label, least, label, most);
}

static enum q_err take_fixed(struct bytes *rest, const char *label, const char *what, uint8_t *out,
                             size_t size)
{
    struct bytes hex;
    TRY(take_word(rest, label, what, &hex));
    return err_context(hex_decode_fixed(hex, out, size), "%s: %s", what, label);
}

static enum q_err take_exactly(struct bytes *rest, const char *word, const char *what)
{
    struct bytes nothing;
    TRY(take_word(rest, word, what, &nothing));
    if (nothing.n > 0)
        return fail(Q_BAD_INPUT, "%s: expected %s in the line of a protected file, found more",
                    what, word);
    return Q_OK;
}

enum q_err protected_parse(struct bytes file, const char *what, struct protected_file *out)
{
    struct bytes line = bytes_trim(file), rest = line, version;
    *out = (struct protected_file){.box = BYTES_NONE};
    TRY(take_word(&rest, ANY_VERSION, what, &version));
    if (!bytes_is(version, "v1"))
        return fail(Q_UNSUPPORTED, "%s: expected a protected file of version v1, found another",
                    what);
    TRY(take_exactly(&rest, "argon2id", what));
    TRY(take_number(&rest, "m=", what, PROTECTED_MEMORY_LEAST_KIB, PROTECTED_MEMORY_MOST_KIB,
                    &out->cost.memory_kib));
    TRY(take_number(&rest, "t=", what, PROTECTED_PASSES_LEAST, PROTECTED_PASSES_MOST,
                    &out->cost.passes));
    TRY(take_exactly(&rest, "p=1", what));
    TRY(take_fixed(&rest, "salt=", what, out->salt, sizeof out->salt));
    TRY(take_fixed(&rest, "nonce=", what, out->nonce, sizeof out->nonce));
    out->header = bytes_of(line.p, line.n - rest.n);
    TRY(take_word(&rest, "box=", what, &out->box));
    if (rest.n > 0)
        return fail(Q_BAD_INPUT, "%s: expected the end of a protected file, found more", what);
    if (out->box.n <= 2 * TAG_SIZE || out->box.n > 2 * (PROTECTED_CONTENTS_MAX + TAG_SIZE))
        return fail(Q_BAD_INPUT, "%s: expected a box of %zu to %zu hex characters, found %zu", what,
                    2 * (TAG_SIZE + 1), 2 * (PROTECTED_CONTENTS_MAX + TAG_SIZE), out->box.n);
    return Q_OK;
}

static enum q_err make_key(const struct protected_cost *cost, struct bytes passphrase,
                           const uint8_t *salt, struct secret *key)
{
    TRY(secret_new(key, KEY_SIZE)); // starts libsodium too
    if (crypto_pwhash(key->p, KEY_SIZE, (const char *)passphrase.p, passphrase.n, salt,
                      cost->passes, (size_t)cost->memory_kib * 1024,
                      crypto_pwhash_ALG_ARGON2ID13) == 0)
        return Q_OK;
    return fail(Q_NOMEM,
                "expected %u MiB of free memory to make the key from the passphrase, "
                "found less",
                cost->memory_kib / 1024);
}

static enum q_err write_header(const struct protected_file *f, struct buf *out)
{
    TRY(buf_printf(out, VERSION_1 " argon2id m=%u t=%u p=1 salt=", f->cost.memory_kib,
                   f->cost.passes));
    TRY(hex_encode(BYTES_OF(f->salt), out));
    TRY(buf_append_str(out, " nonce="));
    TRY(hex_encode(BYTES_OF(f->nonce), out));
    return buf_u8(out, ' ');
}

enum q_err protected_seal(const struct protected_cost *cost, struct bytes contents,
                          struct bytes passphrase, struct buf *out)
{
    uint8_t box[PROTECTED_CONTENTS_MAX + TAG_SIZE];
    struct protected_file f = {.cost = *cost};
    SECRET_AUTO key = {0};
    BUF_AUTO header = {0};
    if (contents.n == 0 || contents.n > PROTECTED_CONTENTS_MAX)
        return fail(Q_LIMIT, "protected file: expected 1 to %d bytes of contents, found %zu",
                    PROTECTED_CONTENTS_MAX, contents.n);
    TRY(random_bytes(f.salt, sizeof f.salt));
    TRY(random_bytes(f.nonce, sizeof f.nonce));
    TRY(write_header(&f, &header));
    TRY(make_key(cost, passphrase, f.salt, &key));
    unsigned long long n;
    if (crypto_aead_xchacha20poly1305_ietf_encrypt(box, &n, contents.p, contents.n, header.p,
                                                   header.n, NULL, f.nonce, key.p) != 0)
        return fail(Q_INTERNAL, "libsodium: cannot encrypt");
    TRY(buf_append(out, buf_bytes(&header)));
    TRY(buf_append_str(out, "box="));
    TRY(hex_encode(bytes_of(box, (size_t)n), out));
    return buf_u8(out, '\n');
}

enum q_err protected_open(const struct protected_file *file, const char *what,
                          struct bytes passphrase, struct secret *out)
{
    SECRET_AUTO key = {0};
    BUF_AUTO box = {0};
    TRY(err_context(hex_decode(file->box, &box), "%s: box=", what));
    if (box.n <= TAG_SIZE)
        return fail(Q_BAD_INPUT, "%s: expected a box longer than its tag, found %zu bytes", what,
                    box.n);
    TRY(err_context(make_key(&file->cost, passphrase, file->salt, &key), "%s", what));
    TRY(secret_new(out, box.n - TAG_SIZE));
    if (crypto_aead_xchacha20poly1305_ietf_decrypt(out->p, NULL, NULL, box.p, box.n, file->header.p,
                                                   file->header.n, file->nonce, key.p) == 0)
        return Q_OK;
    secret_free(out);
    return fail(Q_CRYPTO, "%s: wrong passphrase, or the file was changed", what);
}
