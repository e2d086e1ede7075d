// From a request of the REST API to its answer (renclave 1.1, 1.2, 3.6): find the operation, decode the body as it is
// described, ask the phase table, handle, and say every failure in one shape.
#include "enclave/api.h"

#include "base/log.h"
#include "base/text.h"
#include "codec/json.h"
#include "enclave/handlers.h"

#include <stdarg.h>
#include <stdio.h>

static const struct operation {
    const char *method, *path;
    enum api_operation operation;
    const struct type *body; // NULL: bodies are not looked at
} operations[] = {
    {"GET", "/enclave/info", API_ENCLAVE_INFO, NULL},
    {"POST", "/generate-seed", API_GENERATE_SEED, &type_api_generate_seed_request},
    {"POST", "/validate-seed", API_VALIDATE_SEED, &type_api_validate_seed_request},
    {"POST", "/derive-key", API_DERIVE_KEY, &type_api_derive_request},
    {"POST", "/derive-address", API_DERIVE_ADDRESS, &type_api_derive_request},
    {"POST", "/enclave/genesis-boot", API_GENESIS_BOOT, &type_api_genesis_request},
    {"POST", "/enclave/inject-shares", API_INJECT_SHARES, &type_api_inject_request},
    {"POST", "/enclave/encrypt-data", API_ENCRYPT_DATA, &type_api_encrypt_request},
    {"POST", "/enclave/decrypt-data", API_DECRYPT_DATA, &type_api_decrypt_request},
    {"POST", "/enclave/sign-transaction", API_SIGN_TRANSACTION, &type_api_sign_transaction_request},
    {"POST", "/enclave/sign-message", API_SIGN_MESSAGE, &type_api_sign_message_request},
    {"GET", "/enclave/application-status", API_APPLICATION_STATUS, NULL},
    {"POST", "/enclave/store-data", API_STORE_DATA, &type_api_store_request},
    {"GET", "/enclave/get-data", API_GET_DATA, NULL},
    {"POST", "/enclave/reset", API_RESET, NULL},
    {"POST", "/enclave/boot-key-forward", API_BOOT_KEY_FORWARD, &type_api_boot_key_forward_request},
    {"POST", "/enclave/export-key", API_EXPORT_KEY, &type_api_export_request},
    {"POST", "/enclave/inject-key", API_INJECT_KEY, &type_api_inject_key_request},
    {"POST", "/enclave/generate-attestation", API_GENERATE_ATTESTATION,
     &type_api_attestation_request},
    {"POST", "/enclave/share-manifest", API_SHARE_MANIFEST, &type_api_share_manifest_request},
    {"GET", "/enclave/generate-attestation", API_ATTESTATION_STATE, NULL},
    {"GET", "/enclave/share-manifest", API_MANIFEST_STATE, NULL},
};
#define OPERATIONS (sizeof operations / sizeof *operations)
_Static_assert(OPERATIONS == API_OPERATION_COUNT, "one row an operation");

enum q_err api_answer(struct api_call *c, const struct type *type, const void *value)
{
    buf_clear(c->reply);
    c->status = 200;
    return json_encode(type, value, JSON_PLAIN, c->reply);
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

unsigned api_status_of(enum q_err err)
{
    bool theirs = err == Q_BAD_INPUT || err == Q_REFUSED || err == Q_ATTESTATION ||
                  err == Q_CRYPTO || err == Q_LIMIT || err == Q_UNSUPPORTED;
    return theirs ? 400 : 500;
}

static enum q_err find_operation(struct api_call *c, const struct operation **out)
{
    bool path_known = false;
    for (size_t i = 0; i < OPERATIONS; i++) {
        if (!bytes_equal(c->request->path, bytes_str(operations[i].path)))
            continue;
        path_known = true;
        if (bytes_equal(c->request->method, bytes_str(operations[i].method))) {
            *out = &operations[i];
            c->operation = operations[i].operation;
            return Q_OK;
        }
    }
    return path_known ? api_refuse(c, 405, "method: not one of this path")
                      : api_refuse(c, 404, "path: not known");
}

// 400 for what is no JSON, 422 for JSON of another shape (renclave 1.1).
static enum q_err decode(struct api_call *c, const struct operation *o)
{
    struct json_t *tree;
    void *body;
    if (o->body == NULL)
        return Q_OK;
    TRY(json_parse_up_to(c->request->body, API_MAX_VALUES, &tree));
    enum q_err err = arena_alloc(c->arena, o->body->size, &body);
    if (err == Q_OK) {
        c->status = 422;
        err = json_read(o->body, tree, c->arena, body);
    }
    json_tree_free(tree);
    TRY(err);
    c->status = 0;
    c->body = body;
    return Q_OK;
}

static enum q_err handle(struct enclave *e, struct api_call *c)
{
    const struct operation *o;
    TRY(find_operation(c, &o));
    TRY(decode(c, o));
    api_handler h = api_route_find(e->phase, e->birth, c->operation);
    if (h == NULL)
        return api_refuse(c, 409, "%s: not taken in phase %s", o->path, phase_name(e->phase));
    return h(e, c);
}

static enum q_err answer_error(struct api_call *c, enum q_err err)
{
    if (c->status < 400)
        c->status = api_status_of(err);
    struct bytes text;
    TRY(arena_copy(c->arena, bytes_str(err_text()), &text));
    log_warn("refused: %s", err_text());
    const struct api_error error = {
        .error = text, .code = c->status, .request_id = c->request->request_id};
    buf_clear(c->reply);
    return json_encode(&type_api_error, &error, JSON_PLAIN, c->reply);
}

enum q_err handle_api(struct enclave *e, struct exchange *x)
{
    BUF_AUTO body = {.wipe = true};
    struct api_call c = {.request = &x->request->api_request, .arena = x->arena, .reply = &body};
    enum q_err err = handle(e, &c);
    if (err != Q_OK)
        TRY(answer_error(&c, err));
    const struct message reply = {
        .tag = MSG_QUORATE_API_RESPONSE,
        .api_response = {.status = c.status, .body = buf_bytes(&body)},
    };
    return answer(x, &reply);
}
