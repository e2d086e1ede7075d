// The event loop (see loop.h): epoll for descriptors, one signalfd for signals, and the timers of
// loop_timer.c. A turn handles descriptors first, then the timers that are due.
#include "net/loop_internal.h"

#include "base/clock.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#define EVENTS_PER_TURN 128
#define SIGNALS_MAX 8

struct watch {
    struct loop *loop;
    int fd;
    watch_ready ready; // NULL once ended
    void *context;
    struct watch *next_ended;
};

struct signal_handler {
    int signal;
    signal_came came;
    void *context;
};

struct loop {
    int epoll, signals;
    bool stop;
    int64_t now_ms;
    struct timers timers;
    // Ended watches may still be named by events of this turn; they are released after it.
    struct watch *ended;
    struct watch *signal_watch;
    struct signal_handler handlers[SIGNALS_MAX];
    size_t handlers_count;
    sigset_t mask;
};

enum q_err loop_new(struct loop **out)
{
    struct loop *l = calloc(1, sizeof *l);
    if (l == NULL)
        return fail(Q_NOMEM, "event loop: no memory");
    l->signals = -1;
    l->now_ms = clock_monotonic_ms();
    (void)sigemptyset(&l->mask);
    l->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (l->epoll < 0) {
        free(l);
        return fail_os(errno, "event loop: epoll_create1");
    }
    *out = l;
    return Q_OK;
}

static void release_ended(struct loop *l)
{
    while (l->ended != NULL) {
        struct watch *w = l->ended;
        l->ended = w->next_ended;
        free(w);
    }
}

void loop_free(struct loop **l)
{
    if (*l == NULL)
        return;
    watch_end(&(*l)->signal_watch);
    release_ended(*l);
    timers_free(&(*l)->timers);
    if ((*l)->signals >= 0)
        (void)close((*l)->signals);
    (void)close((*l)->epoll);
    free(*l);
    *l = NULL;
}

void loop_stop(struct loop *l)
{
    l->stop = true;
}

int64_t loop_now_ms(const struct loop *l)
{
    return l->now_ms;
}

struct timers *loop_timers(struct loop *l)
{
    return &l->timers;
}

static uint32_t to_epoll(unsigned events)
{
    return ((events & LOOP_READ) != 0 ? (uint32_t)EPOLLIN : 0) |
           ((events & LOOP_WRITE) != 0 ? (uint32_t)EPOLLOUT : 0);
}

static unsigned from_epoll(uint32_t events)
{
    return ((events & EPOLLIN) != 0 ? LOOP_READ : 0) | ((events & EPOLLOUT) != 0 ? LOOP_WRITE : 0) |
           ((events & (EPOLLHUP | EPOLLERR)) != 0 ? LOOP_HANGUP : 0);
}

enum q_err loop_watch(struct loop *l, int fd, unsigned events, watch_ready ready, void *context,
                      struct watch **out)
{
    struct watch *w = calloc(1, sizeof *w);
    if (w == NULL)
        return fail(Q_NOMEM, "event loop: no memory for a watch");
    *w = (struct watch){.loop = l, .fd = fd, .ready = ready, .context = context};
    struct epoll_event event = {.events = to_epoll(events), .data.ptr = w};
    if (epoll_ctl(l->epoll, EPOLL_CTL_ADD, fd, &event) != 0) {
        int why = errno;
        free(w);
        return fail_os(why, "event loop: watching descriptor %d", fd);
    }
    *out = w;
    return Q_OK;
}

enum q_err watch_change(struct watch *w, unsigned events)
{
    struct epoll_event event = {.events = to_epoll(events), .data.ptr = w};
    if (epoll_ctl(w->loop->epoll, EPOLL_CTL_MOD, w->fd, &event) != 0)
        return fail_os(errno, "event loop: watching descriptor %d", w->fd);
    return Q_OK;
}

void watch_end(struct watch **w)
{
    if (*w == NULL)
        return;
    struct loop *l = (*w)->loop;
    (void)epoll_ctl(l->epoll, EPOLL_CTL_DEL, (*w)->fd, NULL);
    (*w)->ready = NULL;
    (*w)->next_ended = l->ended;
    l->ended = *w;
    *w = NULL;
}

static void signals_ready(void *context, unsigned events)
{
    (void)events;
    struct loop *l = context;
    struct signalfd_siginfo info;
    while (read(l->signals, &info, sizeof info) == (ssize_t)sizeof info) {
        for (size_t i = 0; i < l->handlers_count; i++) {
            if ((uint32_t)l->handlers[i].signal == info.ssi_signo)
                l->handlers[i].came(l->handlers[i].context, l->handlers[i].signal);
        }
    }
}

enum q_err loop_signal(struct loop *l, int signal, signal_came came, void *context)
{
    if (l->handlers_count == SIGNALS_MAX)
        return fail(Q_LIMIT, "event loop: expected at most %d signals, found more", SIGNALS_MAX);
    (void)sigaddset(&l->mask, signal);
    int why = pthread_sigmask(SIG_BLOCK, &l->mask, NULL);
    if (why != 0)
        return fail_os(why, "event loop: blocking signal %d", signal);
    int fd = signalfd(l->signals, &l->mask, SFD_NONBLOCK | SFD_CLOEXEC);
    if (fd < 0)
        return fail_os(errno, "event loop: signalfd");
    l->signals = fd;
    if (l->signal_watch == NULL)
        TRY(loop_watch(l, fd, LOOP_READ, signals_ready, l, &l->signal_watch));
    l->handlers[l->handlers_count++] = (struct signal_handler){signal, came, context};
    return Q_OK;
}

static int wait_ms(const struct loop *l)
{
    int64_t due;
    if (!timers_next(&l->timers, &due))
        return -1;
    int64_t left = due - clock_monotonic_ms();
    if (left <= 0)
        return 0;
    return left > INT_MAX ? INT_MAX : (int)left;
}

static enum q_err turn(struct loop *l)
{
    struct epoll_event events[EVENTS_PER_TURN];
    int n = epoll_wait(l->epoll, events, EVENTS_PER_TURN, wait_ms(l));
    if (n < 0 && errno != EINTR)
        return fail_os(errno, "event loop: epoll_wait");
    l->now_ms = clock_monotonic_ms();
    for (int i = 0; i < n; i++) {
        struct watch *w = events[i].data.ptr;
        if (w->ready != NULL)
            w->ready(w->context, from_epoll(events[i].events));
    }
    timers_run(&l->timers, l->now_ms);
    release_ended(l);
    return Q_OK;
}

enum q_err loop_run(struct loop *l)
{
    l->stop = false;
    l->now_ms = clock_monotonic_ms();
    while (!l->stop)
        TRY(turn(l));
    return Q_OK;
}
