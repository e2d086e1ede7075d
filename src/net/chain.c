// Chains (see chain.h).
#include "net/chain.h"

void chain_init(struct chain *c)
{
    c->ring.next = c->ring.previous = &c->ring;
}

static void insert(struct chain_link *l, struct chain_link *before, struct chain_link *after)
{
    l->previous = before;
    l->next = after;
    before->next = l;
    after->previous = l;
}

void chain_add_last(struct chain *c, struct chain_link *l)
{
    insert(l, c->ring.previous, &c->ring);
}

void chain_add_first(struct chain *c, struct chain_link *l)
{
    insert(l, &c->ring, c->ring.next);
}

void chain_remove(struct chain_link *l)
{
    l->previous->next = l->next;
    l->next->previous = l->previous;
    l->next = l->previous = NULL;
}

struct chain_link *chain_first(const struct chain *c)
{
    return c->ring.next == &c->ring ? NULL : c->ring.next;
}

struct chain_link *chain_next(const struct chain *c, const struct chain_link *l)
{
    return l->next == &c->ring ? NULL : l->next;
}

void *chain_owner(struct chain_link *l, size_t offset)
{
    return l == NULL ? NULL : (char *)l - offset;
}
