// Member keys over the places they lie in (see member_key.h), and the place that is a file.
#include "client/member_key.h"

#include "base/log.h"
#include "client/key_file.h"
#include "client/token/token_key.h"

#include <stdlib.h>
#include <string.h>

struct member_key {
    const struct member_key_ops *ops;
    struct p256_public public;
    void *held;
};

enum q_err member_key_new(const struct member_key_ops *ops, const struct p256_public *public,
                          void *held, struct member_key **out)
{
    struct member_key *k = calloc(1, sizeof *k);
    if (k == NULL) {
        ops->release(held);
        return fail(Q_NOMEM, "member key: no memory");
    }
    *k = (struct member_key){.ops = ops, .public = *public, .held = held};
    *out = k;
    return Q_OK;
}

void member_key_free(struct member_key **k)
{
    if (*k == NULL)
        return;
    (*k)->ops->release((*k)->held);
    free(*k);
    *k = NULL;
}

const struct p256_public *member_key_public(const struct member_key *k)
{
    return &k->public;
}

enum q_err member_key_sign(const struct member_key *k, struct bytes message,
                           uint8_t signature[static P256_SIGNATURE_SIZE])
{
    uint8_t made[P256_SIGNATURE_SIZE] = {0};
    TRY(k->ops->sign(k->held, message, made));
    TRY(p256_verify(&k->public, message, BYTES_OF(made)));
    memcpy(signature, made, sizeof made);
    return Q_OK;
}

enum q_err member_key_open(const struct member_key *k, struct bytes envelope, struct secret *out)
{
    return k->ops->open(k->held, envelope, out);
}

static enum q_err pair_sign(void *held, struct bytes message,
                            uint8_t signature[static P256_SIGNATURE_SIZE])
{
    return p256_sign(held, message, signature);
}

static enum q_err pair_open(void *held, struct bytes envelope, struct secret *out)
{
    return p256_open(held, envelope, out);
}

static void pair_release(void *held)
{
    struct p256_pair *pair = held;
    p256_pair_free(&pair);
}

static const struct member_key_ops pair_ops = {pair_sign, pair_open, pair_release};

enum q_err member_key_from_pair(struct p256_pair **pair, struct member_key **out)
{
    struct p256_pair *taken = *pair;
    *pair = NULL;
    return member_key_new(&pair_ops, p256_pair_public(taken), taken, out);
}

static enum q_err from_file(const struct options *o, const char *path, struct member_key **out)
{
    P256_PAIR_AUTO *pair = NULL;
    if (options_given(o, "current-pin-path"))
        log_warn("--current-pin-path: not needed, --secret-path is no token");
    TRY(seed_file_read(o, path, &pair));
    return member_key_from_pair(&pair, out);
}

enum q_err member_key_read(const struct options *o, struct member_key **out)
{
    struct token_wanted wanted;
    const char *path = options_value(o, "secret-path");
    if (path != NULL)
        return from_file(o, path, out);
    if (options_given(o, "yubikey"))
        TRY(token_wanted_yubikey(o, &wanted));
    else if (options_given(o, "pkcs11-module"))
        TRY(token_wanted_read(o, &wanted));
    else
        return fail(Q_BAD_INPUT, "Need either yubikey flag or secret path (or --pkcs11-module)");
    return token_key_open(&wanted, out);
}
