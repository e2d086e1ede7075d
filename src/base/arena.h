// An arena: everything decoded from one message, released and zeroed at once. It has a budget, so that
// a message cannot make us allocate more than it is worth.
#ifndef QUORATE_BASE_ARENA_H
#define QUORATE_BASE_ARENA_H

#include "base/bytes.h"

struct arena_block;
struct arena {
    struct arena_block *blocks;
    size_t used, budget; // bytes handed out, and how many may be; budget 0: ARENA_DEFAULT_BUDGET
};

#define ARENA_DEFAULT_BUDGET ((size_t)192 << 20)
#define ARENA_AUTO __attribute__((cleanup(arena_free))) struct arena

// n zeroed bytes, aligned for any type; n == 0 gives a valid pointer. Q_NOMEM over the budget.
enum q_err arena_alloc(struct arena *a, size_t n, void **out);
// count zeroed elements of size bytes each, with the multiplication checked.
enum q_err arena_array(struct arena *a, size_t count, size_t size, void **out);
enum q_err arena_copy(struct arena *a, struct bytes in, struct bytes *out);
enum q_err arena_printf(struct arena *a, struct bytes *out, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void arena_free(struct arena *a); // zeroes and releases all; the arena can be used again

#endif
