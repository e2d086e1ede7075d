// The loop's timers: a binary heap by due time, first set first on a tie. Only for loop.c and
// loop_timer.c.
#ifndef QUORATE_NET_LOOP_INTERNAL_H
#define QUORATE_NET_LOOP_INTERNAL_H

#include "net/loop.h"

struct timers {
    struct timer **heap; // those that are set
    size_t n, cap;
    size_t made; // timers in existence; cap never falls below it, so setting cannot fail
    uint64_t order;
};

struct timers *loop_timers(struct loop *l);
bool timers_next(const struct timers *t, int64_t *due_ms);
// Calls what is due at now_ms. What a callback sets waits for the next run, so that descriptors get
// their turn.
void timers_run(struct timers *t, int64_t now_ms);
void timers_free(struct timers *t);

#endif
