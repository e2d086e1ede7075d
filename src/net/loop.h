// One event loop (epoll): descriptors, timers, signals. Single thread; callbacks may add and remove
// anything, also themselves.
#ifndef QUORATE_NET_LOOP_H
#define QUORATE_NET_LOOP_H

#include "base/bytes.h"

struct loop;
struct watch;
struct timer;

#define LOOP_READ 1u
#define LOOP_WRITE 2u
#define LOOP_HANGUP 4u // reported, never asked for

enum q_err loop_new(struct loop **out);
void loop_free(struct loop **l);
enum q_err loop_run(struct loop *l); // until loop_stop
void loop_stop(struct loop *l);
int64_t loop_now_ms(const struct loop *l); // CLOCK_MONOTONIC of this turn

typedef void (*watch_ready)(void *context, unsigned events);
enum q_err loop_watch(struct loop *l, int fd, unsigned events, watch_ready ready, void *context,
                      struct watch **out);
enum q_err watch_change(struct watch *w, unsigned events);
void watch_end(struct watch **w); // does not close the descriptor; safe on NULL

// One-shot timers; timer_set again to repeat.
typedef void (*timer_due)(void *context);
enum q_err loop_timer(struct loop *l, timer_due due, void *context, struct timer **out);
void timer_set(struct timer *t, int64_t due_ms); // on loop_now_ms's clock
void timer_cancel(struct timer *t);
void timer_end(struct timer **t);

// Signals by signalfd; the signal is blocked in this thread.
typedef void (*signal_came)(void *context, int signal);
enum q_err loop_signal(struct loop *l, int signal, signal_came came, void *context);

#endif
