// From a request of the REST API to its answer (renclave 1.1, 1.2, 3.6): find the operation, decode the body as it is
// described, ask the phase table, handle, and say every failure in one shape.
#include "codec/json.h"
#include "enclave/api_answer.h"
#include "enclave/handlers.h"

#include <string.h>

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

// The phases in which a quorum key is still to come.
#define BEFORE_KEY                                                                                 \
    (1u << PHASE_WAITING_FOR_BOOT_INSTRUCTION | 1u << PHASE_GENESIS_BOOTED |                       \
     1u << PHASE_WAITING_FOR_QUORUM_SHARDS | 1u << PHASE_WAITING_FOR_FORWARDED_KEY)

static enum q_err refuse_phase(const struct enclave *e, struct api_call *c)
{
    if (api_needs_key(c->operation) && (1u << e->phase & BEFORE_KEY) != 0)
        return api_refuse_unprovisioned(c);
    return api_refuse(c, 409, "%.*s: not taken in phase %s", (int)c->request->path.n,
                      (const char *)c->request->path.p, phase_name(e->phase));
}

static enum q_err handle(struct enclave *e, struct api_call *c, const struct operation **o)
{
    TRY(find_operation(c, o));
    TRY(api_authorise(e, c));
    TRY(decode(c, *o));
    api_handler h = api_route_find(e->phase, e->birth, c->operation);
    if (h == NULL)
        return refuse_phase(e, c);
    TRY(h(e, c));
    e->operations++;
    return Q_OK;
}

static void add_share_mode(const struct enclave *e, struct api_call *c)
{
    const char *mode = api_share_mode(e);
    bool says_it = c->operation == API_GENESIS_BOOT || c->operation == API_INJECT_SHARES ||
                   c->operation == API_APPLICATION_STATUS;
    if (mode == NULL || (says_it && c->status == 200))
        return;
    if (strcmp(mode, SHARE_MODE_ACKNOWLEDGED) == 0)
        api_add(c, "share_mode", mode);
}

static enum q_err choose_id(struct api_call *c, char own[static UUID_TEXT_SIZE + 1])
{
    c->request_id = c->request->request_id;
    if (c->request_id.n > 0)
        return Q_OK;
    TRY(uuid_draw(own));
    c->request_id = bytes_of(own, UUID_TEXT_SIZE);
    return Q_OK;
}

enum q_err handle_api(struct enclave *e, struct exchange *x)
{
    BUF_AUTO body = {.wipe = true};
    const struct operation *o = NULL;
    char own_id[UUID_TEXT_SIZE + 1];
    struct api_call c = {.request = &x->request->api_request, .arena = x->arena, .reply = &body};
    TRY(choose_id(&c, own_id));
    enum q_err err = handle(e, &c, &o);
    if (err != Q_OK)
        TRY(api_answer_error(&c, o != NULL, err));
    add_share_mode(e, &c);
    TRY(api_answer_finish(&c));
    const struct message reply = {
        .tag = MSG_QUORATE_API_RESPONSE,
        .api_response = {.status = c.status, .body = buf_bytes(&body)},
    };
    return answer(x, &reply);
}
