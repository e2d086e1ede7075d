// Posted shares: which one counts, and what they rebuild (see shares.h).
#include "custody/shares.h"

#include "base/text.h"

#include <stdlib.h>
#include <string.h>

static enum q_err check_plaintext(const struct secret *plaintext, struct protocol_error *why)
{
    if (plaintext->n != SHARE_SIZE)
        return refuse(why, PE_INVALID_SHARE, "share: expected %d bytes, got %zu", SHARE_SIZE,
                      plaintext->n);
    if (plaintext->p[0] == 0)
        return refuse(why, PE_INVALID_SHARE, "share: expected x from 1 to 255, got 0");
    return Q_OK;
}

enum q_err held_share_new(size_t member, bool bound,
                          const uint8_t signature[static P256_SIGNATURE_SIZE],
                          struct secret *plaintext, struct held_share **out,
                          struct protocol_error *why)
{
    *out = NULL;
    enum q_err err = check_plaintext(plaintext, why);
    struct held_share *held = err == Q_OK ? calloc(1, sizeof *held) : NULL;
    if (held == NULL) {
        secret_free(plaintext);
        return err != Q_OK ? err : fail(Q_NOMEM, "share: no memory");
    }
    held->member = member;
    held->bound = bound;
    memcpy(held->signature, signature, sizeof held->signature);
    held->share = *plaintext;
    *plaintext = (struct secret){NULL, 0};
    *out = held;
    return Q_OK;
}

void held_share_free(struct held_share **s)
{
    if (*s == NULL)
        return;
    secret_free(&(*s)->share);
    free(*s);
    *s = NULL;
}

static uint8_t x_of(const struct held_share *s)
{
    return s->share.p[0];
}

// The member's alias as people may see it.
static enum q_err append_alias(const struct member_set *set, size_t member, struct buf *out)
{
    return text_display(set->members.items[member].alias, out);
}

static const char *alias_of(const struct member_set *set, size_t member, struct buf *storage)
{
    buf_clear(storage);
    if (append_alias(set, member, storage) != Q_OK)
        return "?";
    const char *text = buf_text(storage);
    return text != NULL ? text : "?";
}

static enum q_err refuse_repeated_x(const struct held_share *posted, const struct held_share *held,
                                    const struct member_set *set, struct protocol_error *why)
{
    BUF_AUTO mine = {0}, theirs = {0};
    enum q_err err =
        refuse(why, PE_QOS_CRYPTO, "share of %s: its x is that of the share of %s",
               alias_of(set, posted->member, &mine), alias_of(set, held->member, &theirs));
    if (why != NULL)
        why->text = BYTES_LIT("Vsss(SharingDuplicateIdentifier)");
    return err;
}

static enum q_err refuse_unbound(const struct held_share *posted, const struct member_set *set,
                                 struct protocol_error *why)
{
    BUF_AUTO alias = {0};
    return refuse(why, PE_INVALID_SHARE,
                  "share of %s: is not signed and cannot replace the signed one that is held",
                  alias_of(set, posted->member, &alias));
}

// Whether posted stands for the same contribution as held: the same member's, and in a development share
// set also the same x.
static bool is_same_place(const struct held_share *posted, const struct held_share *held,
                          bool development)
{
    return posted->member == held->member && (!development || x_of(posted) == x_of(held));
}

enum q_err shares_with(const struct share_list *now, struct held_share *posted,
                       const struct member_set *set, struct share_list *next,
                       struct protocol_error *why)
{
    bool development = share_set_is_development(set);
    next->n = 0;
    for (size_t i = 0; i < now->n; i++) {
        struct held_share *held = now->items[i];
        bool same_place = is_same_place(posted, held, development);
        if (!same_place && x_of(posted) != x_of(held)) {
            next->items[next->n++] = held;
            continue;
        }
        if (same_place && held->bound && !posted->bound)
            return refuse_unbound(posted, set, why);
        if (!same_place && (held->bound || !posted->bound))
            return refuse_repeated_x(posted, held, set, why);
    }
    if (next->n == SHAMIR_MAX_SHARES)
        return refuse(why, PE_INVALID_SHARE, "share: expected at most %d, got one more",
                      SHAMIR_MAX_SHARES);
    next->items[next->n++] = posted;
    return Q_OK;
}

// "alice, bob (not signed)"
static enum q_err append_aliases(const struct share_list *list, const struct member_set *set,
                                 struct buf *out)
{
    for (size_t i = 0; i < list->n; i++) {
        if (i > 0)
            TRY(buf_append_str(out, ", "));
        TRY(append_alias(set, list->items[i]->member, out));
        if (!list->items[i]->bound)
            TRY(buf_append_str(out, " (not signed)"));
    }
    return Q_OK;
}

static enum q_err refuse_wrong_key(const struct share_list *list, const struct member_set *set,
                                   struct protocol_error *why)
{
    BUF_AUTO aliases = {0};
    const char *text = append_aliases(list, set, &aliases) == Q_OK ? buf_text(&aliases) : NULL;
    return refuse(why, PE_RECONSTRUCTION_INCORRECT_PUB_KEY,
                  "shares of %s: expected the manifest's quorum key, got another one",
                  text != NULL ? text : "the members");
}

enum q_err shares_combine(const struct share_list *list, const struct member_set *set,
                          struct bytes quorum_key, struct p256_pair **out,
                          struct protocol_error *why)
{
    struct bytes views[SHAMIR_MAX_SHARES];
    for (size_t i = 0; i < list->n; i++)
        views[i] = secret_bytes(&list->items[i]->share);
    SECRET_AUTO seed = {0};
    TRY(shamir_combine(views, list->n, &seed));
    P256_PAIR_AUTO *pair = NULL;
    // A seed that makes no key pair is as wrong as one that makes another.
    struct p256_public expected;
    TRY(p256_public_parse(quorum_key, &expected));
    enum q_err made =
        p256_pair_from_seed_suite(p256_public_suite(&expected), secret_bytes(&seed), &pair);
    if (made != Q_OK && made != Q_CRYPTO && made != Q_BAD_INPUT)
        return made;
    if (made != Q_OK || !bytes_equal(p256_public_bytes(p256_pair_public(pair)), quorum_key))
        return refuse_wrong_key(list, set, why);
    *out = pair;
    pair = NULL;
    return Q_OK;
}

void shares_after_failure(const struct share_list *failed, struct share_list *next)
{
    next->n = 0;
    for (size_t i = 0; i < failed->n; i++)
        if (failed->items[i]->bound)
            next->items[next->n++] = failed->items[i];
    if (next->n == failed->n)
        next->n = 0;
}

enum q_err shares_unsigned_aliases(const struct share_list *list, const struct member_set *set,
                                   struct buf *out)
{
    const char *separator = "";
    for (size_t i = 0; i < list->n; i++) {
        if (list->items[i]->bound)
            continue;
        TRY(buf_append_str(out, separator));
        TRY(append_alias(set, list->items[i]->member, out));
        separator = ", ";
    }
    return Q_OK;
}

bool shares_have(const struct share_list *list, const struct held_share *s)
{
    for (size_t i = 0; i < list->n; i++)
        if (list->items[i] == s)
            return true;
    return false;
}

bool shares_same(const struct share_list *a, const struct share_list *b)
{
    bool same = a->n == b->n;
    for (size_t i = 0; same && i < a->n; i++)
        same = a->items[i] == b->items[i];
    return same;
}

void shares_become(struct share_list *now, const struct share_list *next, struct held_share *posted)
{
    for (size_t i = 0; i < now->n; i++)
        if (now->items[i] != posted && !shares_have(next, now->items[i]))
            held_share_free(&now->items[i]);
    if (posted != NULL && !shares_have(next, posted))
        held_share_free(&posted);
    *now = *next;
}

void shares_release(struct share_list *now)
{
    for (size_t i = 0; i < now->n; i++)
        held_share_free(&now->items[i]);
    now->n = 0;
}

enum q_err shares_approvals(const struct share_list *list, const struct member_set *set,
                            struct arena *a, struct manifest_envelope *envelope)
{
    void *items;
    TRY(arena_array(a, list->n, sizeof(struct approval), &items));
    struct approval *approvals = items;
    bool recorded[SHAMIR_MAX_SHARES] = {false};
    size_t n = 0;
    for (size_t i = 0; i < list->n; i++) {
        const struct held_share *s = list->items[i];
        if (recorded[s->member])
            continue;
        recorded[s->member] = true;
        approvals[n++] = (struct approval){.signature = BYTES_OF(s->signature),
                                           .member = set->members.items[s->member]};
    }
    envelope->share_set_approvals.items = approvals;
    envelope->share_set_approvals.n = n;
    return Q_OK;
}
