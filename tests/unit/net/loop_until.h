// Runs a loop until a condition holds, or fails the test when it does not within ten seconds.
#ifndef QUORATE_TESTS_LOOP_UNTIL_H
#define QUORATE_TESTS_LOOP_UNTIL_H

#include "net/loop.h"

struct loop_until {
    struct loop *loop;
    bool (*holds)(void *context);
    void *context;
    struct timer *timer;
    int64_t give_up_ms;
    bool held;
};

static inline void loop_until_due(void *context)
{
    struct loop_until *u = context;
    u->held = u->holds(u->context);
    if (u->held || loop_now_ms(u->loop) > u->give_up_ms)
        loop_stop(u->loop);
    else
        timer_set(u->timer, loop_now_ms(u->loop) + 1);
}

static inline bool loop_until(struct loop *l, bool (*holds)(void *context), void *context)
{
    struct loop_until u = {.loop = l, .holds = holds, .context = context};
    if (loop_timer(l, loop_until_due, &u, &u.timer) != Q_OK)
        return false;
    u.give_up_ms = loop_now_ms(l) + 10000;
    timer_set(u.timer, loop_now_ms(l));
    enum q_err result = loop_run(l);
    timer_end(&u.timer);
    return result == Q_OK && u.held;
}

#endif
