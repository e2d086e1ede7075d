// Epochs one after the other: from a genesis through every resharing (see reshare.h).
#include "protocol/reshare.h"

#include "protocol/manifest.h"

#include <inttypes.h>
#include <string.h>

enum q_err share_epoch_of_genesis(const struct genesis_output *g, struct share_epoch *out)
{
    *out = (struct share_epoch){.epoch = 0, .shares = g, .namespace = BYTES_NONE};
    return genesis_output_hash(g, out->hash);
}

enum q_err share_epoch_of_output(const struct reshare_output *o, struct share_epoch *out)
{
    *out = (struct share_epoch){
        .epoch = o->plan.epoch, .shares = &o->shares, .namespace = o->plan.namespace};
    return reshare_output_hash(o, out->hash);
}

static enum q_err copy_hashes(const struct genesis_output *g, struct arena *a,
                              struct reshare_plan *out)
{
    void *room;
    size_t n = g->member_outputs.n;
    TRY(arena_array(a, n, sizeof *out->old_share_hashes.items, &room));
    out->old_share_hashes.items = room;
    out->old_share_hashes.n = n;
    for (size_t i = 0; i < n; i++)
        memcpy(out->old_share_hashes.items[i].bytes, g->member_outputs.items[i].share_hash,
               SHA512_SIZE);
    return Q_OK;
}

// A genesis output's two lists of members say the same, or it is none that a genesis made.
enum q_err reshare_plan_after(const struct share_epoch *before, struct arena *a,
                              struct reshare_plan *out)
{
    const struct genesis_output *g = before->shares;
    TRY(genesis_output_matches(g, &g->set, g->dr_key));
    if (before->epoch == UINT64_MAX)
        return fail(Q_LIMIT, "epoch: there is none after %" PRIu64, before->epoch);
    *out = (struct reshare_plan){
        .format = BYTES_LIT(RESHARE_PLAN_FORMAT),
        .namespace = before->namespace,
        .epoch = before->epoch + 1,
        .quorum_key = g->quorum_key,
        .old_share_set = {.threshold = g->set.threshold,
                          .members = {g->set.members.items, g->set.members.n}},
    };
    memcpy(out->previous, before->hash, SHA256_SIZE);
    return copy_hashes(g, a, out);
}

static bool same_hashes(const struct reshare_plan *a, const struct reshare_plan *b)
{
    if (a->old_share_hashes.n != b->old_share_hashes.n)
        return false;
    for (size_t i = 0; i < a->old_share_hashes.n; i++)
        if (!bytes_equal(BYTES_OF(a->old_share_hashes.items[i].bytes),
                         BYTES_OF(b->old_share_hashes.items[i].bytes)))
            return false;
    return true;
}

static enum q_err differs(const char *what)
{
    return fail(Q_REFUSED,
                "reshare plan: %s: expected that of the epoch before, found another: the plan was "
                "made after another genesis or resharing",
                what);
}

enum q_err reshare_plan_follows(const struct reshare_plan *p, const struct share_epoch *before)
{
    ARENA_AUTO a = {0};
    struct reshare_plan expected;
    TRY(reshare_plan_after(before, &a, &expected));
    if (p->epoch != expected.epoch)
        return fail(Q_REFUSED,
                    "reshare plan: epoch: expected %" PRIu64 ", found %" PRIu64
                    ": another resharing lies between, or the plan is an old one",
                    expected.epoch, p->epoch);
    if (!bytes_equal(BYTES_OF(p->previous), BYTES_OF(expected.previous)))
        return differs("hash of the output before");
    if (!bytes_equal(p->quorum_key, expected.quorum_key))
        return differs("quorum key");
    if (!member_set_equal(&p->old_share_set, &expected.old_share_set))
        return differs("old share set");
    if (!same_hashes(p, &expected))
        return differs("hashes of the old shares");
    if (expected.namespace.p != NULL && !bytes_equal(p->namespace, expected.namespace))
        return differs("namespace");
    return Q_OK;
}
