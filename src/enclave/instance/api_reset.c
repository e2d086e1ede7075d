// POST /enclave/reset (renclave 1.3; 9, finding 21): nothing of the key, the manifest or the data is left.
#include "base/log.h"
#include "enclave/instance/api.h"
#include "enclave/instance/api_store.h"
#include "enclave/instance/instance_state.h"

enum q_err api_reset(struct enclave *e, struct api_call *c)
{
    bool renewed;
    const struct api_success_reply reply = {
        .success = true, .message = BYTES_LIT("Enclave state reset successfully")};
    TRY(api_answer(c, &type_api_success_reply, &reply));
    TRY(instance_state_forget(e));
    TRY(api_store_erase(e));
    TRY(enclave_reset(e, &renewed));
    log_warn("reset: everything is wiped, phase %s", phase_name(e->phase));
    if (!renewed)
        api_add(c, "warning",
                "everything is wiped, but this machine must be started anew before it can serve");
    return Q_OK;
}
