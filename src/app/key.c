// Reading the two keys that the enclave leaves for its application (qos-wire 6.1).
#include "app/key.h"

#include "base/file.h"
#include "base/hex.h"

#include <openssl/crypto.h>
#include <stdlib.h>

#define KEY_FILE_MAX ((size_t)4 * P256_SEED_SIZE) // the hex text and some white space

static enum q_err load(const char *path, struct p256_pair **out)
{
    SECRET_AUTO text = {0}, seed = {0};
    if (!CRYPTO_secure_malloc_initialized())
        return fail(Q_REFUSED, "%s: expected app_start() before keys are read", path);
    TRY(file_read_secret(path, KEY_FILE_MAX, &text));
    TRY(err_context(hex_decode_secret(secret_bytes(&text), P256_SEED_SIZE, &seed), "%s", path));
    return err_context(p256_pair_from_seed(secret_bytes(&seed), out), "%s", path);
}

static enum q_err read_key(const char *path, bool ephemeral, struct app_key **out)
{
    TRY(needs(out, "key"));
    *out = NULL;
    struct app_key *key = calloc(1, sizeof *key);
    if (key == NULL)
        return fail(Q_NOMEM, "%s: no memory for a key", path);
    enum q_err err = load(path, &key->pair);
    key->ephemeral = ephemeral;
    if (err == Q_OK)
        *out = key;
    else
        app_key_free(key);
    return err;
}

enum app_status app_quorum_key_read(const char *path, struct app_key **out)
{
    return status_of(read_key(path != NULL ? path : APP_QUORUM_KEY_PATH, false, out));
}

enum app_status app_ephemeral_key_read(const char *path, struct app_key **out)
{
    return status_of(read_key(path != NULL ? path : APP_EPHEMERAL_KEY_PATH, true, out));
}

void app_key_free(struct app_key *key)
{
    if (key == NULL)
        return;
    p256_pair_free(&key->pair);
    free(key);
}

const uint8_t *app_key_public(const struct app_key *key)
{
    return key != NULL ? p256_pair_public(key->pair)->bytes : NULL;
}
