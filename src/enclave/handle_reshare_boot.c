// Boot for a resharing (docs/resharing.md): the manifest set's approvals are checked, the TEE is committed to
// the plan as it is to a manifest, and nothing is published: there is no application.
#include "enclave/handlers.h"

#include "base/log.h"
#include "base/text.h"
#include "codec/json.h"
#include "protocol/reshare.h"

#include <inttypes.h>

struct boot_stage {
    struct reshare *reshare;
    struct keyring *keyring;
    uint8_t setup[SHA384_SIZE], live[SHA384_SIZE]; // commitments
};

static void stage_discard(struct boot_stage *s)
{
    keyring_free(&s->keyring);
    reshare_free(&s->reshare);
}

static enum q_err check_boot(const struct reshare_boot_request *request, struct exchange *x)
{
    uint8_t hash[SHA256_SIZE];
    const struct reshare_plan *p = &request->plan;
    TRY(reshare_plan_check(p, &x->why));
    TRY(reshare_plan_hash(p, hash));
    return reshare_approvals_check(p, hash, RESHARE_ROLE_MANIFEST, request->approvals.items,
                                   request->approvals.n, &x->why);
}

// A copy that outlives the message.
static enum q_err stage_plan(const struct reshare_boot_request *request, struct boot_stage *s)
{
    BUF_AUTO encoded = {0};
    TRY(reshare_new(&s->reshare));
    TRY(json_encode(&type_reshare_boot_request, request, JSON_CANONICAL, &encoded));
    TRY(json_decode(&type_reshare_boot_request, buf_bytes(&encoded), &s->reshare->memory,
                    &s->reshare->boot));
    return reshare_plan_hash(&s->reshare->boot.plan, s->reshare->plan_hash);
}

// No live key follows: the second register is spent on the setup key too, so that nothing else can be.
static enum q_err stage_key(struct boot_stage *s)
{
    const struct key_description what = {
        .id = KEY_SETUP, .suite = SUITE_QOS_P256, .uses = USE_OPEN};
    TRY(keyring_new(&s->keyring));
    TRY(keyring_generate(s->keyring, &what));
    struct bytes setup = p256_public_bytes(keyring_public(s->keyring, KEY_SETUP));
    TRY(commitment_make(COMMITMENT_SETUP, s->reshare->plan_hash, setup, s->setup));
    return commitment_make(COMMITMENT_LIVE, s->reshare->plan_hash, setup, s->live);
}

static enum q_err answer_attested(const struct enclave *e, struct exchange *x,
                                  const struct reshare *r, const struct keyring *k,
                                  enum message_kind kind)
{
    BUF_AUTO document = {0};
    if (tee_attest(e->tee, BYTES_OF(r->plan_hash), BYTES_NONE,
                   p256_public_bytes(keyring_public(k, KEY_SETUP)), &document) != Q_OK)
        return refuse_with_cause(x, PE_QOS_ATTEST_ERROR);
    struct message reply = {
        .tag = kind,
        .nsm = {.nsm_response = {.tag = NSM_ATTESTATION,
                                 .attestation = {.data = buf_bytes(&document)}}},
    };
    return answer(x, &reply);
}

// As a boot with a manifest: from the first extend on nothing else can be booted here.
static enum q_err commit(struct enclave *e, struct exchange *x, const struct boot_stage *s)
{
    bool begun = false;
    enum q_err err = tee_commit(e->tee, s->setup, s->live, &begun);
    err = err == Q_OK
              ? answer_attested(e, x, s->reshare, s->keyring, MSG_QUORATE_RESHARE_BOOT_RESPONSE)
              : refuse_with_cause(x, PE_QOS_ATTEST_ERROR);
    if (err == Q_OK || !begun)
        return err;
    enclave_enter(e, PHASE_UNRECOVERABLE_ERROR);
    return err_context(err, "reshare: boot failed after the TEE was committed");
}

static void adopt(struct enclave *e, struct boot_stage *s)
{
    keyring_free(&e->keyring);
    e->keyring = s->keyring;
    e->reshare = s->reshare;
    s->keyring = NULL;
    s->reshare = NULL;
    e->birth = BIRTH_RESHARE;
    enclave_enter(e, PHASE_WAITING_FOR_QUORUM_SHARDS);
}

static void log_boot(const struct reshare_plan *p)
{
    BUF_AUTO name = {0};
    if (text_display(p->namespace, &name) == Q_OK && buf_text(&name) != NULL)
        log_info("reshare: namespace %s, epoch %" PRIu64 "%s, waiting for %u shares of %zu",
                 (const char *)name.p, p->epoch, p->new_key ? " with a new quorum key" : "",
                 p->old_share_set.threshold, p->old_share_set.members.n);
}

enum q_err handle_reshare_boot(struct enclave *e, struct exchange *x)
{
    const struct reshare_boot_request *request = &x->request->reshare_boot;
    __attribute__((cleanup(stage_discard))) struct boot_stage s = {0};
    TRY(check_boot(request, x));
    TRY(stage_plan(request, &s));
    TRY(stage_key(&s));
    TRY(commit(e, x, &s));
    adopt(e, &s);
    log_boot(&e->reshare->boot.plan);
    return Q_OK;
}

enum q_err handle_reshare_attestation(struct enclave *e, struct exchange *x)
{
    return answer_attested(e, x, e->reshare, e->keyring, MSG_QUORATE_RESHARE_ATTESTATION_RESPONSE);
}
