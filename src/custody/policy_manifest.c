// The rules over an offered manifest, one function each (see policy_manifest.h).
#include "custody/policy_manifest.h"

static enum q_err check_sets(const struct manifest_envelope *e, struct protocol_error *why)
{
    const struct manifest *m = &e->manifest;
    TRY(manifest_set_check("manifest set", &m->manifest_set, why));
    TRY(share_set_check("share set", &m->share_set, why));
    if (e->share_set_approvals.n > 0)
        return refuse(why, PE_BAD_SHARE_SET_APPROVALS,
                      "manifest envelope: expected no share set approvals, got %zu",
                      e->share_set_approvals.n);
    return Q_OK;
}

static enum q_err check_key(const struct manifest *m, const struct manifest_receiver *r,
                            struct p256_public *out, struct protocol_error *why)
{
    if (p256_public_parse(m->namespace.quorum_key, out) != Q_OK)
        return refuse_p256(why, PE_P256_ERROR, "manifest: quorum key");
    if (r->pinned == NULL || bytes_equal(p256_public_bytes(out), p256_public_bytes(r->pinned)))
        return Q_OK;
    return refuse(why, PE_DIFFERENT_QUORUM_KEY,
                  "manifest: expected the quorum key that is pinned at this enclave's start, found "
                  "another");
}

static enum q_err check_signature(const struct manifest_offer *o, const struct p256_public *quorum)
{
    uint8_t hash[SHA256_SIZE];
    TRY(manifest_hash(&o->envelope->manifest, hash));
    if (p256_verify(quorum, BYTES_OF(hash), o->quorum_key_signature) == Q_OK)
        return Q_OK;
    return fail(Q_REFUSED,
                "quorum_key_signature: expected the manifest's hash signed by its quorum "
                "key, found another signature");
}

static enum q_err check_word(const struct manifest_offer *o, const struct manifest_receiver *r,
                             const struct p256_public *quorum, struct protocol_error *why)
{
    bool itself = o->quorum_key_signature.p != NULL;
    if (itself)
        TRY(check_signature(o, quorum));
    if (o->envelope->manifest_set_approvals.n > 0)
        return envelope_check_approvals(o->envelope, why);
    if (itself && (r->relaxed || r->pinned != NULL))
        return Q_OK;
    return refuse(
        why, PE_NOT_ENOUGH_APPROVALS, "%s",
        r->relaxed ? "manifest: expected the quorum key's signature (quorum_key_signature) or "
                     "approvals of the manifest set, found neither"
                   : "manifest: expected approvals of the manifest set, or a quorum key that is "
                     "pinned at this enclave's start (--pinned-quorum-key) and its signature: on "
                     "hardware a manifest does not speak for itself");
}

enum q_err manifest_offer_check(const struct manifest_offer *o, const struct manifest_receiver *r,
                                struct protocol_error *why)
{
    struct p256_public quorum;
    TRY(check_sets(o->envelope, why));
    TRY(check_key(&o->envelope->manifest, r, &quorum, why));
    return check_word(o, r, &quorum, why);
}
