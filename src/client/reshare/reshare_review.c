// Wording of the questions and warnings of a resharing (see reshare_review.h).
#include "client/reshare/reshare_review.h"

#include "base/hex.h"
#include "base/log.h"
#include "base/text.h"
#include "client/genesis/genesis_files.h"
#include "client/manifest/review.h"
#include "client/prompt.h"

#include <inttypes.h>
#include <stdio.h>

static enum q_err ask_name(const struct prompt *p, struct bytes name)
{
    BUF_AUTO q = {0};
    TRY(buf_append_str(&q, "Is this the correct namespace name: "));
    TRY(text_display(name, &q));
    TRY(buf_append_str(&q, "? (y/n)"));
    return review_ask(p, &q);
}

static enum q_err ask_epoch(const struct prompt *p, uint64_t epoch)
{
    BUF_AUTO q = {0};
    TRY(buf_printf(&q, "Is this the correct epoch of the new shares: %" PRIu64 "? (y/n)", epoch));
    return review_ask(p, &q);
}

static enum q_err ask_set(const struct prompt *p, const struct member_set *set, const char *before,
                          const char *question)
{
    BUF_AUTO q = {0};
    TRY(buf_printf(&q, "%s (any %u of these %zu):\n", before, set->threshold, set->members.n));
    for (size_t i = 0; i < set->members.n; i++) {
        const struct member *m = &set->members.items[i];
        uint8_t hash[SHA256_SIZE];
        TRY(sha256(m->pub_key, hash));
        TRY(buf_append_str(&q, "\talias: "));
        TRY(text_display(m->alias, &q));
        TRY(buf_append_str(&q, ", key: "));
        TRY(hex_encode(bytes_of(hash, 8), &q)); // enough to tell two keys of one name apart
        TRY(buf_append_str(&q, "\n"));
    }
    TRY(buf_append_str(&q, question));
    return review_ask(p, &q);
}

static enum q_err ask_role(const struct prompt *p, struct bytes role)
{
    BUF_AUTO q = {0};
    TRY(buf_append_str(&q, "Does this AWS IAM role belong to the intended organization: "));
    TRY(text_display(role, &q));
    TRY(buf_append_str(&q, "? (y/n)"));
    return review_ask(p, &q);
}

static enum q_err ask_recovery(const struct prompt *p, const struct reshare_plan *plan)
{
    BUF_AUTO q = {0};
    if (plan->dr_key.p == NULL)
        return Q_OK;
    TRY(dr_key_announce(plan->dr_key));
    TRY(buf_append_str(&q, "One disaster recovery key gets the WHOLE quorum key. Is that intended? "
                           "(y/n)"));
    return review_ask(p, &q);
}

static enum q_err ask_power(const struct prompt *p, const struct reshare_plan *plan)
{
    BUF_AUTO q = {0};
    if (plan->new_key)
        TRY(buf_append_str(&q, "A NEW quorum key will be made, and the present one signs the "
                               "hand-over to it. Is that intended? (y/n)"));
    else
        TRY(buf_printf(&q,
                       "The quorum key stays the same. The shares of epoch %" PRIu64
                       " keep their power until they are destroyed: any %u of those %zu still "
                       "rebuild it. Is that intended? (y/n)",
                       plan->epoch - 1, plan->old_share_set.threshold,
                       plan->old_share_set.members.n));
    return review_ask(p, &q);
}

static enum q_err check_named(const struct options *o, const char *option)
{
    if (options_value(o, option) != NULL)
        return Q_OK;
    return fail(Q_REFUSED,
                "--unsafe-auto-confirm: expected --%s to compare the plan with, found nobody asked "
                "and nothing compared",
                option);
}

static enum q_err check_compared(const struct options *o, const struct reshare_plan *plan)
{
    TRY(check_named(o, "share-set-dir"));
    return plan->dr_key.p == NULL ? Q_OK : check_named(o, "dr-key-path");
}

enum q_err reshare_review(const struct options *o, const struct planned *planned, struct bytes role)
{
    const struct prompt prompt = {stdin, stdout};
    const struct prompt *p = &prompt;
    const struct reshare_plan *plan = &planned->plan;
    TRY(reshare_show_hash("Reshare plan hash", planned->hash));
    if (options_given(o, "unsafe-auto-confirm"))
        return check_compared(o, plan);
    TRY(ask_name(p, plan->namespace));
    TRY(ask_epoch(p, plan->epoch));
    TRY(ask_set(p, &plan->old_share_set, "These members hold the shares now",
                "Is this the correct old share set? (y/n)"));
    TRY(ask_set(p, &plan->new_share_set, "These members will hold the new shares",
                "Is this the correct new share set? (y/n)"));
    TRY(ask_role(p, role));
    TRY(ask_recovery(p, plan));
    return ask_power(p, plan);
}

void reshare_warn(const struct reshare_plan *p)
{
    if (p->new_key)
        log_warn("old shares keep their power over the OLD quorum key: until nothing trusts that "
                 "key any "
                 "more, any %u of the %zu shares of epoch %" PRIu64 " can sign and decrypt with it",
                 p->old_share_set.threshold, p->old_share_set.members.n, p->epoch - 1);
    else
        log_warn(
            "old shares keep their power: any %u of the %zu shares of epoch %" PRIu64
            " still rebuild the same quorum key. Have them destroyed (reshare destroyed). When "
            "shares may be in other hands, only a new key helps: reshare plan --new-key",
            p->old_share_set.threshold, p->old_share_set.members.n, p->epoch - 1);
}

enum q_err reshare_show_hash(const char *what, const uint8_t hash[static SHA256_SIZE])
{
    BUF_AUTO hex = {0};
    TRY(hex_encode(bytes_of(hash, SHA256_SIZE), &hex));
    const char *text = buf_text(&hex);
    if (text == NULL)
        return Q_NOMEM;
    fprintf(stderr, "%s: %s\n", what, text);
    return Q_OK;
}
