// POST /enclave/reset (renclave 1.3; 9, finding 21): nothing of the key, the manifest or the data is left.
#include "base/log.h"
#include "enclave/instance/api.h"
#include "enclave/instance/api_store.h"
#include "enclave/instance/instance_state.h"

// Whether nothing is left on the disk; what is, is named in the log.
static bool remove_files(struct enclave *e)
{
    bool state = instance_state_forget(e) == Q_OK;
    if (!state)
        log_error("reset: %s", err_text());
    bool data = api_store_erase(e) == Q_OK;
    if (!data)
        log_error("reset: %s", err_text());
    return state && data;
}

// A disk that cannot be written keeps no key in memory.
enum q_err api_reset(struct enclave *e, struct api_call *c)
{
    bool renewed;
    const struct api_success_reply reply = {
        .success = true, .message = BYTES_LIT("Enclave state reset successfully")};
    TRY(api_answer(c, &type_api_success_reply, &reply));
    bool removed = remove_files(e);
    TRY(enclave_reset(e, &renewed));
    log_warn("reset: everything is wiped, phase %s", phase_name(e->phase));
    if (!removed)
        return api_refuse(c, 500,
                          "reset: keys, shares and data are wiped from memory, but files of the "
                          "state folder (--state-dir) are still there: remove them by hand");
    if (!renewed)
        api_add(c, "warning",
                "everything is wiped, but this machine must be started anew before it can serve");
    return Q_OK;
}
