// store-data and get-data (renclave 1.3; findings 34, 38): each caller has a map of his own.
#include "enclave/instance/api_store.h"

#include "crypto/hash.h"
#include "enclave/instance/api_application.h"
#include "enclave/instance/query.h"
#include "enclave/instance/stored_data.h"

#include <string.h>

static enum q_err have_store(struct enclave *e)
{
    return e->stored != NULL ? Q_OK : stored_data_new(e->policy.state_dir, &e->stored);
}

enum q_err api_store_open(struct enclave *e)
{
    TRY(have_store(e));
    TRY(stored_data_load(e->stored, e->keyring));
    e->data_count = stored_data_count(e->stored);
    return Q_OK;
}

enum q_err api_store_erase(struct enclave *e)
{
    TRY(have_store(e));
    enum q_err err = stored_data_erase(e->stored);
    stored_data_free(&e->stored);
    e->data_count = 0;
    return err;
}

// The hash of the point that verifies what the caller signs; zeros, shared by all, for those whom nothing tells apart: requests with a bearer
// token or none, on the simulated TEE.
static enum q_err owner_of(const struct api_call *c, uint8_t owner[static STORED_OWNER_SIZE])
{
    _Static_assert(STORED_OWNER_SIZE == SHA256_SIZE, "an owner is a hash");
    memset(owner, 0, STORED_OWNER_SIZE);
    if (c->caller.kind != API_CALLER_CLIENT && c->caller.kind != API_CALLER_ADMIN)
        return Q_OK;
    return sha256(p256_public_signing(&c->caller.key), owner);
}

static enum q_err store(struct enclave *e, struct api_call *c)
{
    const struct api_store_request *request = c->body;
    const struct api_store_reply reply = {.success = true};
    struct stored_name name = {.key = request->key};
    STORED_CHANGE_AUTO change = {0};
    TRY(owner_of(c, name.owner));
    TRY(api_store_open(e));
    enum q_err err = stored_data_stage(e->stored, &name, request->data, &change);
    if (err == Q_REFUSED)
        c->status = 409;
    TRY(err);
    TRY(api_answer(c, &type_api_store_reply, &reply));
    TRY(stored_data_commit(e->stored, e->keyring, &change));
    e->data_count = stored_data_count(e->stored);
    return Q_OK;
}

enum q_err api_store_data(struct enclave *e, struct api_call *c)
{
    return err_context(store(e, c), "Application data storage failed");
}

enum q_err api_get_data(struct enclave *e, struct api_call *c)
{
    struct stored_name name = {0};
    struct api_get_data_reply reply = {.success = true};
    TRY(query_parameter(c->request->query, "key", c->arena, &name.key));
    if (name.key.n == 0)
        return api_refuse(c, 400, "query: expected key=..., found none");
    TRY(owner_of(c, name.owner));
    TRY(err_context(api_store_open(e), "Application data retrieval failed"));
    TRY(err_context(stored_data_get(e->stored, &name, &reply.data),
                    "Application data retrieval failed"));
    if (reply.data.p == NULL)
        return api_answer(c, &type_api_get_data_reply, &reply);
    return api_answer_plaintext(e, c, &type_api_get_data_reply, &reply);
}
