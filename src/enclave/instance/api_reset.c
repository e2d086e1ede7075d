// POST /enclave/reset (renclave 1.3; 9, finding 21): nothing of the key, the manifest or the data is left.
#include "base/log.h"
#include "enclave/instance/api.h"
#include "enclave/instance/api_store.h"
#include "enclave/instance/instance_state.h"

// Each is tried, whatever becomes of the other.
static enum q_err remove_files(struct enclave *e)
{
    enum q_err stored = api_store_erase(e);
    if (stored != Q_OK)
        log_error("reset: %s", err_text());
    TRY(instance_state_forget(e));
    return stored == Q_OK ? Q_OK : fail(Q_IO, "not all of the stored data's files can be removed");
}

// Memory first: a disk that fails keeps no key alive. While files are left nothing is booted beside them; another reset
// tries again to remove them.
enum q_err api_reset(struct enclave *e, struct api_call *c)
{
    const struct api_success_reply reply = {
        .success = true, .message = BYTES_LIT("Enclave state reset successfully")};
    bool renewed = enclave_reset(e);
    enum q_err err = remove_files(e);
    if (err != Q_OK) {
        enclave_enter(e, PHASE_UNRECOVERABLE_ERROR);
        c->status = 500;
        return err_context(err, "reset: the memory is wiped, but not the state folder");
    }
    log_warn("reset: everything is wiped, phase %s", phase_name(e->phase));
    if (!renewed)
        api_add(c, "warning",
                "everything is wiped, but this machine must be started anew before it can serve");
    return api_answer(c, &type_api_success_reply, &reply);
}
