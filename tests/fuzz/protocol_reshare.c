// Fuzz target: bytes as the files of a resharing. The first byte chooses plan or output; what is read is the only
// form of itself, keeps its rules, and judging it against others ends.
#include "protocol/reshare.h"

#include "codec/json.h"
#include "crypto/p256.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool held)
{
    if (!held)
        abort();
}

static void check_plan(struct bytes in)
{
    ARENA_AUTO a = {0};
    BUF_AUTO again = {0};
    struct reshare_plan p;
    uint8_t hash[SHA256_SIZE];
    if (reshare_plan_read(in, &a, &p) != Q_OK)
        return;
    must(reshare_plan_write(&p, &again) == Q_OK && bytes_equal(buf_bytes(&again), in));
    must(p.epoch >= 1 && p.old_share_hashes.n == p.old_share_set.members.n);
    must(p.new_share_set.threshold >= 2 && p.new_share_set.threshold <= p.new_share_set.members.n);
    must(reshare_plan_hash(&p, hash) == Q_OK);
    must(reshare_approvals_check(&p, hash, RESHARE_ROLE_SHARE, NULL, 0, NULL) == Q_REFUSED);
}

// An output that holds is followed by a plan that follows it.
static void check_output(struct bytes in)
{
    ARENA_AUTO a = {0};
    BUF_AUTO again = {0};
    struct reshare_output o;
    struct reshare_plan next;
    struct share_epoch epoch;
    if (reshare_output_read(in, &a, &o) != Q_OK)
        return;
    must(reshare_output_write(&o, &again) == Q_OK && bytes_equal(buf_bytes(&again), in));
    must((o.handover != NULL) == o.plan.new_key);
    must(share_epoch_of_output(&o, &epoch) == Q_OK);
    if (reshare_plan_after(&epoch, &a, &next) != Q_OK)
        return;
    must(reshare_plan_follows(&next, &epoch) == Q_OK);
    must(reshare_plan_follows(&o.plan, &epoch) == Q_REFUSED);
}

// The shape alone, so that the rules see what is no file of ours.
static void judge(struct bytes in)
{
    ARENA_AUTO a = {0};
    struct reshare_output o;
    if (json_decode(&type_reshare_output, in, &a, &o) == Q_OK)
        (void)reshare_output_check(&o);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    struct bytes in = bytes_of(data + 1, size - 1);
    if (data[0] == 'p')
        check_plan(in);
    else if (data[0] == 'o')
        check_output(in);
    else
        judge(in);
    return 0;
}
