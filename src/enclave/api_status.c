// What an instance says of itself (renclave 1.3, 3.5).
#include "base/version.h"
#include "enclave/api.h"

static const char *const capabilities[] = {
    "seed_generation",      "bip39_compliance", "secure_entropy",
    "network_connectivity", "key_derivation",   "address_derivation",
};
#define CAPABILITIES (sizeof capabilities / sizeof *capabilities)

enum q_err api_enclave_info(struct enclave *e, struct api_call *c)
{
    struct bytes list[CAPABILITIES];
    for (size_t i = 0; i < CAPABILITIES; i++)
        list[i] = bytes_str(capabilities[i]);
    const struct api_info_reply reply = {
        .healthy = true,
        .version = BYTES_LIT(QUORATE_VERSION),
        .enclave_id = e->id,
        .capabilities = {list, CAPABILITIES},
        .phase = bytes_str(phase_name(e->phase)),
        .tee = bytes_str(tee_name(e->tee)),
        .simulated = tee_simulated(e->tee),
    };
    return api_answer(c, &type_api_info_reply, &reply);
}

const char *api_share_mode(const struct enclave *e)
{
    (void)e;
    return NULL;
}
