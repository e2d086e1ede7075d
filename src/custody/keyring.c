// Keys and the one door to them (see keyring.h).
#include "custody/keyring.h"

#include "base/hex.h"
#include "crypto/hkdf.h"

#include <stdlib.h>
#include <string.h>

struct key_entry {
    bool present;
    struct key_description what;
    struct p256_public public;
    struct p256_pair *pair; // NULL: the secret is gone
};

struct keyring {
    struct key_entry entries[KEYRING_SIZE];
};

enum q_err keyring_new(struct keyring **out)
{
    *out = calloc(1, sizeof **out);
    return *out != NULL ? Q_OK : fail(Q_NOMEM, "keyring: no memory");
}

void keyring_free(struct keyring **k)
{
    if (*k == NULL)
        return;
    keyring_clear(*k);
    free(*k);
    *k = NULL;
}

void keyring_clear(struct keyring *k)
{
    for (uint32_t id = 0; id < KEYRING_SIZE; id++)
        keyring_remove(k, id);
}

enum key_suite key_suite_of(const struct p256_public *key)
{
    return p256_public_suite(key) == P256_SUITE_QOS ? SUITE_QOS_P256 : SUITE_RENCLAVE_P256;
}

enum p256_suite key_suite_p256(enum key_suite suite)
{
    return suite == SUITE_RENCLAVE_P256 ? P256_SUITE_RENCLAVE : P256_SUITE_QOS;
}

enum q_err keyring_put(struct keyring *k, const struct key_description *what,
                       struct p256_pair **pair)
{
    if (what->id >= KEYRING_SIZE)
        return fail(Q_INTERNAL, "keyring: expected a key id below %d, got %u", KEYRING_SIZE,
                    what->id);
    if (what->suite != key_suite_of(p256_pair_public(*pair)))
        return fail(Q_INTERNAL, "keyring: key %u: expected a key of suite %d, found another",
                    what->id, (int)what->suite);
    struct key_entry *entry = &k->entries[what->id];
    if (entry->present)
        return fail(Q_INTERNAL, "keyring: key %u is there already", what->id);
    *entry = (struct key_entry){
        .present = true, .what = *what, .public = *p256_pair_public(*pair), .pair = *pair};
    *pair = NULL;
    return Q_OK;
}

enum q_err keyring_generate(struct keyring *k, const struct key_description *what)
{
    P256_PAIR_AUTO *pair = NULL;
    TRY(p256_pair_generate_suite(key_suite_p256(what->suite), &pair));
    return keyring_put(k, what, &pair);
}

void keyring_remove(struct keyring *k, uint32_t id)
{
    if (id >= KEYRING_SIZE)
        return;
    p256_pair_free(&k->entries[id].pair);
    k->entries[id] = (struct key_entry){0};
}

void keyring_forget_secret(struct keyring *k, uint32_t id)
{
    if (id < KEYRING_SIZE)
        p256_pair_free(&k->entries[id].pair);
}

static const struct key_entry *find(const struct keyring *k, uint32_t id)
{
    return id < KEYRING_SIZE && k->entries[id].present ? &k->entries[id] : NULL;
}

const struct key_description *keyring_describe(const struct keyring *k, uint32_t id)
{
    const struct key_entry *entry = find(k, id);
    return entry != NULL ? &entry->what : NULL;
}

const struct p256_public *keyring_public(const struct keyring *k, uint32_t id)
{
    const struct key_entry *entry = find(k, id);
    return entry != NULL ? &entry->public : NULL;
}

static enum q_err sign(const struct p256_pair *pair, struct bytes in, struct secret *out)
{
    uint8_t signature[P256_SIGNATURE_SIZE];
    TRY(p256_sign(pair, in, signature));
    return secret_copy(out, BYTES_OF(signature));
}

static enum q_err seal(const struct p256_pair *pair, struct bytes in, struct secret *out)
{
    BUF_AUTO envelope = {.wipe = true};
    TRY(p256_seal(p256_pair_public(pair), in, &envelope));
    return secret_copy(out, buf_bytes(&envelope));
}

static enum q_err derive(const struct p256_pair *pair, struct bytes in, struct secret *out)
{
    TRY(secret_new(out, KEY_DERIVED_SIZE));
    enum q_err err =
        hkdf_sha512(p256_pair_seed(pair), BYTES_LIT(KEY_DERIVE_DOMAIN), in, out->p, out->n);
    if (err != Q_OK)
        secret_free(out);
    return err_context(err, "derive");
}

static enum q_err export_seed(const struct p256_pair *pair, struct bytes in, struct secret *out)
{
    struct p256_public to;
    BUF_AUTO envelope = {.wipe = true};
    TRY(p256_public_parse(in, &to));
    TRY(p256_seal(&to, p256_pair_seed(pair), &envelope));
    return secret_copy(out, buf_bytes(&envelope));
}

static const char *use_name(enum key_use use)
{
    switch (use) {
    case USE_SIGN:
        return "sign";
    case USE_OPEN:
        return "open";
    case USE_SEAL:
        return "seal";
    case USE_DERIVE:
        return "derive";
    case USE_RELEASE:
        return "release";
    case USE_EXPORT:
        return "export";
    }
    return "unknown";
}

// What any use begins with: the key is there, may be used so, and has its secret.
static enum q_err admit(const struct keyring *k, uint32_t id, enum key_use use,
                        const struct key_entry **out)
{
    const struct key_entry *entry = find(k, id);
    if (entry == NULL)
        return fail(Q_MISSING, "keyring: there is no key %u", id);
    if ((entry->what.uses & (unsigned)use) == 0)
        return fail(Q_REFUSED, "keyring: key %u may not be used to %s", id, use_name(use));
    if (entry->pair == NULL)
        return fail(Q_MISSING, "keyring: the secret of key %u is gone", id);
    *out = entry;
    return Q_OK;
}

enum q_err custody_use(const struct keyring *k, uint32_t id, enum key_use use, struct bytes in,
                       struct secret *out)
{
    const struct key_entry *entry;
    *out = (struct secret){NULL, 0};
    TRY(admit(k, id, use, &entry));
    switch (use) {
    case USE_SIGN:
        return sign(entry->pair, in, out);
    case USE_OPEN:
        return p256_open(entry->pair, in, out);
    case USE_SEAL:
        return seal(entry->pair, in, out);
    case USE_DERIVE:
        return derive(entry->pair, in, out);
    case USE_RELEASE:
        return hex_encode_secret(p256_pair_seed(entry->pair), out);
    case USE_EXPORT:
        return export_seed(entry->pair, in, out);
    }
    return fail(Q_INTERNAL, "keyring: use %d is not known", (int)use);
}

static struct p256_binding binding_of(const struct key_entry *entry, struct bytes purpose)
{
    return (struct p256_binding){.long_lengths = entry->what.suite == SUITE_RENCLAVE_P256,
                                 .purpose = purpose};
}

enum q_err custody_seal_for(const struct keyring *k, uint32_t id, struct bytes purpose,
                            struct bytes in, struct buf *envelope)
{
    const struct key_entry *entry;
    TRY(admit(k, id, USE_SEAL, &entry));
    return p256_seal_bound(&entry->public, binding_of(entry, purpose), in, envelope);
}

static enum q_err seal_for(const struct keyring *k, uint32_t id, struct bytes purpose,
                           struct bytes in, struct secret *out)
{
    BUF_AUTO envelope = {.wipe = true};
    TRY(custody_seal_for(k, id, purpose, in, &envelope));
    return secret_copy(out, buf_bytes(&envelope));
}

enum q_err custody_use_for(const struct keyring *k, uint32_t id, enum key_use use,
                           struct bytes purpose, struct bytes in, struct secret *out)
{
    const struct key_entry *entry;
    *out = (struct secret){NULL, 0};
    if (use == USE_SEAL)
        return seal_for(k, id, purpose, in, out);
    TRY(admit(k, id, use, &entry));
    if (use == USE_OPEN)
        return p256_open_bound(entry->pair, binding_of(entry, purpose), in, out);
    return fail(Q_INTERNAL, "keyring: use %d has no purposes", (int)use);
}
