// Who may use the REST API (see api_auth.h).
#include "enclave/api.h"

enum q_err api_authorise(struct enclave *e, struct api_call *c)
{
    (void)e;
    c->caller.kind = API_CALLER_NONE;
    return Q_OK;
}

enum q_err api_auth_check_pivot(const struct pivot_config *pivot)
{
    (void)pivot;
    return Q_OK;
}
