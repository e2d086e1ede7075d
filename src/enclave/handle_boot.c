// Boot standard and boot for a forwarded key (qos-behaviour 2.6), which differ in the key they wait for: their checks
// and their answers. What a boot does is in boot.h.
#include "enclave/handlers.h"

#include "base/log.h"
#include "base/text.h"
#include "enclave/boot.h"

// What a boot is for.
struct boot_kind {
    enum message_kind reply;
    enum phase next;
};

// One of them under way, for its answer.
struct booting {
    struct exchange *exchange;
    const struct boot_kind *kind;
};

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

// An application reads a seed from which HKDF makes the keys; of the REST API's own suite it would make others.
static enum q_err check_suite(const struct p256_public *quorum, struct exchange *x)
{
    if (p256_public_suite(quorum) == P256_SUITE_QOS)
        return Q_OK;
    return refuse(&x->why, PE_INVALID_MSG,
                  "manifest: expected a quorum key of two different points, found one point twice: "
                  "a key of the REST API's 65-byte members is used there only");
}

// Where a key is pinned at the start, no other comes here by any route, whoever approved it.
static enum q_err check_pin(const struct enclave *e, const struct p256_public *quorum,
                            struct exchange *x)
{
    struct bytes theirs = p256_public_bytes(quorum),
                 ours = p256_public_bytes(&e->pinned_quorum_key);
    if (!e->has_pinned_quorum_key || bytes_equal(ours, theirs))
        return Q_OK;
    return refuse_different_bytes(&x->why, PE_DIFFERENT_QUORUM_KEY, "pinned quorum key", ours,
                                  theirs, x->arena);
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
    TRY(check_suite(&quorum, x));
    return check_pin(e, &quorum, x);
}

static enum q_err answer_attested(void *context, struct enclave *e, const struct boot_stage *s,
                                  struct bytes document)
{
    struct booting *b = context;
    struct message reply = {
        .tag = b->kind->reply,
        .nsm = {.nsm_response = {.tag = NSM_ATTESTATION, .attestation = {.data = document}}},
    };
    (void)e;
    (void)s;
    return answer(b->exchange, &reply);
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
    struct booting b = {.exchange = x, .kind = kind};
    const struct boot_witness witness = {
        .say = answer_attested, .context = &b, .arena = x->arena, .why = &x->why};
    BOOT_STAGE_AUTO s = {0};
    TRY(check_boot(e, request, x));
    TRY(boot_stage(e, &request->manifest_envelope, &request->pivot, &s, &x->why));
    TRY(boot_commit(e, &s, &witness, BIRTH_KEY_DROPPED, kind->next));
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
