// What an answer of the REST API looks like (renclave 1.1, 3.6): JSON of a described value, plaintext sealed to whoever
// asked for it, and every failure in one shape.
#include "enclave/instance/api_answer.h"

#include "base/log.h"
#include "codec/json.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum q_err api_answer(struct api_call *c, const struct type *type, const void *value)
{
    buf_clear(c->reply);
    TRY(json_encode(type, value, JSON_PLAIN, c->reply));
    c->status = 200;
    return Q_OK;
}

static enum q_err seal_answer(struct api_call *c, const struct type *type, const void *value)
{
    BUF_AUTO plain = {.wipe = true};
    BUF_AUTO sealed = {0};
    TRY(json_encode(type, value, JSON_PLAIN, &plain));
    TRY(p256_seal(&c->caller.reply_key, buf_bytes(&plain), &sealed));
    const struct api_sealed_reply reply = {.sealed = buf_bytes(&sealed)};
    return api_answer(c, &type_api_sealed_reply, &reply);
}

static bool is_signed(const struct api_call *c)
{
    return c->caller.kind == API_CALLER_CLIENT || c->caller.kind == API_CALLER_ADMIN;
}

enum q_err api_answer_plaintext(const struct enclave *e, struct api_call *c,
                                const struct type *type, const void *value)
{
    if (c->caller.has_reply_key)
        return seal_answer(c, type, value);
    if (is_signed(c))
        return api_refuse(c, 400,
                          "authorization: this answer holds plaintext: expected a "
                          "reply-key to seal it to, found none");
    if (!tee_relaxed(e->tee))
        return api_refuse(c, 403,
                          "this answer holds plaintext: expected a signed request with a "
                          "reply-key");
    return api_answer(c, type, value);
}

enum q_err api_answer_result(struct api_call *c, const char *variant, const struct type *type,
                             const void *value)
{
    buf_clear(c->reply);
    TRY(buf_append_str(c->reply, "{\"id\":"));
    TRY(json_encode(&type_text, &c->request_id, JSON_PLAIN, c->reply));
    TRY(buf_printf(c->reply, ",\"result\":{\"%s\":", variant));
    TRY(json_encode(type, value, JSON_PLAIN, c->reply));
    TRY(buf_append_str(c->reply, "}}"));
    c->status = 200;
    return Q_OK;
}

void api_add(struct api_call *c, const char *name, const char *text)
{
    size_t i = 0;
    while (i < c->added_n && strcmp(c->added[i].name, name) != 0)
        i++;
    if (i == API_ADDED_MAX)
        return;
    c->added[i].name = name;
    c->added[i].text = text;
    if (i == c->added_n)
        c->added_n++;
}

enum q_err api_answer_finish(struct api_call *c)
{
    if (c->reply->n < 2 || c->reply->p[c->reply->n - 1] != '}')
        return fail(Q_INTERNAL, "API: an answer that is no object");
    for (size_t i = 0; i < c->added_n; i++) {
        struct bytes text = bytes_str(c->added[i].text);
        c->reply->n--; // the brace
        const char *comma = c->reply->p[c->reply->n - 1] == '{' ? "" : ",";
        TRY(buf_printf(c->reply, "%s\"%s\":", comma, c->added[i].name));
        TRY(json_encode(&type_text, &text, JSON_PLAIN, c->reply));
        TRY(buf_u8(c->reply, '}'));
    }
    return Q_OK;
}

enum q_err api_answer_sign(const struct enclave *e, struct api_call *c)
{
    BUF_AUTO text = {0};
    SECRET_AUTO signature = {0};
    if (!is_signed(c) || ((unsigned)e->birth & BIRTH_INSTANCE) == 0 ||
        keyring_describe(e->keyring, KEY_QUORUM) == NULL)
        return Q_OK;
    TRY(api_answer_message(c->caller.signed_hash, c->status, buf_bytes(c->reply), &text));
    TRY(custody_use(e->keyring, KEY_QUORUM, USE_SIGN, buf_bytes(&text), &signature));
    return api_answer_attach(secret_bytes(&signature), c->reply);
}

enum q_err api_refuse(struct api_call *c, unsigned status, const char *format, ...)
{
    char sentence[512];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(sentence, sizeof sentence, format, arguments);
    va_end(arguments);
    c->status = status;
    return fail(Q_REFUSED, "%s", sentence);
}

// What the original says an operation cannot do without the key.
static const char *const unprovisioned[API_OPERATION_COUNT] = {
    [API_GENERATE_SEED] = "generate seed",
    [API_VALIDATE_SEED] = "validate seed",
    [API_DERIVE_KEY] = "derive key",
    [API_DERIVE_ADDRESS] = "derive address",
    [API_ENCRYPT_DATA] = "encrypt data",
    [API_DECRYPT_DATA] = "decrypt data",
    [API_SIGN_TRANSACTION] = "sign transaction",
    [API_SIGN_MESSAGE] = "sign message",
    [API_STORE_DATA] = "store data",
    [API_GET_DATA] = "get data",
    [API_EXPORT_KEY] = "export key",
};

bool api_needs_key(enum api_operation operation)
{
    return unprovisioned[operation] != NULL;
}

enum q_err api_refuse_unprovisioned(struct api_call *c)
{
    const char *what = unprovisioned[c->operation];
    return api_refuse(c, 503,
                      "Cannot %s: Quorum key not provisioned. Please complete Genesis Boot and "
                      "Share Injection first.",
                      what != NULL ? what : "do this");
}

unsigned api_status_of(enum q_err err)
{
    bool theirs = err == Q_BAD_INPUT || err == Q_REFUSED || err == Q_ATTESTATION ||
                  err == Q_CRYPTO || err == Q_LIMIT || err == Q_UNSUPPORTED;
    return theirs ? 400 : 500;
}

static bool is_tee_to_tee(enum api_operation o)
{
    return o == API_BOOT_KEY_FORWARD || o == API_EXPORT_KEY || o == API_INJECT_KEY ||
           o == API_GENERATE_ATTESTATION || o == API_SHARE_MANIFEST;
}

// What the five TEE-to-TEE routes say beside the usual members, for readers of the original's answers.
static enum q_err add_result(struct api_call *c, struct bytes text)
{
    c->reply->n--; // the brace
    TRY(buf_append_str(c->reply, ",\"id\":"));
    TRY(json_encode(&type_text, &c->request_id, JSON_PLAIN, c->reply));
    TRY(buf_append_str(c->reply, ",\"result\":{\"Error\":{\"message\":"));
    TRY(json_encode(&type_text, &text, JSON_PLAIN, c->reply));
    return buf_printf(c->reply, ",\"code\":%u}}}", c->status);
}

enum q_err api_answer_error(struct api_call *c, bool route_known, enum q_err err)
{
    if (c->status < 400)
        c->status = api_status_of(err);
    struct bytes text;
    TRY(arena_copy(c->arena, bytes_str(err_text()), &text));
    log_warn("refused: %s", err_text());
    const struct api_error error = {.error = text, .code = c->status, .request_id = c->request_id};
    buf_clear(c->reply);
    TRY(json_encode(&type_api_error, &error, JSON_PLAIN, c->reply));
    return route_known && is_tee_to_tee(c->operation) ? add_result(c, text) : Q_OK;
}
