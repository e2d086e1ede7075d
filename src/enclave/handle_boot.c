// Boot standard and boot for a forwarded key (qos-behaviour 2.6), which differ in the key they wait for: checks,
// then everything prepared under temporary names, then the TEE's commitment, then publication. Only what goes wrong
// after the TEE began is unrecoverable.
#include "enclave/handlers.h"

#include "base/log.h"
#include "base/text.h"
#include "enclave/application.h"

// What a boot is for.
struct boot_kind {
    enum message_kind reply;
    enum phase next;
};

// Everything a boot will put in place.
struct boot_stage {
    struct booted *booted;
    struct keyring *keyring;
    uint8_t setup[SHA384_SIZE], live[SHA384_SIZE]; // commitments
    struct published_stage ephemeral, pivot, manifest;
};

static void stage_discard(struct boot_stage *s)
{
    published_discard(&s->ephemeral);
    published_discard(&s->pivot);
    published_discard(&s->manifest);
    keyring_free(&s->keyring);
    booted_free(&s->booted);
}

static enum q_err check_pivot_hash(const struct boot_request *request, struct exchange *x)
{
    struct bytes expected = BYTES_OF(request->manifest_envelope.manifest.pivot.hash);
    uint8_t actual[SHA256_SIZE];
    TRY(sha256(request->pivot, actual));
    if (bytes_equal(expected, BYTES_OF(actual)))
        return Q_OK;
    return refuse_different_bytes(&x->why, PE_INVALID_PIVOT_HASH, "SHA-256 of the pivot", expected,
                                  BYTES_OF(actual), x->arena);
}

// In the original's order.
static enum q_err check_as_the_original(const struct boot_request *request, struct exchange *x)
{
    const struct manifest_envelope *envelope = &request->manifest_envelope;
    TRY(envelope_check_approvals(envelope, &x->why));
    if (envelope->share_set_approvals.n > 0)
        return refuse(&x->why, PE_BAD_SHARE_SET_APPROVALS,
                      "boot: expected no share set approvals, got %zu",
                      envelope->share_set_approvals.n);
    return check_pivot_hash(request, x);
}

static enum q_err check_boot(const struct enclave *e, const struct boot_request *request,
                             struct exchange *x)
{
    const struct manifest *m = &request->manifest_envelope.manifest;
    struct p256_public quorum;
    TRY(check_as_the_original(request, x));
    TRY(manifest_check_thresholds(m, &x->why));
    TRY(pivot_check_bridges(&m->pivot, &x->why));
    if (e->bridges != NULL)
        TRY(bridges_check(e->bridges, &m->pivot, &x->why));
    if (e->egress != NULL)
        TRY(egress_check(e->egress, m, &x->why));
    if (p256_public_parse(m->namespace.quorum_key, &quorum) != Q_OK)
        return refuse_p256(&x->why, PE_P256_ERROR, "manifest: quorum key");
    return Q_OK;
}

// The envelope as it will be stored, and read back from that: what the file says is what we hold.
static enum q_err stage_envelope(const struct enclave *e, const struct boot_request *request,
                                 struct boot_stage *s, struct exchange *x)
{
    BUF_AUTO stored = {0};
    struct bytes kept;
    struct booted *b = s->booted;
    TRY(envelope_store(&request->manifest_envelope, &stored));
    TRY(arena_copy(&b->memory, buf_bytes(&stored), &kept));
    TRY(envelope_read(kept, &b->memory, &b->envelope));
    TRY(manifest_hash(&b->envelope.manifest, b->manifest_hash));
    TRY(application_from(&b->envelope.manifest.pivot, e->published.paths[PUBLISHED_PIVOT],
                         e->published.app_uid, &b->memory, &b->application, &x->why));
    b->application.outgoing = egress_rules_of(&b->envelope.manifest);
    return published_stage(&e->published, PUBLISHED_MANIFEST, kept, FILE_NEW, &s->manifest);
}

static enum q_err make_key(struct keyring *k, uint32_t id, unsigned uses)
{
    struct key_description what = {.id = id, .suite = SUITE_QOS_P256, .uses = uses};
    return keyring_generate(k, &what);
}

static enum q_err stage_keys(const struct enclave *e, struct boot_stage *s)
{
    TRY(keyring_new(&s->keyring));
    TRY(make_key(s->keyring, KEY_SETUP, USE_OPEN | USE_RELEASE));
    TRY(make_key(s->keyring, KEY_LIVE, USE_RELEASE));
    const uint8_t *hash = s->booted->manifest_hash;
    TRY(commitment_make(COMMITMENT_SETUP, hash,
                        p256_public_bytes(keyring_public(s->keyring, KEY_SETUP)), s->setup));
    TRY(commitment_make(COMMITMENT_LIVE, hash,
                        p256_public_bytes(keyring_public(s->keyring, KEY_LIVE)), s->live));
    SECRET_AUTO seed = {0};
    TRY(custody_use(s->keyring, KEY_SETUP, USE_RELEASE, BYTES_NONE, &seed));
    return published_stage(&e->published, PUBLISHED_EPHEMERAL, secret_bytes(&seed), FILE_NEW,
                           &s->ephemeral);
}

static enum q_err stage(const struct enclave *e, const struct boot_request *request,
                        struct boot_stage *s, struct exchange *x)
{
    TRY(booted_new(&s->booted));
    TRY(stage_envelope(e, request, s, x));
    TRY(stage_keys(e, s));
    return published_stage(&e->published, PUBLISHED_PIVOT, request->pivot, FILE_NEW, &s->pivot);
}

static enum q_err answer_attested(struct enclave *e, struct exchange *x, const struct boot_stage *s,
                                  enum message_kind kind)
{
    BUF_AUTO document = {0};
    const struct p256_public *setup = keyring_public(s->keyring, KEY_SETUP);
    if (tee_attest(e->tee, BYTES_OF(s->booted->manifest_hash), BYTES_NONE, p256_public_bytes(setup),
                   &document) != Q_OK)
        return refuse_with_cause(x, PE_QOS_ATTEST_ERROR);
    struct message reply = {
        .tag = kind,
        .nsm = {.nsm_response = {.tag = NSM_ATTESTATION,
                                 .attestation = {.data = buf_bytes(&document)}}},
    };
    return answer(x, &reply);
}

static enum q_err publish(struct boot_stage *s)
{
    struct published_stage *const all[] = {&s->ephemeral, &s->pivot, &s->manifest};
    return published_publish_all(all, sizeof all / sizeof *all);
}

// From the first extend on the TEE's registers are spent: no other manifest can be booted here.
static enum q_err commit(struct enclave *e, struct exchange *x, struct boot_stage *s,
                         enum message_kind reply)
{
    bool begun = false;
    enum q_err err = tee_commit(e->tee, s->setup, s->live, &begun);
    if (err != Q_OK)
        err = refuse_with_cause(x, PE_QOS_ATTEST_ERROR);
    if (err == Q_OK)
        err = answer_attested(e, x, s, reply);
    if (err == Q_OK)
        err = publish(s);
    if (err != Q_OK && begun) {
        enclave_enter(e, PHASE_UNRECOVERABLE_ERROR);
        published_wipe_all(&e->published);
        return err_context(err, "boot failed after the TEE was committed");
    }
    return err;
}

static void adopt(struct enclave *e, struct boot_stage *s, enum phase next)
{
    keyring_free(&e->keyring);
    e->keyring = s->keyring;
    e->booted = s->booted;
    s->keyring = NULL;
    s->booted = NULL;
    enclave_enter(e, next);
}

static void log_boot(const struct booted *b, enum phase phase)
{
    BUF_AUTO name = {0};
    const struct namespace *n = &b->envelope.manifest.namespace;
    if (text_display(n->name, &name) != Q_OK || buf_text(&name) == NULL)
        return;
    if (phase == PHASE_WAITING_FOR_FORWARDED_KEY)
        log_info("boot: namespace %s, nonce %u, waiting for the key of another enclave",
                 (const char *)name.p, n->nonce);
    else
        log_info("boot: namespace %s, nonce %u, waiting for %u shares", (const char *)name.p,
                 n->nonce, b->envelope.manifest.share_set.threshold);
}

static enum q_err boot(struct enclave *e, struct exchange *x, const struct boot_kind *kind)
{
    const struct boot_request *request = &x->request->boot;
    TRY(check_boot(e, request, x));
    __attribute__((cleanup(stage_discard))) struct boot_stage s = {0};
    TRY(stage(e, request, &s, x));
    TRY(commit(e, x, &s, kind->reply));
    adopt(e, &s, kind->next);
    log_boot(e->booted, e->phase);
    return Q_OK;
}

enum q_err handle_boot_standard(struct enclave *e, struct exchange *x)
{
    static const struct boot_kind kind = {MSG_BOOT_STANDARD_RESPONSE,
                                          PHASE_WAITING_FOR_QUORUM_SHARDS};
    return boot(e, x, &kind);
}

enum q_err handle_boot_key_forward(struct enclave *e, struct exchange *x)
{
    static const struct boot_kind kind = {MSG_BOOT_KEY_FORWARD_RESPONSE,
                                          PHASE_WAITING_FOR_FORWARDED_KEY};
    return boot(e, x, &kind);
}
