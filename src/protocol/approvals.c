// Approvals of a manifest by its manifest set, checked in the original's order (qos-behaviour 2.6
// step 1): unique members; per approval key, signature, membership, repetition; the threshold.
#include "protocol/manifest.h"

#include "crypto/p256.h"
#include "protocol/types_internal.h"

static enum q_err check_signature(const struct approval *a, const uint8_t hash[static SHA256_SIZE],
                                  const char *name, struct protocol_error *why)
{
    struct p256_public key;
    if (p256_public_parse(a->member.pub_key, &key) != Q_OK)
        return refuse_p256(why, PE_P256_ERROR, "approval of %s: public key", name);
    if (p256_verify(&key, bytes_of(hash, SHA256_SIZE), a->signature) == Q_OK)
        return Q_OK;
    (void)refuse_p256(why, PE_INVALID_MANIFEST_APPROVAL,
                      "approval of %s: expected a signature over this manifest's hash", name);
    if (why != NULL)
        why->approval = *a;
    return Q_REFUSED;
}

static bool approved_before(const struct manifest_envelope *e, size_t i)
{
    const struct approval *all = e->manifest_set_approvals.items;
    for (size_t k = 0; k < i; k++)
        if (member_equal(&all[k].member, &all[i].member))
            return true;
    return false;
}

static enum q_err check_one(const struct manifest_envelope *e, size_t i,
                            const uint8_t hash[static SHA256_SIZE], struct protocol_error *why)
{
    const struct approval *a = &e->manifest_set_approvals.items[i];
    BUF_AUTO shown = {0};
    const char *name = alias_shown(&a->member, &shown);
    TRY(check_signature(a, hash, name, why));
    if (!member_set_has(&e->manifest.manifest_set, &a->member))
        return refuse(why, PE_NOT_MANIFEST_SET_MEMBER,
                      "approval of %s: expected a member of the manifest set, by alias and key",
                      name);
    if (approved_before(e, i))
        return refuse(why, PE_DUPLICATE_APPROVAL, "approval of %s: there is one already", name);
    return Q_OK;
}

static enum q_err check_sizes(const struct manifest_envelope *e, struct protocol_error *why)
{
    size_t members = e->manifest.manifest_set.members.n, approvals = e->manifest_set_approvals.n;
    if (members <= VOTERS_MAX && approvals <= VOTERS_MAX)
        return Q_OK;
    return refuse(why, PE_INVALID_MSG,
                  "manifest set: expected at most %d members and %d approvals, got %zu and %zu",
                  VOTERS_MAX, VOTERS_MAX, members, approvals);
}

enum q_err envelope_check_approvals(const struct manifest_envelope *e, struct protocol_error *why)
{
    const struct member_set *set = &e->manifest.manifest_set;
    uint8_t hash[SHA256_SIZE];
    TRY(check_sizes(e, why));
    TRY(err_context(members_unique(set->members.items, set->members.n, why), "manifest set"));
    if (manifest_hash(&e->manifest, hash) != Q_OK)
        return refuse(why, PE_INVALID_MSG, "manifest: %s", err_text());
    size_t n = e->manifest_set_approvals.n;
    for (size_t i = 0; i < n; i++)
        TRY(check_one(e, i, hash, why));
    if (n < set->threshold)
        return refuse(why, PE_NOT_ENOUGH_APPROVALS,
                      "manifest set: expected at least %u approvals, got %zu", set->threshold, n);
    return Q_OK;
}
