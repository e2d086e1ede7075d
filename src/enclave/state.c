// The state's birth, its lives and its end (see state.h).
#include "enclave/state.h"

#include "base/log.h"
#include "enclave/instance/api_forward.h"
#include "enclave/instance/instance_state.h"
#include "enclave/instance/stored_data.h"

#include <stdlib.h>
#include <string.h>

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
        err = api_auth_open(&options->policy.keys, tee_relaxed(options->tee), &e->auth);
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
