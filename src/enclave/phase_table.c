// The phase table of both API families, and the way from phase to phase (see state.h).
#include "enclave/state.h"

#include "base/log.h"
#include "enclave/handlers.h"
#include "enclave/instance/api.h"
#include "enclave/instance/api_application.h"
#include "enclave/instance/api_forward.h"

#define IN(phase) (1u << (phase))
#define ALL_PHASES (IN(PHASE_COUNT_ALL) - 1)
#define AFTER_BOOT                                                                                 \
    (IN(PHASE_WAITING_FOR_QUORUM_SHARDS) | IN(PHASE_WAITING_FOR_FORWARDED_KEY) |                   \
     IN(PHASE_QUORUM_KEY_PROVISIONED) | IN(PHASE_UNRECOVERABLE_ERROR))

static const struct route {
    unsigned phases; // in which the message is taken
    unsigned births; // and after which birth of the key
    enum message_kind kind;
    handler handle;
} routes[] = {
    {ALL_PHASES, BIRTH_KEY_DROPPED, MSG_STATUS_REQUEST, handle_status},
    {ALL_PHASES, BIRTH_KEY_DROPPED, MSG_VERSION_REQUEST, handle_version},
    {ALL_PHASES, BIRTH_KEY_DROPPED, MSG_QUORATE_STATE_REQUEST, handle_state},
    {ALL_PHASES & ~IN(PHASE_GENESIS_BOOTED), BIRTH_KEY_DROPPED, MSG_MANIFEST_ENVELOPE_REQUEST,
     handle_manifest_envelope},
    {AFTER_BOOT, BIRTH_KEY_DROPPED, MSG_LIVE_ATTESTATION_DOC_REQUEST, handle_live_attestation},
    {IN(PHASE_WAITING_FOR_BOOT_INSTRUCTION), BIRTH_KEY_DROPPED, MSG_BOOT_GENESIS_REQUEST,
     handle_genesis},
    {IN(PHASE_WAITING_FOR_BOOT_INSTRUCTION), BIRTH_KEY_DROPPED, MSG_BOOT_STANDARD_REQUEST,
     handle_boot_standard},
    {IN(PHASE_WAITING_FOR_BOOT_INSTRUCTION), BIRTH_KEY_DROPPED,
     MSG_BOOT_STANDARD_JSON_ENVELOPE_REQUEST, handle_boot_standard},
    {IN(PHASE_WAITING_FOR_QUORUM_SHARDS), BIRTH_KEY_DROPPED, MSG_PROVISION_REQUEST,
     handle_provision},
    {IN(PHASE_WAITING_FOR_QUORUM_SHARDS), BIRTH_KEY_DROPPED, MSG_QUORATE_BOUND_PROVISION_REQUEST,
     handle_bound_provision},
    {IN(PHASE_WAITING_FOR_BOOT_INSTRUCTION), BIRTH_KEY_DROPPED, MSG_BOOT_KEY_FORWARD_REQUEST,
     handle_boot_key_forward},
    {IN(PHASE_QUORUM_KEY_PROVISIONED), BIRTH_KEY_DROPPED, MSG_EXPORT_KEY_REQUEST,
     handle_export_key},
    {IN(PHASE_WAITING_FOR_FORWARDED_KEY), BIRTH_KEY_DROPPED, MSG_INJECT_KEY_REQUEST,
     handle_inject_key},
    {ALL_PHASES, BIRTH_RESHARE, MSG_STATUS_REQUEST, handle_status},
    {ALL_PHASES, BIRTH_RESHARE, MSG_VERSION_REQUEST, handle_version},
    {ALL_PHASES, BIRTH_RESHARE, MSG_QUORATE_STATE_REQUEST, handle_state},
    {ALL_PHASES, BIRTH_RESHARE, MSG_MANIFEST_ENVELOPE_REQUEST,
     handle_manifest_envelope}, // there is none, which is the answer
    {IN(PHASE_WAITING_FOR_BOOT_INSTRUCTION), BIRTH_KEY_DROPPED, MSG_QUORATE_RESHARE_BOOT_REQUEST,
     handle_reshare_boot},
    {IN(PHASE_WAITING_FOR_QUORUM_SHARDS), BIRTH_RESHARE, MSG_QUORATE_RESHARE_ATTESTATION_REQUEST,
     handle_reshare_attestation},
    {IN(PHASE_WAITING_FOR_QUORUM_SHARDS), BIRTH_RESHARE, MSG_QUORATE_RESHARE_SHARE_REQUEST,
     handle_reshare_share},
    {IN(PHASE_GENESIS_BOOTED), BIRTH_RESHARE, MSG_QUORATE_RESHARE_OUTPUT_REQUEST,
     handle_reshare_output},
    {ALL_PHASES, BIRTH_INSTANCE, MSG_STATUS_REQUEST, handle_status},
    {ALL_PHASES, BIRTH_INSTANCE, MSG_VERSION_REQUEST, handle_version},
    {ALL_PHASES, BIRTH_INSTANCE, MSG_QUORATE_STATE_REQUEST, handle_state},
    {ALL_PHASES, BIRTH_INSTANCE, MSG_MANIFEST_ENVELOPE_REQUEST, handle_manifest_envelope},
    {ALL_PHASES, BIRTH_INSTANCE, MSG_LIVE_ATTESTATION_DOC_REQUEST, handle_live_attestation},
    {ALL_PHASES, BIRTH_ANY, MSG_QUORATE_API_REQUEST, handle_api},
};

// The REST API's half: what each operation may meet. What is not here is 409 (503 where only the key is missing).
static const struct api_row {
    unsigned phases;
    unsigned births;
    enum api_operation operation;
    api_handler handle;
} api_rows[] = {
    {ALL_PHASES, BIRTH_ANY, API_ENCLAVE_INFO, api_enclave_info},
    {ALL_PHASES, BIRTH_ANY, API_APPLICATION_STATUS, api_application_status},
    {ALL_PHASES, BIRTH_ANY, API_RESET, api_reset},
    {IN(PHASE_WAITING_FOR_BOOT_INSTRUCTION), BIRTH_KEY_DROPPED, API_GENESIS_BOOT, api_genesis_boot},
    {IN(PHASE_GENESIS_BOOTED) | IN(PHASE_WAITING_FOR_QUORUM_SHARDS), BIRTH_GENESIS_HELD,
     API_GENESIS_BOOT, api_genesis_again},
    {IN(PHASE_GENESIS_BOOTED) | IN(PHASE_WAITING_FOR_QUORUM_SHARDS), BIRTH_GENESIS_HELD,
     API_INJECT_SHARES, api_inject_shares},
    {IN(PHASE_APPLICATION_READY), BIRTH_GENESIS_HELD, API_INJECT_SHARES, api_inject_again},
    // TEE to TEE
    {IN(PHASE_WAITING_FOR_BOOT_INSTRUCTION), BIRTH_KEY_DROPPED, API_SHARE_MANIFEST,
     api_share_manifest},
    {IN(PHASE_WAITING_FOR_FORWARDED_KEY), BIRTH_INSTANCE_FORWARDED, API_SHARE_MANIFEST,
     api_share_manifest}, // the same again
    {IN(PHASE_WAITING_FOR_BOOT_INSTRUCTION), BIRTH_KEY_DROPPED, API_BOOT_KEY_FORWARD,
     api_boot_key_forward},
    {IN(PHASE_WAITING_FOR_FORWARDED_KEY), BIRTH_INSTANCE_FORWARDED, API_BOOT_KEY_FORWARD,
     api_boot_key_forward},
    {IN(PHASE_GENESIS_BOOTED) | IN(PHASE_WAITING_FOR_QUORUM_SHARDS) |
         IN(PHASE_WAITING_FOR_FORWARDED_KEY) | IN(PHASE_QUORUM_KEY_PROVISIONED) |
         IN(PHASE_APPLICATION_READY),
     BIRTH_KEY_DROPPED | BIRTH_INSTANCE, API_GENERATE_ATTESTATION, api_generate_attestation},
    {IN(PHASE_APPLICATION_READY), BIRTH_INSTANCE, API_EXPORT_KEY, api_export_key},
    {IN(PHASE_WAITING_FOR_FORWARDED_KEY) | IN(PHASE_APPLICATION_READY), BIRTH_INSTANCE_FORWARDED,
     API_INJECT_KEY, api_inject_key},
    {ALL_PHASES & ~IN(PHASE_UNRECOVERABLE_ERROR), BIRTH_ANY, API_MANIFEST_STATE,
     api_manifest_state},
    {ALL_PHASES & ~IN(PHASE_UNRECOVERABLE_ERROR), BIRTH_ANY, API_ATTESTATION_STATE,
     api_attestation_state},
    // The built-in application. These two take a phrase in clear before there is a key.
    {ALL_PHASES & ~IN(PHASE_UNRECOVERABLE_ERROR), BIRTH_ANY, API_VALIDATE_SEED, api_validate_seed},
    {ALL_PHASES & ~IN(PHASE_UNRECOVERABLE_ERROR), BIRTH_ANY, API_DERIVE_ADDRESS,
     api_derive_address},
    {IN(PHASE_APPLICATION_READY), BIRTH_INSTANCE, API_GENERATE_SEED, api_generate_seed},
    {IN(PHASE_APPLICATION_READY), BIRTH_INSTANCE, API_DERIVE_KEY, api_derive_key},
    {IN(PHASE_APPLICATION_READY), BIRTH_INSTANCE, API_ENCRYPT_DATA, api_encrypt_data},
    {IN(PHASE_APPLICATION_READY), BIRTH_INSTANCE, API_DECRYPT_DATA, api_decrypt_data},
    {IN(PHASE_APPLICATION_READY), BIRTH_INSTANCE, API_SIGN_TRANSACTION, api_sign_transaction},
    {IN(PHASE_APPLICATION_READY), BIRTH_INSTANCE, API_SIGN_MESSAGE, api_sign_message},
    {IN(PHASE_APPLICATION_READY), BIRTH_INSTANCE, API_STORE_DATA, api_store_data},
    {IN(PHASE_APPLICATION_READY), BIRTH_INSTANCE, API_GET_DATA, api_get_data},
};

api_handler api_route_find(enum phase phase, enum birth birth, enum api_operation operation)
{
    for (size_t i = 0; i < sizeof api_rows / sizeof *api_rows; i++) {
        const struct api_row *r = &api_rows[i];
        if (r->operation == operation && (r->phases & IN(phase)) != 0 &&
            (r->births & (unsigned)birth) != 0)
            return r->handle;
    }
    return NULL;
}

handler route_find(enum phase phase, enum birth birth, uint32_t message_kind)
{
    for (size_t i = 0; i < sizeof routes / sizeof *routes; i++) {
        const struct route *r = &routes[i];
        if (r->kind == message_kind && (r->phases & IN(phase)) != 0 &&
            (r->births & (unsigned)birth) != 0)
            return r->handle;
    }
    return NULL;
}

// The only ways from phase to phase, and after which birth (renclave 2.2, qos-behaviour 2.4). From everywhere an
// unrecoverable error leads to its phase, and a reset to the beginning.
static const struct transition {
    enum phase from, to;
    unsigned births;
} transitions[] = {
    {PHASE_WAITING_FOR_BOOT_INSTRUCTION, PHASE_GENESIS_BOOTED,
     BIRTH_KEY_DROPPED | BIRTH_GENESIS_HELD},
    {PHASE_WAITING_FOR_BOOT_INSTRUCTION, PHASE_WAITING_FOR_QUORUM_SHARDS,
     BIRTH_KEY_DROPPED | BIRTH_RESHARE},
    {PHASE_WAITING_FOR_BOOT_INSTRUCTION, PHASE_WAITING_FOR_FORWARDED_KEY,
     BIRTH_KEY_DROPPED | BIRTH_INSTANCE_FORWARDED},
    {PHASE_GENESIS_BOOTED, PHASE_WAITING_FOR_QUORUM_SHARDS, BIRTH_GENESIS_HELD},
    {PHASE_WAITING_FOR_QUORUM_SHARDS, PHASE_GENESIS_BOOTED, BIRTH_RESHARE},
    {PHASE_WAITING_FOR_QUORUM_SHARDS, PHASE_QUORUM_KEY_PROVISIONED,
     BIRTH_KEY_DROPPED | BIRTH_GENESIS_HELD},
    {PHASE_WAITING_FOR_FORWARDED_KEY, PHASE_QUORUM_KEY_PROVISIONED,
     BIRTH_KEY_DROPPED | BIRTH_INSTANCE_FORWARDED},
    {PHASE_QUORUM_KEY_PROVISIONED, PHASE_APPLICATION_READY, BIRTH_INSTANCE},
};

bool enclave_may_enter(enum phase from, enum birth birth, enum phase to)
{
    if (to == PHASE_UNRECOVERABLE_ERROR)
        return true;
    for (size_t i = 0; i < sizeof transitions / sizeof *transitions; i++) {
        const struct transition *t = &transitions[i];
        if (t->from == from && t->to == to && (t->births & (unsigned)birth) != 0)
            return true;
    }
    return false;
}

void enclave_enter(struct enclave *e, enum phase to)
{
    int64_t now;
    if (!enclave_may_enter(e->phase, e->birth, to)) {
        log_error("phase %s: no way leads to %s; this is a defect", phase_name(e->phase),
                  phase_name(to));
        to = PHASE_UNRECOVERABLE_ERROR;
    }
    e->phase = to;
    e->phase_since_s = clock_ms(e->clock, &now) == Q_OK ? now / 1000 : 0;
}
