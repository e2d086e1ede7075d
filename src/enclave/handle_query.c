// Questions that change nothing: status, version, manifest envelope, live attestation, and our own state
// request (qos-behaviour 2.4).
#include "base/version.h"
#include "enclave/handlers.h"

#define COMPATIBLE_VERSION "0.13.0"

enum q_err handle_status(struct enclave *e, struct exchange *x)
{
    struct message reply = {.tag = MSG_STATUS_RESPONSE, .status = {.tag = phase_on_wire(e->phase)}};
    return answer(x, &reply);
}

enum q_err handle_version(struct enclave *e, struct exchange *x)
{
    (void)e;
    struct message reply = {
        .tag = MSG_VERSION_RESPONSE,
        .version = {.version = BYTES_LIT(COMPATIBLE_VERSION),
                    .commit = BYTES_LIT("quorate-" QUORATE_VERSION "-" QUORATE_GIT)},
    };
    return answer(x, &reply);
}

enum q_err handle_manifest_envelope(struct enclave *e, struct exchange *x)
{
    struct message reply = {.tag = MSG_MANIFEST_ENVELOPE_RESPONSE};
    reply.envelope.manifest_envelope = e->booted != NULL ? &e->booted->envelope : NULL;
    return answer(x, &reply);
}

static enum q_err refuse_without_key(struct exchange *x)
{
    enum q_err err = refuse(&x->why, PE_FAILED_TO_GET_EPHEMERAL_KEY,
                            "live attestation: this enclave has no ephemeral key");
    x->why.p256 =
        (struct p256_error_value){.tag = P256_IO_ERROR, .text = BYTES_LIT("no ephemeral key")};
    return err;
}

const struct p256_public *attested_key(const struct enclave *e)
{
    bool complete = phase_on_wire(e->phase) == PHASE_QUORUM_KEY_PROVISIONED;
    return keyring_public(e->keyring, complete ? KEY_LIVE : KEY_SETUP);
}

// The key that the ephemeral file of an application holds now.
enum q_err handle_live_attestation(struct enclave *e, struct exchange *x)
{
    const struct p256_public *public = attested_key(e);
    if (public == NULL || e->booted == NULL)
        return refuse_without_key(x);
    BUF_AUTO document = {0};
    if (tee_attest(e->tee, BYTES_OF(e->booted->manifest_hash), BYTES_NONE,
                   p256_public_bytes(public), &document) != Q_OK)
        return refuse_with_cause(x, PE_QOS_ATTEST_ERROR);
    struct message reply = {
        .tag = MSG_LIVE_ATTESTATION_DOC_RESPONSE,
        .live_attestation = {.nsm_response = {.tag = NSM_ATTESTATION,
                                              .attestation = {.data = buf_bytes(&document)}},
                             .manifest_envelope = &e->booted->envelope},
    };
    return answer(x, &reply);
}

// None for a key that comes, or came, from another enclave.
static uint32_t shares_needed(const struct enclave *e)
{
    if (e->reshare != NULL)
        return e->reshare->boot.plan.old_share_set.threshold;
    if (e->booted == NULL)
        return 0;
    const struct manifest_envelope *envelope = &e->booted->envelope;
    bool by_shares = e->phase == PHASE_WAITING_FOR_QUORUM_SHARDS ||
                     envelope->share_set_approvals.n > 0 || e->booted->share_hashes != NULL;
    return by_shares ? envelope->manifest.share_set.threshold : 0;
}

enum q_err handle_state(struct enclave *e, struct exchange *x)
{
    struct message reply = {.tag = MSG_QUORATE_STATE_RESPONSE};
    reply.state.phase.tag = phase_on_wire(e->phase);
    reply.state.pivot_running = e->supervisor != NULL && supervisor_running(e->supervisor);
    reply.state.tee = bytes_str(tee_name(e->tee));
    reply.state.shares_needed = shares_needed(e);
    bool complete = phase_on_wire(e->phase) == PHASE_QUORUM_KEY_PROVISIONED ||
                    (e->phase == PHASE_GENESIS_BOOTED && e->birth != BIRTH_GENESIS_HELD);
    reply.state.shares_held = complete ? reply.state.shares_needed : (uint32_t)e->shares.n;
    return answer(x, &reply);
}
