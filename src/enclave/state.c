// The phase table, and the state's birth and end (see state.h).
#include "enclave/state.h"

#include "enclave/api.h"
#include "enclave/api_forward.h"
#include "enclave/api_application.h"
#include "enclave/handlers.h"
#include "enclave/instance_state.h"
#include "enclave/stored_data.h"

#include "base/log.h"

#include <stdlib.h>
#include <string.h>

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

enum q_err booted_new(struct booted **out)
{
    *out = calloc(1, sizeof **out);
    return *out != NULL ? Q_OK : fail(Q_NOMEM, "boot: no memory");
}

void booted_free(struct booted **b)
{
    if (*b == NULL)
        return;
    arena_free(&(*b)->memory);
    free(*b);
    *b = NULL;
}

enum q_err reshare_new(struct reshare **out)
{
    *out = calloc(1, sizeof **out);
    return *out != NULL ? Q_OK : fail(Q_NOMEM, "reshare: no memory");
}

void reshare_free(struct reshare **r)
{
    if (*r == NULL)
        return;
    arena_free(&(*r)->memory);
    free(*r);
    *r = NULL;
}

void booted_record(struct booted *b, const struct approval *approvals, size_t n)
{
    size_t i = 0;
    for (; i < n && i < SHAMIR_MAX_SHARES; i++) {
        memcpy(b->signatures[i], approvals[i].signature.p, P256_SIGNATURE_SIZE);
        b->approvals[i] = (struct approval){.signature = BYTES_OF(b->signatures[i]),
                                            .member = approvals[i].member};
    }
    b->envelope.share_set_approvals.items = b->approvals;
    b->envelope.share_set_approvals.n = i;
}

enum q_err enclave_open(const struct enclave_options *options, struct enclave **out)
{
    TRY(published_open(&options->published));
    struct enclave *e = calloc(1, sizeof *e);
    if (e == NULL)
        return fail(Q_NOMEM, "enclave: no memory");
    e->tee = options->tee;
    e->supervisor = options->supervisor;
    e->bridges = options->bridges;
    e->egress = options->egress;
    e->published = options->published;
    e->resolvers = options->resolvers;
    e->clock = options->clock != NULL ? options->clock : &clock_wall;
    e->policy = options->policy;
    e->phase = PHASE_WAITING_FOR_BOOT_INSTRUCTION;
    e->birth = BIRTH_KEY_DROPPED;
    e->id = bytes_of(e->id_text, UUID_TEXT_SIZE);
    e->boot_clock = options->boot_clock != NULL ? options->boot_clock : &clock_since_boot;
    enum q_err err = uuid_draw(e->id_text);
    if (err == Q_OK)
        err = instance_pin_read(e);
    if (err == Q_OK)
        err = keyring_new(&e->keyring);
    if (err == Q_OK)
        err = api_auth_open(&options->policy.keys, tee_simulated(options->tee), &e->auth);
    if (err == Q_OK)
        err = instance_restore(e);
    if (err == Q_OK)
        *out = e;
    else
        enclave_close(&e);
    return err;
}

static void wipe_life(struct enclave *e)
{
    stored_data_free(&e->stored);
    published_wipe_all(&e->published);
    shares_release(&e->shares);
    genesis_held_free(&e->held);
    if (e->keyring != NULL)
        keyring_clear(e->keyring);
    booted_free(&e->booted);
    reshare_free(&e->reshare);
}

// Whether the supervisor was given what the manifest says to run.
static bool application_started(const struct enclave *e)
{
    return e->supervisor != NULL && e->birth == BIRTH_KEY_DROPPED &&
           e->phase == PHASE_QUORUM_KEY_PROVISIONED;
}

static void application_stopped(void *context)
{
    (void)context;
    log_info("reset: the application has ended");
}

// Without another id nothing may begin anew in which requests signed for this one would be good again.
static bool take_another_id(struct enclave *e)
{
    char id[UUID_TEXT_SIZE + 1];
    if (uuid_draw(id) != Q_OK) {
        log_error("reset: no new enclave id: %s", err_text());
        return false;
    }
    memcpy(e->id_text, id, sizeof id);
    api_auth_forget(e->auth);
    return true;
}

bool enclave_reset(struct enclave *e)
{
    bool had_application = application_started(e);
    if (had_application) {
        supervisor_stop(e->supervisor, application_stopped, NULL);
        e->outlived = e->booted;
        e->booted = NULL;
    }
    wipe_life(e);
    e->birth = BIRTH_KEY_DROPPED;
    e->operations = e->data_count = 0;
    e->phase_since_s = 0;
    bool renewed = take_another_id(e) && !had_application && tee_restart(e->tee) == Q_OK;
    if (renewed)
        e->phase = PHASE_WAITING_FOR_BOOT_INSTRUCTION;
    else
        enclave_enter(e, PHASE_UNRECOVERABLE_ERROR);
    return renewed;
}

void enclave_close(struct enclave **e)
{
    if (*e == NULL)
        return;
    wipe_life(*e);
    keyring_free(&(*e)->keyring);
    booted_free(&(*e)->outlived);
    api_auth_free(&(*e)->auth);
    free(*e);
    *e = NULL;
}
