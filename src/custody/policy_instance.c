// The window of time, and which of the two rules decides (see policy_instance.h).
#include "custody/policy_instance.h"

#include <inttypes.h>

// Neither time is negative: the evidence's reader takes no such.
static enum q_err check_time(const struct transfer_sides *sides)
{
    int64_t ours = sides->self.timestamp_ms, theirs = sides->peer.timestamp_ms;
    if (ours <= 0 || theirs <= 0)
        return fail(Q_ATTESTATION, "expected evidence with a time on both sides, found some "
                                   "without");
    int64_t age = ours - theirs;
    if (age >= -INSTANCE_EVIDENCE_WINDOW_MS && age <= INSTANCE_EVIDENCE_WINDOW_MS)
        return Q_OK;
    return fail(Q_ATTESTATION,
                "expected a document made within %d seconds of our own TEE's time, found one made "
                "%" PRId64 " seconds %s it",
                INSTANCE_EVIDENCE_WINDOW_MS / 1000, (age < 0 ? -age : age) / 1000,
                age < 0 ? "after" : "before");
}

static enum q_err same_manifest(const struct forward_terms *t, bool *same)
{
    uint8_t ours[SHA256_SIZE], theirs[SHA256_SIZE];
    TRY(manifest_hash(t->ours, ours));
    TRY(manifest_hash(&t->theirs->manifest, theirs));
    *same = bytes_equal(BYTES_OF(ours), BYTES_OF(theirs));
    return Q_OK;
}

static enum q_err ask(const void *terms, const struct transfer_sides *sides, struct arena *a,
                      struct protocol_error *why)
{
    const struct forward_terms *t = terms;
    const struct transfer_policy forward = forward_policy(t);
    bool same;
    if (check_time(sides) != Q_OK)
        return forward_refuse_evidence(a, why);
    TRY(same_manifest(t, &same));
    return same ? forward_check_peer(t, sides, a, why) : forward.ask(forward.terms, sides, a, why);
}

struct transfer_policy instance_policy(const struct forward_terms *t)
{
    return (struct transfer_policy){.ask = ask, .terms = t};
}
