// Keys and their replay windows, and who may do what (see api_auth.h).
#include "enclave/instance/api_auth.h"

#include "base/file.h"
#include "crypto/hash.h"
#include "enclave/instance/api.h"
#include "enclave/instance/api_credentials.h"
#include "enclave/instance/api_replay.h"

#include <stdlib.h>
#include <string.h>

#define KEY_FILE_MAX ((size_t)64 << 10)
#define TOKEN_MIN 16
#define KEYS_MAX ((size_t)3 * API_ROLE_KEYS_MAX) // two files and a manifest

struct known_key {
    struct p256_public key;
    unsigned from_start, from_manifest; // of enum api_role, or-ed
    struct api_replay seen;
};

struct api_auth {
    struct known_key keys[KEYS_MAX];
    size_t n;
    unsigned given_at_start, given_in_manifest; // roles that have a key, or were to have one
    bool manifest_read;
    uint8_t manifest_hash[SHA256_SIZE]; // that was read
    bool has_token;
    uint8_t token_hash[SHA256_SIZE];
};

// By what it signs with alone: a request signs no key, so that one key in two forms is one, with one window.
static struct known_key *find(struct api_auth *a, const struct p256_public *key)
{
    for (size_t i = 0; i < a->n; i++)
        if (bytes_equal(p256_public_signing(&a->keys[i].key), p256_public_signing(key)))
            return &a->keys[i];
    return NULL;
}

static struct known_key *find_or_add(struct api_auth *a, const struct p256_public *key)
{
    struct known_key *k = find(a, key);
    if (k != NULL || a->n == KEYS_MAX)
        return k;
    k = &a->keys[a->n++];
    *k = (struct known_key){.key = *key};
    return k;
}

// One line of a key file; empty ones are passed over.
static enum q_err take_line(struct api_auth *a, struct bytes line, unsigned role, size_t *count)
{
    struct p256_public key;
    line = bytes_trim(line);
    if (line.n == 0)
        return Q_OK;
    if (++*count > API_ROLE_KEYS_MAX)
        return fail(Q_LIMIT, "expected at most %d keys", API_ROLE_KEYS_MAX);
    TRY(api_key_read(line, &key));
    struct known_key *k = find_or_add(a, &key);
    if (k == NULL)
        return fail(Q_INTERNAL, "no room for a key");
    k->from_start |= role;
    return Q_OK;
}

static enum q_err read_keys(struct api_auth *a, const char *path, unsigned role)
{
    BUF_AUTO text = {0};
    size_t count = 0, number = 1;
    if (path == NULL)
        return Q_OK;
    TRY(file_read(path, KEY_FILE_MAX, &text));
    struct bytes left = buf_bytes(&text);
    for (; left.n > 0; number++) {
        const uint8_t *end = memchr(left.p, '\n', left.n);
        size_t n = end != NULL ? (size_t)(end - left.p) : left.n;
        TRY(err_context(take_line(a, bytes_of(left.p, n), role, &count), "%s: line %zu", path,
                        number));
        n += end != NULL;
        left = bytes_of(left.p + n, left.n - n);
    }
    if (count == 0)
        return fail(Q_BAD_INPUT, "%s: expected a public key, found none", path);
    a->given_at_start |= role;
    return Q_OK;
}

static enum q_err read_token(struct api_auth *a, const char *path, bool simulated)
{
    SECRET_AUTO text = {0};
    if (path == NULL)
        return Q_OK;
    if (!simulated)
        return fail(Q_REFUSED, "--bearer-token: expected a simulated TEE, found another: whoever "
                               "sees the token can use it; give --client-key");
    TRY(file_read_secret(path, API_TOKEN_MAX + 2, &text));
    struct bytes token = bytes_trim(secret_bytes(&text));
    if (token.n < TOKEN_MIN || token.n > API_TOKEN_MAX)
        return fail(Q_BAD_INPUT, "%s: expected a token of %d to %d characters, found %zu", path,
                    TOKEN_MIN, API_TOKEN_MAX, token.n);
    if (!api_token_can_be_sent(token)) // it would be one that nobody can show
        return fail(Q_BAD_INPUT,
                    "%s: expected a token of printable ASCII without spaces, quotes and commas",
                    path);
    a->has_token = true;
    return sha256(token, a->token_hash);
}

enum q_err api_auth_open(const struct api_auth_files *files, bool simulated, struct api_auth **out)
{
    struct api_auth *a = calloc(1, sizeof *a);
    if (a == NULL)
        return fail(Q_NOMEM, "API: no memory for its keys");
    enum q_err err = err_context(read_keys(a, files->client_keys, API_ROLE_CLIENT), "--client-key");
    if (err == Q_OK)
        err = err_context(read_keys(a, files->admin_keys, API_ROLE_ADMIN), "--admin-key");
    if (err == Q_OK)
        err = read_token(a, files->bearer_token, simulated);
    if (err == Q_OK)
        *out = a;
    else
        api_auth_free(&a);
    return err;
}

void api_auth_free(struct api_auth **a)
{
    if (*a == NULL)
        return;
    wipe((*a)->token_hash, sizeof(*a)->token_hash);
    free(*a);
    *a = NULL;
}

// Keys of the start stand in front of those of a manifest.
static void forget_manifest(struct api_auth *a)
{
    size_t n = 0;
    while (n < a->n && a->keys[n].from_start != 0)
        a->keys[n++].from_manifest = 0;
    a->n = n;
    a->given_in_manifest = 0;
    a->manifest_read = false;
}

void api_auth_forget(struct api_auth *a)
{
    forget_manifest(a);
    for (size_t i = 0; i < a->n; i++)
        a->keys[i].seen = (struct api_replay){0};
}

// The role that an argument gives to the key in *hex; 0: it is another argument.
static unsigned role_of_argument(struct bytes argument, struct bytes *hex)
{
    struct bytes client = BYTES_LIT("client-key="), admin = BYTES_LIT("admin-key=");
    bool is_client = bytes_begin_with(argument, client);
    size_t prefix = is_client ? client.n : admin.n;
    if (!is_client && !bytes_begin_with(argument, admin))
        return 0;
    *hex = bytes_of(argument.p + prefix, argument.n - prefix);
    return is_client ? API_ROLE_CLIENT : API_ROLE_ADMIN;
}

enum q_err api_auth_check_pivot(const struct pivot_config *pivot)
{
    size_t count = 0;
    for (size_t i = 0; i < pivot->args.n; i++) {
        struct bytes hex;
        struct p256_public key;
        unsigned role = role_of_argument(pivot->args.items[i], &hex);
        if (role == 0)
            continue;
        if (++count > API_ROLE_KEYS_MAX)
            return fail(Q_BAD_INPUT, "pivot args: expected at most %d keys", API_ROLE_KEYS_MAX);
        TRY(err_context(api_key_read(hex, &key), "pivot args: %zu: %s", i + 1,
                        role == API_ROLE_CLIENT ? "client-key" : "admin-key"));
    }
    return Q_OK;
}

// A manifest that came by another way may hold malformed keys: then the role has a key that nobody has.
static void read_manifest(struct api_auth *a, const struct booted *b)
{
    if (a->manifest_read && memcmp(a->manifest_hash, b->manifest_hash, SHA256_SIZE) == 0)
        return;
    forget_manifest(a);
    const struct pivot_config *pivot = &b->envelope.manifest.pivot;
    for (size_t i = 0; i < pivot->args.n; i++) {
        struct bytes hex;
        struct p256_public key;
        unsigned role = role_of_argument(pivot->args.items[i], &hex);
        a->given_in_manifest |= role;
        if (role == 0 || api_key_read(hex, &key) != Q_OK)
            continue;
        struct known_key *k = find_or_add(a, &key);
        if (k != NULL)
            k->from_manifest |= role;
    }
    memcpy(a->manifest_hash, b->manifest_hash, SHA256_SIZE);
    a->manifest_read = true;
}

// Who may do what: anybody, whoever has the role when somebody has it, or whoever has it in any case.
static const struct permission {
    unsigned role; // 0: anybody
    bool always;
} permissions[API_OPERATION_COUNT] = {
    [API_GENERATE_SEED] = {API_ROLE_CLIENT, false},
    [API_VALIDATE_SEED] = {API_ROLE_CLIENT, false},
    [API_DERIVE_KEY] = {API_ROLE_CLIENT, false},
    [API_DERIVE_ADDRESS] = {API_ROLE_CLIENT, false},
    [API_ENCRYPT_DATA] = {API_ROLE_CLIENT, false},
    [API_DECRYPT_DATA] = {API_ROLE_CLIENT, false},
    [API_SIGN_TRANSACTION] = {API_ROLE_CLIENT, false},
    [API_SIGN_MESSAGE] = {API_ROLE_CLIENT, false},
    [API_STORE_DATA] = {API_ROLE_CLIENT, false},
    [API_GET_DATA] = {API_ROLE_CLIENT, false},
    [API_GENESIS_BOOT] = {API_ROLE_ADMIN, false},
    [API_INJECT_SHARES] = {API_ROLE_ADMIN, false},
    [API_SHARE_MANIFEST] = {API_ROLE_ADMIN, false},
    [API_BOOT_KEY_FORWARD] = {API_ROLE_ADMIN, false},
    [API_EXPORT_KEY] = {API_ROLE_ADMIN, false},
    [API_INJECT_KEY] = {API_ROLE_ADMIN, false},
    [API_RESET] = {API_ROLE_ADMIN, true},
};

bool api_auth_has_key(struct enclave *e, enum api_role role)
{
    if (e->booted != NULL)
        read_manifest(e->auth, e->booted);
    return ((e->auth->given_at_start | e->auth->given_in_manifest) & (unsigned)role) != 0;
}

static const char *key_word(unsigned role)
{
    return role == API_ROLE_CLIENT ? "client" : "admin";
}

// A request that says nothing of who sends it.
static enum q_err admit_anybody(struct enclave *e, struct api_call *c, struct permission p)
{
    bool by_token = p.role == API_ROLE_CLIENT && e->auth->has_token;
    if (api_auth_has_key(e, (enum api_role)p.role) || by_token)
        return api_refuse(c, 401, "authorization: expected %s, found none",
                          by_token                    ? "a bearer token or a client key's signature"
                          : p.role == API_ROLE_CLIENT ? "a client key's signature"
                                                      : "an admin key's signature");
    bool refused = p.always || (p.role == API_ROLE_CLIENT && !tee_relaxed(e->tee));
    if (refused)
        return api_refuse(c, 403,
                          "no %s key is configured, without which this is off: start qos_core "
                          "with --%s-key FILE, or put \"%s-key=<hex>\" among the pivot's "
                          "arguments in the manifest",
                          key_word(p.role), key_word(p.role), key_word(p.role));
    if (p.role == API_ROLE_CLIENT)
        api_add(c, "warning",
                "no client key is configured: whoever reaches this enclave can use its keys");
    return Q_OK;
}

static enum q_err admit_bearer(const struct enclave *e, struct api_call *c, struct permission p,
                               const struct api_credentials *given)
{
    uint8_t hash[SHA256_SIZE];
    if (p.role != API_ROLE_CLIENT || !tee_relaxed(e->tee))
        return api_refuse(c, 401,
                          "authorization: expected %s key's signature, found a bearer token",
                          p.role == API_ROLE_CLIENT ? "a client" : "an admin");
    TRY(sha256(given->token, hash));
    bool same = secret_equal(BYTES_OF(hash), BYTES_OF(e->auth->token_hash));
    wipe(hash, sizeof hash);
    if (!e->auth->has_token || !same)
        return api_refuse(c, 401,
                          "authorization: the bearer token is not the one of --bearer-token");
    c->caller.kind = API_CALLER_BEARER;
    return Q_OK;
}

static enum q_err admit_signed(struct enclave *e, struct api_call *c, struct permission p,
                               const struct api_credentials *given)
{
    BUF_AUTO text = {0};
    if (e->booted != NULL)
        read_manifest(e->auth, e->booted);
    struct known_key *k = find(e->auth, &given->key);
    // The key that a manifest will name signs what brings that manifest here, too: where anybody may, so may it.
    bool anybody = p.role == API_ROLE_ADMIN && !api_auth_has_key(e, API_ROLE_ADMIN);
    if (k == NULL && !anybody)
        return api_refuse(c, 401, "authorization: the key is none of those configured");
    TRY(api_signed_text(c->request, e->id, given->nonce_text, given->reply_key_text, &text));
    if (p256_verify(&given->key, buf_bytes(&text), BYTES_OF(given->signature)) != Q_OK)
        return api_refuse(c, 401,
                          "authorization: the signature is not the key's over this request "
                          "to this enclave");
    if (k == NULL)
        return admit_anybody(e, c, p);
    if (((k->from_start | k->from_manifest) & p.role) == 0)
        return api_refuse(c, 403, "authorization: expected a key with the role %s, found another",
                          key_word(p.role));
    if (!api_replay_take(&k->seen, given->nonce))
        return api_refuse(c, 401,
                          "authorization: expected a new nonce, found one that was used or "
                          "is more than %d below the highest",
                          API_REPLAY_WINDOW);
    c->caller = (struct api_caller){.kind = p.role == API_ROLE_CLIENT ? API_CALLER_CLIENT
                                                                      : API_CALLER_ADMIN,
                                    .key = given->key,
                                    .has_reply_key = given->reply_key_text.n > 0,
                                    .reply_key = given->reply_key};
    return sha256(buf_bytes(&text), c->caller.signed_hash);
}

enum q_err api_authorise(struct enclave *e, struct api_call *c)
{
    struct permission p = permissions[c->operation];
    struct api_credentials given;
    if (p.role == 0)
        return Q_OK;
    if (c->request->authorization.n == 0)
        return admit_anybody(e, c, p);
    c->status = 401; // whatever is wrong with it
    TRY(api_credentials_read(c->request->authorization, &given));
    TRY(given.scheme == API_SCHEME_BEARER ? admit_bearer(e, c, p, &given)
                                          : admit_signed(e, c, p, &given));
    c->status = 0;
    return Q_OK;
}
