// Thresholds that people can meet (design "Thresholds"; qos-behaviour 2.5, 2.6). Decoders accept
// any.
#include "protocol/manifest.h"

#define SHARES_MAX 255 // x of a Shamir share is one byte, not 0

static enum q_err refuse_shares(struct protocol_error *why, const char *text, const char *what,
                                uint32_t threshold, size_t members)
{
    (void)refuse(why, PE_QOS_CRYPTO,
                 "%s: expected 2 <= threshold <= members <= %d, got threshold %u of %zu members",
                 what, SHARES_MAX, threshold, members);
    if (why != NULL)
        why->text = bytes_str(text);
    return Q_REFUSED;
}

static enum q_err check_shares(const char *what, uint32_t threshold, size_t members,
                               struct protocol_error *why)
{
    if (threshold < 2)
        return refuse_shares(why, "Vsss(SharingMinThreshold)", what, threshold, members);
    if (members < threshold)
        return refuse_shares(why, "Vsss(SharingLimitLessThanThreshold)", what, threshold, members);
    if (members > SHARES_MAX)
        return refuse_shares(why, "Vsss(SharingMaxRequest)", what, threshold, members);
    return Q_OK;
}

static enum q_err check_votes(const char *what, uint32_t lowest, uint32_t threshold, size_t members,
                              struct protocol_error *why)
{
    if (threshold >= lowest && threshold <= members && members <= VOTERS_MAX)
        return Q_OK;
    return refuse(why, PE_NOT_ENOUGH_APPROVALS,
                  "%s: expected %u <= threshold <= members <= %d, got threshold %u of %zu members",
                  what, lowest, VOTERS_MAX, threshold, members);
}

bool share_set_is_development(const struct member_set *s)
{
    return s->members.n == 1 && s->threshold == 2;
}

enum q_err manifest_check_thresholds(const struct manifest *m, struct protocol_error *why)
{
    const struct member_set *manifest_set = &m->manifest_set, *share_set = &m->share_set;
    TRY(check_votes("manifest set", 1, manifest_set->threshold, manifest_set->members.n, why));
    if (!share_set_is_development(share_set))
        TRY(check_shares("share set", share_set->threshold, share_set->members.n, why));
    TRY(check_votes("patch set", 0, m->patch_set.threshold, m->patch_set.members.n, why));
    TRY(err_context(members_unique(manifest_set->members.items, manifest_set->members.n, why),
                    "manifest set"));
    return err_context(members_unique(share_set->members.items, share_set->members.n, why),
                       "share set");
}

enum q_err genesis_set_check(const struct genesis_set *s, struct protocol_error *why)
{
    TRY(err_context(members_unique(s->members.items, s->members.n, why), "genesis set"));
    return check_shares("genesis set", s->threshold, s->members.n, why);
}

enum q_err manifest_set_check(const char *what, const struct member_set *s,
                              struct protocol_error *why)
{
    TRY(check_votes(what, 1, s->threshold, s->members.n, why));
    return err_context(members_unique(s->members.items, s->members.n, why), "%s", what);
}

enum q_err share_set_check(const char *what, const struct member_set *s, struct protocol_error *why)
{
    TRY(err_context(members_unique(s->members.items, s->members.n, why), "%s", what));
    return check_shares(what, s->threshold, s->members.n, why);
}
