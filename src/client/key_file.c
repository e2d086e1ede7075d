// Reading keys (see key_file.h).
#include "client/key_file.h"

#include "base/file.h"
#include "base/hex.h"
#include "base/log.h"
#include "client/passphrase.h"
#include "client/protected_file.h"

#define KEY_FILE_MAX 4096

_Static_assert(KEY_FILE_MAX >= PROTECTED_FILE_MAX, "a protected key is a key file");

// What is in a file as it is, or in the box of a protected one.
static enum q_err contents_read(const struct options *o, const char *path, struct secret *out)
{
    SECRET_AUTO file = {0}, passphrase = {0};
    struct protected_file box;
    TRY(file_read_secret(path, KEY_FILE_MAX, &file));
    if (!protected_is(secret_bytes(&file))) {
        if (options_given(o, "passphrase-path"))
            log_warn("--passphrase-path: not needed, %s is not protected", path);
        return secret_copy(out, secret_bytes(&file));
    }
    TRY(protected_parse(secret_bytes(&file), path, &box));
    TRY(passphrase_ask(o, path, &passphrase));
    return protected_open(&box, path, secret_bytes(&passphrase), out);
}

enum q_err seed_file_read_suite(const struct options *o, const char *path, enum p256_suite suite,
                                struct p256_pair **out)
{
    SECRET_AUTO text = {0}, seed = {0};
    TRY(contents_read(o, path, &text));
    TRY(err_context(hex_decode_secret(secret_bytes(&text), P256_SEED_SIZE, &seed),
                    "%s: InvalidMasterSeed", path));
    return err_context(p256_pair_from_seed_suite(suite, secret_bytes(&seed), out), "%s", path);
}

enum q_err seed_file_read(const struct options *o, const char *path, struct p256_pair **out)
{
    return seed_file_read_suite(o, path, P256_SUITE_QOS, out);
}

enum q_err public_key_parse(struct bytes text, const char *path, struct p256_public *out)
{
    BUF_AUTO key = {.limit = KEY_FILE_MAX};
    TRY(err_context(hex_decode(bytes_trim(text), &key), "%s", path));
    return err_context(p256_public_parse(buf_bytes(&key), out), "%s", path);
}

enum q_err public_key_read(const char *path, struct p256_public *out)
{
    BUF_AUTO text = {0};
    TRY(file_read(path, KEY_FILE_MAX, &text));
    return public_key_parse(buf_bytes(&text), path, out);
}
