// Old shares in, new shares out (see reshare.h).
#include "custody/reshare.h"

#include "base/text.h"
#include "custody/genesis.h"

#include <inttypes.h>

enum q_err reshare_share_check(const struct reshare_plan *p, const struct held_share *posted,
                               struct protocol_error *why)
{
    uint8_t hash[SHA512_SIZE];
    TRY(sha512(secret_bytes(&posted->share), hash));
    if (secret_equal(BYTES_OF(hash), BYTES_OF(p->old_share_hashes.items[posted->member].bytes)))
        return Q_OK;
    BUF_AUTO alias = {0};
    bool shown = text_display(p->old_share_set.members.items[posted->member].alias, &alias) == Q_OK;
    const char *name = shown ? buf_text(&alias) : NULL;
    return refuse(why, PE_INVALID_SHARE,
                  "share of %s: expected the share that epoch %" PRIu64 " gave this member, got "
                  "another",
                  name != NULL ? name : "a member", p->epoch - 1);
}

static enum q_err sign_into(const struct p256_pair *pair, struct bytes message, struct arena *a,
                            struct bytes *out)
{
    uint8_t signature[P256_SIGNATURE_SIZE];
    TRY(p256_sign(pair, message, signature));
    return arena_copy(a, BYTES_OF(signature), out);
}

static enum q_err hand_over(const struct reshare_plan *p, const struct p256_pair *old,
                            const struct p256_pair *new, struct arena *a,
                            struct reshare_output *out)
{
    uint8_t hash[SHA256_SIZE];
    BUF_AUTO message = {0};
    void *room;
    TRY(reshare_plan_hash(p, hash));
    TRY(reshare_handover_message(p, hash, p256_public_bytes(p256_pair_public(new)), &message));
    TRY(arena_alloc(a, sizeof *out->handover, &room));
    out->handover = room;
    TRY(sign_into(old, buf_bytes(&message), a, &out->handover->by_old));
    return sign_into(new, buf_bytes(&message), a, &out->handover->by_new);
}

enum q_err reshare_make(const struct reshare_plan *p, const struct share_list *old, struct arena *a,
                        struct reshare_output *out, struct protocol_error *why)
{
    P256_PAIR_AUTO *now = NULL;
    P256_PAIR_AUTO *new = NULL;
    const struct genesis_set set = {
        .members = {p->new_share_set.members.items, p->new_share_set.members.n},
        .threshold = p->new_share_set.threshold};
    TRY(shares_combine(old, &p->old_share_set, p->quorum_key, &now, why));
    if (!p->new_key)
        return genesis_hand_out(now, &set, p->dr_key, a, &out->shares, why);
    TRY(p256_pair_generate(&new));
    TRY(genesis_hand_out(new, &set, p->dr_key, a, &out->shares, why));
    return hand_over(p, now, new, a, out);
}
