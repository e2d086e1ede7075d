// Genesis output as a file and as what members check (qos-wire 4.2, 7.3). The layout of release
// 0.13.0 and older is recognised only to be refused by name.
#include "protocol/genesis.h"

#include "codec/borsh.h"
#include "protocol/manifest.h"
#include "protocol/types_internal.h"

#include <stdio.h>

enum q_err genesis_output_read(struct bytes file, struct arena *a, struct genesis_output *out)
{
    enum q_err read = borsh_decode(&type_genesis_output, file, a, out);
    if (read == Q_OK)
        return Q_OK;
    char cause[Q_ERR_TEXT_SIZE];
    (void)snprintf(cause, sizeof cause, "%s", err_text());
    if (genesis_output_is_legacy(file))
        return fail(Q_UNSUPPORTED,
                    "genesis output: expected the layout with set and dr_key, got one "
                    "written by release 0.13.0 or older");
    return fail(read, "%s", cause);
}

enum q_err genesis_output_write(const struct genesis_output *g, struct buf *out)
{
    return borsh_encode(&type_genesis_output, g, out);
}

enum q_err genesis_output_hash(const struct genesis_output *g, uint8_t out[static SHA256_SIZE])
{
    BUF_AUTO encoded = {0};
    TRY(genesis_output_write(g, &encoded));
    return sha256(buf_bytes(&encoded), out);
}

static enum q_err mismatch(const char *what)
{
    return fail(Q_REFUSED, "GenesisOutputDoesNotMatchRequest: %s", what);
}

static bool same_members(const struct genesis_set *a, const struct genesis_set *b)
{
    if (a->members.n != b->members.n)
        return false;
    for (size_t i = 0; i < a->members.n; i++)
        if (!member_equal(&a->members.items[i], &b->members.items[i]))
            return false;
    return true;
}

enum q_err genesis_output_matches(const struct genesis_output *g, const struct genesis_set *set,
                                  struct bytes dr_key)
{
    if (g->set.threshold != set->threshold)
        return fail(Q_REFUSED, "GenesisOutputDoesNotMatchRequest: threshold: expected %u, got %u",
                    set->threshold, g->set.threshold);
    if (!same_members(&g->set, set))
        return mismatch("set: expected the members that were sent, in that order");
    if ((g->dr_key.p == NULL) != (dr_key.p == NULL) || !bytes_equal(g->dr_key, dr_key))
        return mismatch("dr_key: expected the key that was sent, or none when none was sent");
    if (g->member_outputs.n != set->members.n)
        return fail(Q_REFUSED,
                    "GenesisOutputDoesNotMatchRequest: member_outputs: expected %zu, got %zu",
                    set->members.n, g->member_outputs.n);
    for (size_t i = 0; i < set->members.n; i++)
        if (!member_equal(&g->member_outputs.items[i].share_set_member, &set->members.items[i]))
            return mismatch("member_outputs: expected one per member of the set, in its order");
    return Q_OK;
}

enum q_err genesis_output_find(const struct genesis_output *g, const struct member *m,
                               const struct genesis_member_output **out)
{
    for (size_t i = 0; i < g->member_outputs.n; i++) {
        if (!member_equal(&g->member_outputs.items[i].share_set_member, m))
            continue;
        *out = &g->member_outputs.items[i];
        return Q_OK;
    }
    BUF_AUTO shown = {0};
    return fail(Q_MISSING,
                "genesis output: expected an output for member %s with this key, got none",
                alias_shown(m, &shown));
}
