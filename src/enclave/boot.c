// Staging, commitment and adoption of a boot (see boot.h).
#include "enclave/boot.h"

#include "enclave/application.h"
#include "enclave/handlers.h"
#include "protocol/manifest.h"

void boot_stage_discard(struct boot_stage *s)
{
    published_discard(&s->ephemeral);
    published_discard(&s->pivot);
    published_discard(&s->manifest);
    keyring_free(&s->keyring);
    booted_free(&s->booted);
}

// The envelope as it will be stored, and read back from that: what the file says is what we hold.
static enum q_err stage_envelope(const struct manifest_envelope *envelope, struct booted *b,
                                 struct bytes *stored)
{
    BUF_AUTO text = {0};
    TRY(envelope_store(envelope, &text));
    TRY(arena_copy(&b->memory, buf_bytes(&text), stored));
    TRY(envelope_read(*stored, &b->memory, &b->envelope));
    return manifest_hash(&b->envelope.manifest, b->manifest_hash);
}

static enum q_err make_key(struct keyring *k, uint32_t id, unsigned uses)
{
    struct key_description what = {.id = id, .suite = SUITE_QOS_P256, .uses = uses};
    return keyring_generate(k, &what);
}

// Only an application is ever given a secret: an instance's setup key opens envelopes, and its live key names it.
static enum q_err stage_keys(struct boot_stage *s, bool application)
{
    unsigned released = application ? USE_RELEASE : 0;
    TRY(keyring_new(&s->keyring));
    TRY(make_key(s->keyring, KEY_SETUP, USE_OPEN | released));
    TRY(make_key(s->keyring, KEY_LIVE, released));
    const uint8_t *hash = s->booted->manifest_hash;
    TRY(commitment_make(COMMITMENT_SETUP, hash,
                        p256_public_bytes(keyring_public(s->keyring, KEY_SETUP)), s->setup));
    return commitment_make(COMMITMENT_LIVE, hash,
                           p256_public_bytes(keyring_public(s->keyring, KEY_LIVE)), s->live);
}

static enum q_err stage_application(const struct enclave *e, struct bytes stored,
                                    struct bytes pivot, struct boot_stage *s,
                                    struct protocol_error *why)
{
    struct booted *b = s->booted;
    SECRET_AUTO seed = {0};
    TRY(application_from(&b->envelope.manifest.pivot, e->published.paths[PUBLISHED_PIVOT],
                         e->published.app_uid, &b->memory, &b->application, why));
    b->application.outgoing = egress_rules_of(&b->envelope.manifest);
    TRY(published_stage(&e->published, PUBLISHED_MANIFEST, stored, FILE_NEW, &s->manifest));
    TRY(custody_use(s->keyring, KEY_SETUP, USE_RELEASE, BYTES_NONE, &seed));
    TRY(published_stage(&e->published, PUBLISHED_EPHEMERAL, secret_bytes(&seed), FILE_NEW,
                        &s->ephemeral));
    return published_stage(&e->published, PUBLISHED_PIVOT, pivot, FILE_NEW, &s->pivot);
}

enum q_err boot_stage(const struct enclave *e, const struct manifest_envelope *envelope,
                      const struct bytes *pivot, struct boot_stage *s, struct protocol_error *why)
{
    struct bytes stored;
    TRY(booted_new(&s->booted));
    TRY(stage_envelope(envelope, s->booted, &stored));
    TRY(stage_keys(s, pivot != NULL));
    return pivot != NULL ? stage_application(e, stored, *pivot, s, why) : Q_OK;
}

static enum q_err publish(struct boot_stage *s)
{
    struct published_stage *const all[] = {&s->ephemeral, &s->pivot, &s->manifest};
    bool any = s->pivot.file.path != NULL;
    return any ? published_publish_all(all, sizeof all / sizeof *all) : Q_OK;
}

static enum q_err say_attested(struct enclave *e, const struct boot_stage *s,
                               const struct boot_witness *w)
{
    BUF_AUTO document = {0};
    const struct p256_public *setup = keyring_public(s->keyring, KEY_SETUP);
    if (w->say == NULL)
        return Q_OK;
    if (tee_attest(e->tee, BYTES_OF(s->booted->manifest_hash), BYTES_NONE, p256_public_bytes(setup),
                   &document) != Q_OK)
        return refuse_recorded(w->arena, w->why, PE_QOS_ATTEST_ERROR);
    return w->say(w->context, e, s, buf_bytes(&document));
}

static void adopt(struct enclave *e, struct boot_stage *s, enum birth birth, enum phase next)
{
    keyring_free(&e->keyring);
    e->keyring = s->keyring;
    e->booted = s->booted;
    s->keyring = NULL;
    s->booted = NULL;
    e->birth = birth;
    enclave_enter(e, next);
}

enum q_err boot_commit(struct enclave *e, struct boot_stage *s, const struct boot_witness *w,
                       enum birth birth, enum phase next)
{
    bool begun = false;
    enum q_err err = tee_commit(e->tee, s->setup, s->live, &begun);
    if (err != Q_OK)
        err = refuse_recorded(w->arena, w->why, PE_QOS_ATTEST_ERROR);
    if (err == Q_OK)
        err = say_attested(e, s, w);
    if (err == Q_OK)
        err = publish(s);
    if (err == Q_OK) {
        adopt(e, s, birth, next);
        return Q_OK;
    }
    if (!begun)
        return err;
    enclave_enter(e, PHASE_UNRECOVERABLE_ERROR);
    published_wipe_all(&e->published);
    return err_context(err, "boot failed after the TEE was committed");
}
