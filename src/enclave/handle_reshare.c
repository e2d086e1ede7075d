// Shares of a resharing, and what it leaves (docs/resharing.md): only shares that their member signed, that
// open, and whose hash the plan names are held, so nobody can stop the ceremony with others. The output stays
// and is given out, freshly attested, as often as it is asked for.
#include "enclave/handlers.h"

#include "base/log.h"
#include "base/text.h"
#include "custody/reshare.h"
#include "protocol/share.h"

#include <inttypes.h>
#include <string.h>

static enum q_err check_binding(const struct enclave *e, const struct bound_provision_request *r,
                                struct protocol_error *why)
{
    BUF_AUTO message = {0};
    struct p256_public key;
    struct bytes setup = p256_public_bytes(keyring_public(e->keyring, KEY_SETUP));
    TRY(share_binding_message(e->reshare->plan_hash, setup, r->share, &message));
    if (p256_public_parse(r->approval.member.pub_key, &key) != Q_OK ||
        p256_verify(&key, buf_bytes(&message), r->binding) != Q_OK)
        return refuse(why, PE_COULD_NOT_VERIFY_APPROVAL,
                      "share: expected a signature over this share by the member's key");
    return Q_OK;
}

// In the order of a provision: approval, membership, what is inside the envelope.
static enum q_err open_share(const struct enclave *e, const struct bound_provision_request *r,
                             struct held_share **out, struct protocol_error *why)
{
    SECRET_AUTO plaintext = {0};
    const struct reshare_plan *p = &e->reshare->boot.plan;
    size_t member = 0;
    TRY(reshare_approval_check(p, e->reshare->plan_hash, RESHARE_ROLE_SHARE, &r->approval, &member,
                               why));
    if (custody_use(e->keyring, KEY_SETUP, USE_OPEN, r->share, &plaintext) != Q_OK)
        return refuse(why, PE_DECRYPTION_FAILED,
                      "share: expected an envelope sealed to this enclave's setup key");
    TRY(check_binding(e, r, why));
    TRY(held_share_new(member, true, r->approval.signature.p, &plaintext, out, why));
    return reshare_share_check(p, *out, why);
}

static enum q_err answer_share(struct exchange *x, bool complete)
{
    struct message reply = {.tag = MSG_QUORATE_RESHARE_SHARE_RESPONSE,
                            .reshare_share_reply = {.complete = complete}};
    return answer(x, &reply);
}

// The approvals of the shares that took part, copied: the shares themselves will be gone.
static enum q_err record_approvals(const struct share_list *list, const struct member_set *set,
                                   struct arena *a, struct reshare_output *out)
{
    struct manifest_envelope recorded = {0};
    TRY(shares_approvals(list, set, a, &recorded));
    out->share_approvals.items = recorded.share_set_approvals.items;
    out->share_approvals.n = recorded.share_set_approvals.n;
    for (size_t i = 0; i < out->share_approvals.n; i++) {
        struct bytes *signature = &out->share_approvals.items[i].signature;
        TRY(arena_copy(a, *signature, signature));
    }
    return Q_OK;
}

static enum q_err make_output(struct reshare *r, const struct share_list *list,
                              struct reshare_output *out, uint8_t hash[static SHA256_SIZE],
                              struct protocol_error *why)
{
    const struct reshare_plan *p = &r->boot.plan;
    *out = (struct reshare_output){.format = BYTES_LIT(RESHARE_OUTPUT_FORMAT), .plan = *p};
    out->manifest_approvals.items = r->boot.approvals.items;
    out->manifest_approvals.n = r->boot.approvals.n;
    TRY(reshare_make(p, list, &r->memory, out, why));
    TRY(record_approvals(list, &p->old_share_set, &r->memory, out));
    return reshare_output_hash(out, hash);
}

// The share that was posted stands last in the list.
static void log_share(const struct share_list *list, const struct member_set *set)
{
    BUF_AUTO alias = {0};
    const struct held_share *posted = list->items[list->n - 1];
    if (text_display(set->members.items[posted->member].alias, &alias) == Q_OK &&
        buf_text(&alias) != NULL)
        log_info("reshare: share of %s, %zu of %u", (const char *)alias.p, list->n, set->threshold);
}

// The last share: everything is made before anything changes; then the shares and the setup key's secret go.
static enum q_err complete(struct enclave *e, struct exchange *x, const struct share_list *list,
                           struct held_share **posted)
{
    struct reshare *r = e->reshare;
    struct reshare_output output;
    uint8_t hash[SHA256_SIZE];
    const struct share_list none = {.n = 0};
    TRY(make_output(r, list, &output, hash, &x->why));
    TRY(answer_share(x, true));
    r->output = output;
    memcpy(r->output_hash, hash, sizeof r->output_hash);
    log_share(list, &r->boot.plan.old_share_set);
    shares_become(&e->shares, &none, *posted);
    *posted = NULL;
    keyring_forget_secret(e->keyring, KEY_SETUP);
    enclave_enter(e, PHASE_GENESIS_BOOTED);
    log_info("reshare: epoch %" PRIu64 " made for %zu members, threshold %u%s", r->boot.plan.epoch,
             r->boot.plan.new_share_set.members.n, r->boot.plan.new_share_set.threshold,
             r->boot.plan.new_key ? ", with a new quorum key" : "");
    return Q_OK;
}

enum q_err handle_reshare_share(struct enclave *e, struct exchange *x)
{
    const struct member_set *set = &e->reshare->boot.plan.old_share_set;
    __attribute__((cleanup(held_share_free))) struct held_share *posted = NULL;
    struct share_list next;
    TRY(open_share(e, &x->request->reshare_share, &posted, &x->why));
    TRY(shares_with(&e->shares, posted, set, &next, &x->why));
    if (next.n >= set->threshold)
        return complete(e, x, &next, &posted);
    TRY(answer_share(x, false));
    log_share(&next, set);
    shares_become(&e->shares, &next, posted);
    posted = NULL;
    return Q_OK;
}

// With the setup key in the document, so that it shows the plan that the TEE is committed to beside the hash
// of what came of it.
enum q_err handle_reshare_output(struct enclave *e, struct exchange *x)
{
    BUF_AUTO document = {0};
    const struct p256_public *setup = keyring_public(e->keyring, KEY_SETUP);
    if (tee_attest(e->tee, BYTES_OF(e->reshare->output_hash), BYTES_NONE, p256_public_bytes(setup),
                   &document) != Q_OK)
        return refuse_with_cause(x, PE_QOS_ATTEST_ERROR);
    struct message reply = {
        .tag = MSG_QUORATE_RESHARE_OUTPUT_RESPONSE,
        .reshare_output = {.nsm_response = {.tag = NSM_ATTESTATION,
                                            .attestation = {.data = buf_bytes(&document)}},
                           .output = e->reshare->output},
    };
    return answer(x, &reply);
}
