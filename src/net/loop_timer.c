// Timers of the event loop (see loop.h, loop_internal.h).
#include "net/loop_internal.h"

#include <stdlib.h>

#define NOT_SET SIZE_MAX

struct timer {
    struct timers *of;
    timer_due due;
    void *context;
    int64_t due_ms;
    uint64_t order;
    size_t at; // in the heap, NOT_SET when it is not
};

static bool before(const struct timer *a, const struct timer *b)
{
    return a->due_ms != b->due_ms ? a->due_ms < b->due_ms : a->order < b->order;
}

static void put(struct timers *t, size_t at, struct timer *timer)
{
    t->heap[at] = timer;
    timer->at = at;
}

static void rise(struct timers *t, size_t at)
{
    struct timer *moving = t->heap[at];
    while (at > 0 && before(moving, t->heap[(at - 1) / 2])) {
        put(t, at, t->heap[(at - 1) / 2]);
        at = (at - 1) / 2;
    }
    put(t, at, moving);
}

static void sink(struct timers *t, size_t at)
{
    struct timer *moving = t->heap[at];
    for (size_t child = 2 * at + 1; child < t->n; child = 2 * at + 1) {
        if (child + 1 < t->n && before(t->heap[child + 1], t->heap[child]))
            child++;
        if (!before(t->heap[child], moving))
            break;
        put(t, at, t->heap[child]);
        at = child;
    }
    put(t, at, moving);
}

enum q_err loop_timer(struct loop *l, timer_due due, void *context, struct timer **out)
{
    struct timers *t = loop_timers(l);
    if (t->made == t->cap) {
        size_t cap = t->cap == 0 ? 16 : 2 * t->cap;
        struct timer **heap = reallocarray(t->heap, cap, sizeof *heap);
        if (heap == NULL)
            return fail(Q_NOMEM, "event loop: no memory for timers");
        t->heap = heap;
        t->cap = cap;
    }
    struct timer *timer = calloc(1, sizeof *timer);
    if (timer == NULL)
        return fail(Q_NOMEM, "event loop: no memory for a timer");
    *timer = (struct timer){.of = t, .due = due, .context = context, .at = NOT_SET};
    t->made++;
    *out = timer;
    return Q_OK;
}

void timer_cancel(struct timer *timer)
{
    if (timer->at == NOT_SET)
        return;
    struct timers *t = timer->of;
    size_t at = timer->at;
    struct timer *last = t->heap[--t->n];
    timer->at = NOT_SET;
    if (last == timer)
        return;
    put(t, at, last);
    rise(t, at);
    sink(t, last->at);
}

void timer_set(struct timer *timer, int64_t due_ms)
{
    struct timers *t = timer->of;
    timer_cancel(timer);
    timer->due_ms = due_ms;
    timer->order = t->order++;
    put(t, t->n, timer);
    rise(t, t->n++);
}

void timer_end(struct timer **timer)
{
    if (*timer == NULL)
        return;
    timer_cancel(*timer);
    (*timer)->of->made--;
    free(*timer);
    *timer = NULL;
}

bool timers_next(const struct timers *t, int64_t *due_ms)
{
    if (t->n == 0)
        return false;
    *due_ms = t->heap[0]->due_ms;
    return true;
}

void timers_run(struct timers *t, int64_t now_ms)
{
    uint64_t newer = t->order;
    while (t->n > 0 && t->heap[0]->due_ms <= now_ms && t->heap[0]->order < newer) {
        struct timer *timer = t->heap[0];
        timer_cancel(timer);
        timer->due(timer->context);
    }
}

void timers_free(struct timers *t)
{
    free(t->heap);
    *t = (struct timers){0};
}
