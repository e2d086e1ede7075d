// What a ceremony waits for, and so what to type next: rules over a survey (see ceremony.h).
#include "client/survey/ceremony_steps.h"

static enum q_err waits(struct planner *p, const char *what)
{
    p->c->waits_for = what;
    return Q_OK;
}

static bool is_phase(const struct survey *s, enum phase phase)
{
    return s->enclave_asked && s->enclave.enclave_answers && s->enclave.phase == phase;
}

// The enclave runs, or waits for, a manifest that is older than the newest approved one here.
static bool outdated(const struct survey *s)
{
    return ceremony_same_manifest(s) == NO && s->manifests.ready != NULL &&
           s->manifests.newest->manifest.namespace.nonce >
               s->enclave.envelope->manifest.namespace.nonce;
}

static size_t good_keys(const struct set_survey *set)
{
    size_t good = 0;
    for (size_t i = 0; i < set->entries.n; i++)
        good += set->entries.items[i].problem.p == NULL;
    return good;
}

// Before the genesis: the folder of its members.
static enum q_err plan_members(struct planner *p, bool *done)
{
    const struct survey *s = p->s;
    size_t good = good_keys(&s->share_set);
    *done = s->share_set_seen != NOT_ASKED;
    if (*done && (good < 2 || s->share_set.threshold > good)) {
        TRY(waits(p, "keys of members"));
        return step_key(p);
    }
    if (*done && s->share_set.threshold_problem.p != NULL) {
        TRY(waits(p, "the threshold"));
        return step_threshold(p);
    }
    *done = false;
    return Q_OK;
}

static enum q_err plan_birth(struct planner *p, bool *done)
{
    const struct survey *s = p->s;
    *done = false;
    if (s->genesis.seen == UNSEEN && !s->genesis.there) {
        TRY(plan_members(p, done));
        if (*done)
            return Q_OK;
        *done = true;
        TRY(waits(p, "the genesis"));
        if (s->enclave.enclave_answers && !is_phase(s, PHASE_WAITING_FOR_BOOT_INSTRUCTION))
            TRY(step_restart(p));
        return step_genesis(p);
    }
    *done = is_phase(s, PHASE_GENESIS_BOOTED);
    if (!*done)
        return Q_OK;
    TRY(waits(p, "the members to take their shares, and a restart"));
    TRY(step_after_genesis(p));
    return step_restart(p);
}

// Whether the newest manifest here is one to go on with: not what the enclave holds already, nor
// older, and not while the enclave is in the middle of another.
static bool prepares(const struct survey *s)
{
    const struct found_manifest *newest = s->manifests.newest;
    if (newest == NULL || ceremony_same_manifest(s) == YES || s->manifests.ready != NULL)
        return false;
    return s->enclave.envelope == NULL ||
           (newest->manifest.namespace.nonce > s->enclave.envelope->manifest.namespace.nonce &&
            !is_phase(s, PHASE_WAITING_FOR_QUORUM_SHARDS));
}

static enum q_err plan_manifest(struct planner *p, bool *done)
{
    const struct manifest_survey *m = &p->s->manifests;
    *done = true;
    if (p->s->manifests_seen == SEEN && m->newest == NULL && p->s->enclave.envelope == NULL) {
        TRY(waits(p, "a manifest"));
        return step_manifest(p);
    }
    if (prepares(p->s)) {
        if (!manifest_survey_reached(m)) {
            TRY(waits(p, "approvals of the newest manifest"));
            return step_approvals(p);
        }
        TRY(waits(p, "the envelope of the newest manifest"));
        return step_envelope(p);
    }
    *done = false;
    return Q_OK;
}

static enum q_err plan_provisioned(struct planner *p)
{
    const struct enclave_survey *e = &p->s->enclave;
    if (!e->state_known || e->state.pivot_running)
        return waits(p, e->state_known ? "nothing: the application runs"
                                       : "nothing: the enclave has its quorum key");
    TRY(waits(p, "the application, which does not run: its restart policy is at an end, or it "
                 "could not be started (qos_core's log says why)"));
    TRY(step_restart(p));
    return step_boot(p);
}

static enum q_err plan_enclave(struct planner *p)
{
    const struct survey *s = p->s;
    if (!s->enclave_asked) {
        TRY(waits(p, "unknown: name the host to see what the enclave waits for"));
        return step_boot(p);
    }
    if (!s->enclave.enclave_answers)
        return waits(p, s->enclave.host_answers ? "unknown: the enclave does not answer its host"
                                                : "unknown: the host does not answer");
    if (outdated(s)) {
        TRY(waits(p, "a restart: it holds an older manifest than the approved one"));
        TRY(step_restart(p));
        return step_boot(p);
    }
    switch (s->enclave.phase) {
    case PHASE_WAITING_FOR_BOOT_INSTRUCTION:
        TRY(waits(p, "a manifest to boot"));
        return step_boot(p);
    case PHASE_WAITING_FOR_QUORUM_SHARDS:
        TRY(waits(p, "shares of members"));
        return step_shares(p);
    case PHASE_QUORUM_KEY_PROVISIONED:
    case PHASE_APPLICATION_READY:
        return plan_provisioned(p);
    case PHASE_WAITING_FOR_FORWARDED_KEY:
        return waits(p, "the quorum key from another enclave");
    case PHASE_UNRECOVERABLE_ERROR:
        TRY(waits(p, "a restart: an error has made it useless"));
        TRY(step_restart(p));
        return step_boot(p);
    case PHASE_GENESIS_BOOTED:
        TRY(waits(p, "a restart: the genesis is done"));
        return step_restart(p);
    }
    return waits(p, "unknown");
}

enum q_err ceremony_next(const struct options *o, struct arena *a, struct ceremony *c)
{
    struct planner p = {.o = o, .s = c->survey, .a = a, .c = c};
    bool done = false;
    c->steps_count = 0;
    TRY(planner_start(&p));
    TRY(plan_birth(&p, &done));
    if (!done)
        TRY(plan_manifest(&p, &done));
    return done ? Q_OK : plan_enclave(&p);
}

enum q_err ceremony_make(const struct options *o, const struct survey *s, struct arena *a,
                         struct ceremony *out)
{
    *out = (struct ceremony){.waits_for = "unknown"};
    TRY(ceremony_rows(s, a, out));
    enum q_err err = ceremony_next(o, a, out);
    if (err != Q_BAD_INPUT)
        return err;
    out->steps_count = 0; // somebody's file name must not take the whole status away
    return arena_copy(a, bytes_str(err_text()), &out->no_steps_why);
}
