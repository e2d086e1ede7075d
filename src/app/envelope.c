// Envelopes to a public key (qos-wire 1.4) and under a pair's own key (1.5), into memory of the
// caller.
#include "app/key.h"

#include <string.h>

static enum q_err check_room(const char *what, size_t wanted, size_t room)
{
    if (room >= wanted)
        return Q_OK;
    return fail(Q_BAD_INPUT, "%s: expected room for %zu bytes, found %zu", what, wanted, room);
}

// What sealing and opening check before: the output has room for the size that follows from the
// input's.
static enum q_err check_seal(size_t size, size_t overhead, const void *envelope, size_t room)
{
    TRY(needs(envelope, "envelope"));
    if (size > SIZE_MAX - overhead)
        return fail(Q_LIMIT, "plaintext: expected fewer bytes, found %zu", size);
    return check_room("envelope", size + overhead, room);
}

static enum q_err check_open(size_t size, size_t overhead, const void *plaintext, size_t room)
{
    if (size < overhead)
        return fail(Q_CRYPTO, "envelope: expected at least %zu bytes, found %zu", overhead, size);
    if (size > overhead)
        TRY(needs(plaintext, "plaintext"));
    return check_room("plaintext", size - overhead, room);
}

static void hand_out(struct bytes from, void *to)
{
    if (from.n > 0)
        memcpy(to, from.p, from.n);
}

static enum q_err seal(const uint8_t *public_key, const void *plaintext, size_t size,
                       void *envelope, size_t room)
{
    struct bytes view;
    struct p256_public to;
    BUF_AUTO sealed = {0};
    TRY(public_of(public_key, &to));
    TRY(view_of(plaintext, size, "plaintext", &view));
    TRY(check_seal(size, APP_ENVELOPE_OVERHEAD, envelope, room));
    TRY(p256_seal(&to, view, &sealed));
    hand_out(buf_bytes(&sealed), envelope);
    return Q_OK;
}

static enum q_err seal_symmetric(const struct app_key *key, const void *plaintext, size_t size,
                                 void *envelope, size_t room)
{
    struct bytes view;
    BUF_AUTO sealed = {0};
    TRY(needs(key, "key"));
    TRY(view_of(plaintext, size, "plaintext", &view));
    TRY(check_seal(size, APP_SYMMETRIC_OVERHEAD, envelope, room));
    TRY(p256_seal_symmetric(key->pair, view, &sealed));
    hand_out(buf_bytes(&sealed), envelope);
    return Q_OK;
}

struct envelope_kind {
    size_t overhead;
    enum q_err (*open)(const struct p256_pair *pair, struct bytes envelope, struct secret *out);
};
static const struct envelope_kind asymmetric = {APP_ENVELOPE_OVERHEAD, p256_open};
static const struct envelope_kind symmetric = {APP_SYMMETRIC_OVERHEAD, p256_open_symmetric};

static enum q_err open_as(const struct envelope_kind *kind, const struct app_key *key,
                          const void *envelope, size_t size, void *plaintext, size_t room)
{
    struct bytes view;
    SECRET_AUTO opened = {0};
    TRY(needs(key, "key"));
    TRY(view_of(envelope, size, "envelope", &view));
    TRY(check_open(size, kind->overhead, plaintext, room));
    TRY(kind->open(key->pair, view, &opened));
    hand_out(secret_bytes(&opened), plaintext);
    return Q_OK;
}

enum app_status app_seal(const uint8_t public_key[APP_PUBLIC_KEY_SIZE], const void *plaintext,
                         size_t size, void *envelope, size_t room)
{
    return status_of(seal(public_key, plaintext, size, envelope, room));
}

enum app_status app_open(const struct app_key *key, const void *envelope, size_t size,
                         void *plaintext, size_t room)
{
    return status_of(open_as(&asymmetric, key, envelope, size, plaintext, room));
}

enum app_status app_seal_symmetric(const struct app_key *key, const void *plaintext, size_t size,
                                   void *envelope, size_t room)
{
    return status_of(seal_symmetric(key, plaintext, size, envelope, room));
}

enum app_status app_open_symmetric(const struct app_key *key, const void *envelope, size_t size,
                                   void *plaintext, size_t room)
{
    return status_of(open_as(&symmetric, key, envelope, size, plaintext, room));
}
