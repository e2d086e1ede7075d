// Asking and verifying (see live_enclave.h).
#include "client/boot/live_enclave.h"

#include "client/audit_trail.h"
#include "protocol/manifest.h"

// The host may lie about the phase; the commitment in the document then does not hold.
static enum q_err check_phase(const struct host_link *host, enum phase expected, struct arena *a)
{
    const struct message request = {.tag = MSG_STATUS_REQUEST};
    struct message reply;
    TRY(host_post(host, &request, a, &reply));
    TRY(reply_expect(&reply, MSG_STATUS_RESPONSE));
    if (reply.status.tag == (uint32_t)expected)
        return Q_OK;
    return fail(Q_REFUSED, "NoMatchingRoute(%s): expected an enclave in phase %s",
                phase_name((enum phase)reply.status.tag), phase_name(expected));
}

static enum q_err fetch(const struct host_link *host, struct arena *a, struct bytes *document,
                        struct manifest_envelope *out)
{
    const struct message request = {.tag = MSG_LIVE_ATTESTATION_DOC_REQUEST};
    struct message reply;
    TRY(host_post(host, &request, a, &reply));
    TRY(reply_expect(&reply, MSG_LIVE_ATTESTATION_DOC_RESPONSE));
    if (reply.live_attestation.manifest_envelope == NULL)
        return fail(Q_MISSING, "enclave: expected a manifest envelope, found none");
    *out = *reply.live_attestation.manifest_envelope;
    return reply_document(&reply.live_attestation.nsm_response, document);
}

enum q_err live_enclave_verify(const struct host_link *host, const struct verification *v,
                               enum phase expected, const struct manifest_envelope *wanted,
                               struct arena *a, struct manifest_envelope *out)
{
    struct bytes document;
    struct claims claims;
    TRY(check_phase(host, expected, a));
    TRY(fetch(host, a, &document, out));
    if (wanted != NULL)
        *out = *wanted;
    audit_note_manifest(&out->manifest);
    TRY(evidence_manifest_ready(v, &out->manifest));
    TRY(evidence_read(v, document, a, &claims));
    TRY(evidence_check_fresh(v, &claims));
    TRY(expected == PHASE_QUORUM_KEY_PROVISIONED
            ? evidence_check_live(v, &claims, &out->manifest)
            : evidence_check_setup(v, &claims, &out->manifest));
    return envelope_check_approvals(out, NULL);
}
