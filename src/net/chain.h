// Chains of structs that carry their own links: connections by age, calls in a queue. Adding and removing
// need no memory and cannot fail.
#ifndef QUORATE_NET_CHAIN_H
#define QUORATE_NET_CHAIN_H

#include <stdbool.h>
#include <stddef.h>

struct chain_link {
    struct chain_link *next, *previous; // a ring through the chain's own link
};

struct chain {
    struct chain_link ring;
};

void chain_init(struct chain *c);
void chain_add_last(struct chain *c, struct chain_link *l);
void chain_add_first(struct chain *c, struct chain_link *l);
void chain_remove(struct chain_link *l);
// NULL at the end.
struct chain_link *chain_first(const struct chain *c);
struct chain_link *chain_next(const struct chain *c, const struct chain_link *l);

// The struct of this type whose member the link is; NULL for NULL.
#define CHAIN_OWNER(link_, type, member) ((type *)chain_owner((link_), offsetof(type, member)))
void *chain_owner(struct chain_link *l, size_t offset);

#endif
