// Members and sets of them: comparing, finding, and refusing repeated ones (qos-wire 4.2,
// qos-behaviour 2.5 step 1).
#include "protocol/manifest.h"

#include "base/text.h"
#include "crypto/p256.h"
#include "protocol/types_internal.h"

#include <stdlib.h>
#include <string.h>

bool member_equal(const struct member *a, const struct member *b)
{
    return bytes_equal(a->alias, b->alias) && bytes_equal(a->pub_key, b->pub_key);
}

int member_compare(const void *a, const void *b)
{
    const struct member *x = a, *y = b;
    int by_alias = bytes_compare(x->alias, y->alias);
    return by_alias != 0 ? by_alias : bytes_compare(x->pub_key, y->pub_key);
}

bool member_set_find(const struct member_set *s, const struct member *m, size_t *index)
{
    for (size_t i = 0; i < s->members.n; i++) {
        if (!member_equal(&s->members.items[i], m))
            continue;
        *index = i;
        return true;
    }
    return false;
}

bool member_set_has(const struct member_set *s, const struct member *m)
{
    size_t index;
    return member_set_find(s, m, &index);
}

bool member_set_equal(const struct member_set *a, const struct member_set *b)
{
    if (a->threshold != b->threshold || a->members.n != b->members.n)
        return false;
    for (size_t i = 0; i < a->members.n; i++)
        if (!member_equal(&a->members.items[i], &b->members.items[i]))
            return false;
    return true;
}

const char *alias_shown(const struct member *m, struct buf *b)
{
    buf_clear(b);
    if (text_display(m->alias, b) != Q_OK)
        return "?";
    const char *text = buf_text(b);
    return text != NULL ? text : "?";
}

// What no two members may have in common. Keys have P256_PUBLIC_SIZE bytes when these are called.
static struct bytes alias_of(const struct member *m)
{
    return m->alias;
}

static struct bytes encryption_half_of(const struct member *m)
{
    return bytes_of(m->pub_key.p, P256_POINT_SIZE);
}

static struct bytes signing_half_of(const struct member *m)
{
    return bytes_of(m->pub_key.p + P256_POINT_SIZE, P256_POINT_SIZE);
}

static int order_by_alias(const void *a, const void *b)
{
    const struct member *const *x = a, *const *y = b;
    return bytes_compare(alias_of(*x), alias_of(*y));
}

static int order_by_encryption_half(const void *a, const void *b)
{
    const struct member *const *x = a, *const *y = b;
    return bytes_compare(encryption_half_of(*x), encryption_half_of(*y));
}

static int order_by_signing_half(const void *a, const void *b)
{
    const struct member *const *x = a, *const *y = b;
    return bytes_compare(signing_half_of(*x), signing_half_of(*y));
}

static enum q_err refuse_neighbours(const struct member **sorted, size_t n, const char *what,
                                    struct bytes (*of)(const struct member *),
                                    struct protocol_error *why)
{
    for (size_t i = 1; i < n; i++) {
        if (!bytes_equal(of(sorted[i - 1]), of(sorted[i])))
            continue;
        BUF_AUTO first = {0};
        BUF_AUTO second = {0};
        return refuse(why, PE_DUPLICATE_QUORUM_MEMBER, "members %s and %s have the same %s",
                      alias_shown(sorted[i - 1], &first), alias_shown(sorted[i], &second), what);
    }
    return Q_OK;
}

static enum q_err keys_valid(const struct member *members, size_t n, struct protocol_error *why)
{
    for (size_t i = 0; i < n; i++) {
        struct p256_public key;
        if (p256_public_parse(members[i].pub_key, &key) == Q_OK)
            continue;
        BUF_AUTO name = {0};
        return refuse_p256(why, PE_P256_ERROR, "member %s: public key",
                           alias_shown(&members[i], &name));
    }
    return Q_OK;
}

enum q_err members_unique(const struct member *members, size_t n, struct protocol_error *why)
{
    static const struct {
        const char *name;
        struct bytes (*of)(const struct member *);
        int (*order)(const void *, const void *);
    } columns[] = {
        {"alias", alias_of, order_by_alias},
        {"encryption key", encryption_half_of, order_by_encryption_half},
        {"signing key", signing_half_of, order_by_signing_half},
    };
    TRY(keys_valid(members, n, why));
    ARENA_AUTO scratch = {0};
    void *memory;
    if (arena_array(&scratch, n, sizeof(const struct member *), &memory) != Q_OK)
        return refuse(why, PE_INVALID_MSG, "%zu members: %s", n, err_text());
    const struct member **sorted = memory;
    for (size_t i = 0; i < n; i++)
        sorted[i] = &members[i];
    for (size_t c = 0; c < sizeof columns / sizeof columns[0]; c++) {
        if (n > 1)
            qsort(sorted, n, sizeof *sorted, columns[c].order);
        TRY(refuse_neighbours(sorted, n, columns[c].name, columns[c].of, why));
    }
    return Q_OK;
}
