// Relays (see relay.h). Each direction reads only when what it read before is written; a socket that is
// not waited for is not watched once its peer hung up, for the loop would report that for ever.
#include "net/relay.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

// One busy direction does not keep the loop from others.
#define ROUNDS_PER_TURN 8

struct side {
    struct relay *relay;
    int fd;
    size_t write_most;
    unsigned events; // watched
    struct watch *watch;
};

struct direction {
    const struct side *from, *to;
    uint8_t *held; // RELAY_BUFFER bytes while something waits to be written
    size_t at, n;  // of what waits
    bool end;      // of reading
    bool over;     // the end was passed on, or nobody is there to take anything
    uint64_t passed;
};

struct relay {
    struct loop *loop;
    struct side side[2];
    struct direction direction[2]; // [i]: from side i
    struct timer *idle;
    int64_t idle_ms, last_ms;
    bool lost; // bytes could not be delivered
    relay_ended ended;
    void *context;
};

static void release(struct direction *d)
{
    free(d->held);
    d->held = NULL;
    d->at = d->n = 0;
}

static enum q_err hold(struct direction *d)
{
    if (d->held == NULL)
        d->held = malloc(RELAY_BUFFER);
    return d->held == NULL ? fail(Q_NOMEM, "relay: no memory") : Q_OK;
}

static bool not_now(int why)
{
    return why == EAGAIN || why == EINTR;
}

static enum q_err broken(int why, const char *doing)
{
    if (why == ECONNRESET || why == EPIPE)
        return fail(Q_CLOSED, "relay: a peer broke the connection off");
    return fail_os(why, "relay: %s", doing);
}

// Nobody takes this direction's bytes any more; the other direction may still have some, and what of it is
// on its way must arrive: no reset.
static void give_up(struct relay *r, struct direction *d)
{
    r->lost = true;
    d->end = d->over = true;
    release(d);
}

// Writes what is held, as far as it goes.
static enum q_err drain(struct relay *r, struct direction *d)
{
    while (d->n > 0) {
        size_t n = d->n < d->to->write_most ? d->n : d->to->write_most;
        ssize_t sent = send(d->to->fd, d->held + d->at, n, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent < 0 && not_now(errno))
            return Q_OK;
        if (sent < 0 && errno == EPIPE) {
            give_up(r, d);
            return Q_OK;
        }
        if (sent < 0)
            return broken(errno, "sending");
        d->at += (size_t)sent;
        d->n -= (size_t)sent;
        d->passed += (uint64_t)sent;
        r->last_ms = loop_now_ms(r->loop);
    }
    d->at = 0;
    return Q_OK;
}

// One read into the empty buffer; *more says whether another may find something.
static enum q_err fill(struct relay *r, struct direction *d, bool *more)
{
    *more = false;
    TRY(hold(d));
    ssize_t n = recv(d->from->fd, d->held, RELAY_BUFFER, MSG_DONTWAIT);
    if (n < 0 && not_now(errno))
        return Q_OK;
    if (n < 0)
        return broken(errno, "receiving");
    d->end = n == 0;
    d->n = (size_t)n;
    *more = d->n == RELAY_BUFFER;
    r->last_ms = loop_now_ms(r->loop);
    return Q_OK;
}

static void pass_end(struct direction *d)
{
    if (!d->end || d->over || d->n > 0)
        return;
    (void)shutdown(d->to->fd, SHUT_WR);
    d->over = true;
}

static enum q_err pump(struct relay *r, struct direction *d)
{
    bool more = true;
    TRY(drain(r, d));
    for (int i = 0; i < ROUNDS_PER_TURN && more && d->n == 0 && !d->end; i++) {
        TRY(fill(r, d, &more));
        TRY(drain(r, d));
    }
    pass_end(d);
    if (d->n == 0)
        release(d);
    return Q_OK;
}

static unsigned wanted(const struct relay *r, size_t side)
{
    const struct direction *out = &r->direction[side], *in = &r->direction[1 - side];
    return (!out->end && out->n == 0 ? LOOP_READ : 0) | (in->n > 0 ? LOOP_WRITE : 0);
}

static void ready(void *context, unsigned events);

static enum q_err watch_side(struct relay *r, size_t i)
{
    struct side *s = &r->side[i];
    unsigned events = wanted(r, i);
    if (s->watch != NULL && events == s->events)
        return Q_OK;
    s->events = events;
    if (s->watch != NULL)
        return watch_change(s->watch, events);
    return events == 0 ? Q_OK : loop_watch(r->loop, s->fd, events, ready, s, &s->watch);
}

static bool is_over(const struct relay *r)
{
    return r->direction[0].over && r->direction[1].over;
}

static void reset(int fd)
{
    const struct linger at_once = {.l_onoff = 1};
    (void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
}

static void dispose(struct relay *r, bool clean)
{
    timer_end(&r->idle);
    for (size_t i = 0; i < 2; i++) {
        watch_end(&r->side[i].watch);
        release(&r->direction[i]);
        if (!clean)
            reset(r->side[i].fd);
        (void)close(r->side[i].fd);
    }
    free(r);
}

static void finish(struct relay *r, enum q_err result)
{
    relay_ended ended = r->ended;
    void *context = r->context;
    const uint64_t passed[2] = {r->direction[0].passed, r->direction[1].passed};
    dispose(r, is_over(r));
    ended(context, result, passed);
}

// The peer of this side is gone altogether. What it sent may still wait here until the other side takes
// it; if not, nothing is left to do.
static void hung_up(struct relay *r, size_t i)
{
    if (r->direction[i].over && !r->direction[1 - i].over)
        give_up(r, &r->direction[1 - i]);
    if (wanted(r, i) == 0)
        watch_end(&r->side[i].watch);
}

static enum q_err turn(struct relay *r, size_t i, unsigned events)
{
    if ((events & (LOOP_READ | LOOP_HANGUP)) != 0)
        TRY(pump(r, &r->direction[i]));
    if ((events & (LOOP_WRITE | LOOP_HANGUP)) != 0)
        TRY(pump(r, &r->direction[1 - i]));
    if ((events & LOOP_HANGUP) != 0)
        hung_up(r, i);
    if (is_over(r))
        return Q_OK;
    TRY(watch_side(r, i));
    return watch_side(r, 1 - i);
}

static void ready(void *context, unsigned events)
{
    struct side *s = context;
    struct relay *r = s->relay;
    enum q_err result = turn(r, s == &r->side[0] ? 0 : 1, events);
    if (result != Q_OK)
        finish(r, result);
    else if (is_over(r))
        finish(r, r->lost ? fail(Q_CLOSED, "relay: a peer broke the connection off") : Q_OK);
}

static void idle_due(void *context)
{
    struct relay *r = context;
    if (relay_silent_ms(r) < r->idle_ms)
        timer_set(r->idle, r->last_ms + r->idle_ms);
    else
        finish(r, fail(Q_TIMEOUT, "relay: no byte for %lld ms", (long long)r->idle_ms));
}

// The kernel's vsock loses bytes of longer writes (qos-behaviour 2.2).
static size_t write_most(int fd)
{
    int domain = 0;
    socklen_t size = sizeof domain;
    bool vsock = getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &size) == 0 && domain == AF_VSOCK;
    return vsock ? RELAY_VSOCK_WRITE : RELAY_BUFFER;
}

static enum q_err take_over(struct relay *r, const struct relay_options *o, size_t i)
{
    struct direction *d = &r->direction[i];
    if (o->already[i].n > RELAY_BUFFER)
        return fail(Q_LIMIT, "relay: expected at most %zu bytes read before, found %zu",
                    RELAY_BUFFER, o->already[i].n);
    r->side[i] = (struct side){.relay = r, .fd = o->fd[i], .write_most = write_most(o->fd[i])};
    *d = (struct direction){.from = &r->side[i], .to = &r->side[1 - i]};
    if (o->already[i].n == 0)
        return Q_OK;
    TRY(hold(d));
    memcpy(d->held, o->already[i].p, o->already[i].n);
    d->n = o->already[i].n;
    return Q_OK;
}

static enum q_err start(struct relay *r, const struct relay_options *o)
{
    TRY(take_over(r, o, 0));
    TRY(take_over(r, o, 1));
    if (r->idle_ms > 0) {
        TRY(loop_timer(r->loop, idle_due, r, &r->idle));
        timer_set(r->idle, r->last_ms + r->idle_ms);
    }
    TRY(watch_side(r, 0));
    return watch_side(r, 1);
}

enum q_err relay_start(struct loop *l, const struct relay_options *o, struct relay **out)
{
    struct relay *r = calloc(1, sizeof *r);
    if (r == NULL)
        return fail(Q_NOMEM, "relay: no memory");
    r->loop = l;
    r->idle_ms = o->idle_ms;
    r->last_ms = loop_now_ms(l);
    r->ended = o->ended;
    r->context = o->context;
    enum q_err result = start(r, o);
    if (result == Q_OK) {
        *out = r;
        return Q_OK;
    }
    timer_end(&r->idle);
    for (size_t i = 0; i < 2; i++) {
        watch_end(&r->side[i].watch);
        release(&r->direction[i]);
    }
    free(r);
    return result;
}

int64_t relay_silent_ms(const struct relay *r)
{
    return loop_now_ms(r->loop) - r->last_ms;
}

void relay_stop(struct relay **r)
{
    if (*r != NULL)
        dispose(*r, false);
    *r = NULL;
}
