// From a request of the REST API to its answer (renclave 1.1, 1.2, 3.6): find the operation, decode the body as it is
// described, ask the phase table, handle, and say every failure in one shape.
#include "codec/json.h"
#include "enclave/instance/api_answer.h"
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

// What the original says of members that it cannot read (renclave 1.3).
static const struct {
    const char *member, *words;
} originals[] = {
    {"manifest_envelope", "Failed to parse manifest envelope: "},
    {"attestation_doc", "Attestation document must be an array of bytes: "},
    {"encrypted_quorum_key", "Failed to parse encrypted quorum key: "},
};

// The codec's sentence up to where it would repeat what stood in the request, which may be secret.
static enum q_err refuse_shape(struct api_call *c)
{
    struct bytes text;
    TRY(arena_copy(c->arena, bytes_str(err_text()), &text));
    const uint8_t *found = memmem(text.p, text.n, ", found", 7);
    const char *words = "";
    for (size_t i = 0; i < sizeof originals / sizeof *originals; i++)
        if (bytes_begin_with(text, bytes_str(originals[i].member)))
            words = originals[i].words;
    return api_refuse(c, 422, "%s%.*s", words, found != NULL ? (int)(found - text.p) : (int)text.n,
                      (const char *)text.p);
}

static enum q_err parse(struct api_call *c, struct json_t **tree)
{
    enum q_err err = json_parse_up_to(c->request->body, API_MAX_VALUES, tree);
    if (err == Q_LIMIT)
        return api_refuse(c, 413, "body: expected at most %zu values, not nested deeper than %d",
                          API_MAX_VALUES, JSON_MAX_DEPTH);
    if (err == Q_BAD_INPUT)
        return api_refuse(c, 400, "body: expected JSON");
    return err;
}

// 400 for what is no JSON, 422 for JSON of another shape (renclave 1.1).
static enum q_err decode(struct api_call *c, const struct operation *o)
{
    struct json_t *tree;
    void *body;
    if (c->request->body.n > API_BODY_MAX)
        return api_refuse(c, 413, "body: expected at most %zu bytes, found %zu", API_BODY_MAX,
                          c->request->body.n);
    if (o->body == NULL)
        return Q_OK;
    TRY(arena_alloc(c->arena, o->body->size, &body));
    TRY(parse(c, &tree));
    enum q_err err = json_read(o->body, tree, c->arena, body);
    json_tree_free(tree);
    if (err != Q_OK)
        return err == Q_NOMEM ? err : refuse_shape(c);
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

static enum q_err serve(struct enclave *e, struct api_call *c, const struct operation *o)
{
    TRY(decode(c, o));
    api_handler h = api_route_find(e->phase, e->birth, c->operation);
    return h != NULL ? h(e, c) : refuse_phase(e, c);
}

static enum q_err handle(struct enclave *e, struct api_call *c, const struct operation **o)
{
    TRY(find_operation(c, o));
    TRY(api_authorise(e, c));
    enum q_err err = serve(e, c, *o);
    if (err != Q_OK && c->operation == API_INJECT_SHARES)
        genesis_held_free(&e->held); // renclave 3.1: whatever was wrong with it
    TRY(err);
    if (bytes_is(c->request->method, "POST") && c->operation != API_RESET)
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
    TRY(api_answer_sign(e, &c));
    const struct message reply = {
        .tag = MSG_QUORATE_API_RESPONSE,
        .api_response = {.status = c.status, .body = buf_bytes(&body)},
    };
    return answer(x, &reply);
}
