// Provision (qos-behaviour 2.7 with the rules of custody/shares.h): a member's share is checked and held; the
// one that completes the quorum rebuilds the key, publishes it and starts the application.
#include "enclave/handlers.h"

#include "base/log.h"
#include "base/text.h"
#include "enclave/completion.h"
#include "protocol/share.h"

#include <string.h>

// One posted share, whichever message brought it.
struct posting {
    struct bytes ciphertext;
    const struct approval *approval;
    bool bound; // comes with a binding, which must hold
    struct bytes binding;
};

static enum q_err check_approval(const struct booted *b, const struct approval *approval,
                                 struct p256_public *key, struct protocol_error *why)
{
    if (p256_public_parse(approval->member.pub_key, key) != Q_OK)
        return refuse_p256(why, PE_P256_ERROR, "share approval: member's key");
    if (p256_verify(key, BYTES_OF(b->manifest_hash), approval->signature) != Q_OK)
        return refuse(
            why, PE_COULD_NOT_VERIFY_APPROVAL,
            "share approval: expected a signature over this manifest by the member's key");
    return Q_OK;
}

static enum q_err find_member(const struct booted *b, const struct member *m, size_t *index,
                              struct protocol_error *why)
{
    const struct member_set *set = &b->envelope.manifest.share_set;
    if (member_set_find(set, m, index))
        return Q_OK;
    return refuse(why, PE_NOT_SHARE_SET_MEMBER,
                  "share approval: expected a member of the share set, got somebody else");
}

static enum q_err check_binding(const struct enclave *e, const struct posting *p,
                                const struct p256_public *key, struct protocol_error *why)
{
    if (!p->bound)
        return Q_OK;
    BUF_AUTO signed_bytes = {0};
    struct bytes setup = p256_public_bytes(keyring_public(e->keyring, KEY_SETUP));
    TRY(share_binding_message(e->booted->manifest_hash, setup, p->ciphertext, &signed_bytes));
    if (p256_verify(key, buf_bytes(&signed_bytes), p->binding) != Q_OK)
        return refuse(why, PE_COULD_NOT_VERIFY_APPROVAL,
                      "share: expected a signature over this share by the member's key");
    return Q_OK;
}

// In the original's order: approval, membership, then what is inside the envelope.
static enum q_err open_share(const struct enclave *e, const struct posting *p,
                             struct held_share **out, struct protocol_error *why)
{
    struct p256_public key;
    size_t member;
    TRY(check_approval(e->booted, p->approval, &key, why));
    TRY(find_member(e->booted, &p->approval->member, &member, why));
    SECRET_AUTO plaintext = {0};
    if (custody_use(e->keyring, KEY_SETUP, USE_OPEN, p->ciphertext, &plaintext) != Q_OK)
        return refuse(why, PE_DECRYPTION_FAILED,
                      "share: expected an envelope sealed to this enclave's setup key");
    TRY(check_binding(e, p, &key, why)); // after the envelope: an earlier boot's share fails there
    return held_share_new(member, p->bound, p->approval->signature.p, &plaintext, out, why);
}

// The envelope as it is with the approvals of these shares.
static enum q_err envelope_with(const struct booted *b, const struct share_list *list,
                                struct arena *a, struct manifest_envelope *out)
{
    *out = b->envelope;
    return shares_approvals(list, &b->envelope.manifest.share_set, a, out);
}

static void record(struct enclave *e, const struct manifest_envelope *envelope)
{
    booted_record(e->booted, envelope->share_set_approvals.items, envelope->share_set_approvals.n);
}

static enum q_err answer_provision(struct exchange *x, bool reconstructed)
{
    struct message reply = {.tag = MSG_PROVISION_RESPONSE,
                            .provision_reply = {.reconstructed = reconstructed}};
    return answer(x, &reply);
}

// The share that was posted stands last in the list.
static void log_share(const struct share_list *list, const struct member_set *set)
{
    const struct held_share *posted = list->items[list->n - 1];
    BUF_AUTO alias = {0};
    if (text_display(set->members.items[posted->member].alias, &alias) == Q_OK &&
        buf_text(&alias) != NULL)
        log_info("provision: %sshare of %s, %zu of %u", posted->bound ? "signed " : "",
                 (const char *)alias.p, list->n, set->threshold);
}

// Not complete yet: hold the share, record its approval.
static enum q_err hold(struct enclave *e, struct exchange *x, const struct share_list *next,
                       struct held_share **posted)
{
    struct manifest_envelope envelope;
    PUBLISHED_STAGE_AUTO manifest = {0};
    TRY(envelope_with(e->booted, next, x->arena, &envelope));
    TRY(answer_provision(x, false));
    TRY(stage_manifest(e, &envelope, &manifest));
    TRY(published_publish(&manifest));
    record(e, &envelope);
    shares_become(&e->shares, next, *posted);
    log_share(&e->shares, &e->booted->envelope.manifest.share_set);
    *posted = NULL;
    return Q_OK;
}

// The shares made another key. What stays is decided by custody; the envelope follows.
static void forget(struct enclave *e, struct exchange *x, const struct share_list *failed,
                   struct held_share **posted)
{
    struct share_list next;
    struct manifest_envelope envelope;
    PUBLISHED_STAGE_AUTO manifest = {0};
    shares_after_failure(failed, &next);
    enum q_err err = envelope_with(e->booted, &next, x->arena, &envelope);
    if (err == Q_OK) {
        record(e, &envelope);
        err = stage_manifest(e, &envelope, &manifest);
    }
    if (err == Q_OK)
        err = published_publish(&manifest);
    if (err != Q_OK)
        log_error("manifest: share approvals of forgotten shares stay in the file: %s", err_text());
    shares_become(&e->shares, &next, *posted);
    *posted = NULL;
}

static enum q_err finish(struct enclave *e, struct exchange *x, const struct share_list *next,
                         struct p256_pair **quorum, struct held_share **posted)
{
    struct manifest_envelope envelope;
    const struct share_list none = {.n = 0};
    TRY(envelope_with(e->booted, next, x->arena, &envelope));
    TRY(answer_provision(x, true));
    TRY(quorum_key_complete(e, quorum, &envelope, "provision"));
    record(e, &envelope);
    shares_become(&e->shares, &none, *posted);
    *posted = NULL;
    return Q_OK;
}

static void log_dropped(const struct share_list *failed, const struct member_set *set)
{
    BUF_AUTO aliases = {0};
    if (shares_unsigned_aliases(failed, set, &aliases) == Q_OK && buf_text(&aliases) != NULL)
        log_warn("provision: the shares made another key than the manifest's; dropped the unsigned "
                 "shares posted as %s",
                 (const char *)aliases.p);
}

// What a member signed is held even where it met garbage under other members' names: its poster did nothing
// wrong, and hears of no error.
static enum q_err wrong_key(struct enclave *e, struct exchange *x, const struct share_list *failed,
                            struct held_share **posted)
{
    struct share_list left;
    shares_after_failure(failed, &left);
    if (shares_same(&left, &e->shares))
        return Q_REFUSED; // the posted share is all that is forgotten
    if (!shares_have(&left, *posted)) {
        forget(e, x, failed, posted);
        return Q_REFUSED;
    }
    log_dropped(failed, &e->booted->envelope.manifest.share_set);
    return hold(e, x, &left, posted);
}

static enum q_err complete(struct enclave *e, struct exchange *x, const struct share_list *next,
                           struct held_share **posted)
{
    const struct manifest *m = &e->booted->envelope.manifest;
    P256_PAIR_AUTO *pair = NULL;
    enum q_err err = shares_combine(next, &m->share_set, m->namespace.quorum_key, &pair, &x->why);
    if (err == Q_REFUSED)
        return wrong_key(e, x, next, posted);
    TRY(err);
    return finish(e, x, next, &pair, posted);
}

static enum q_err provision(struct enclave *e, struct exchange *x, const struct posting *p)
{
    const struct member_set *set = &e->booted->envelope.manifest.share_set;
    __attribute__((cleanup(held_share_free))) struct held_share *posted = NULL;
    struct share_list next;
    TRY(open_share(e, p, &posted, &x->why));
    TRY(shares_with(&e->shares, posted, set, &next, &x->why));
    return next.n < set->threshold ? hold(e, x, &next, &posted) : complete(e, x, &next, &posted);
}

enum q_err handle_provision(struct enclave *e, struct exchange *x)
{
    const struct provision_request *r = &x->request->provision;
    struct posting p = {.ciphertext = r->share, .approval = &r->approval};
    return provision(e, x, &p);
}

enum q_err handle_bound_provision(struct enclave *e, struct exchange *x)
{
    const struct bound_provision_request *r = &x->request->bound_provision;
    struct posting p = {
        .ciphertext = r->share, .approval = &r->approval, .bound = true, .binding = r->binding};
    return provision(e, x, &p);
}
