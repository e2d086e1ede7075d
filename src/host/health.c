// The health service of qos_enclave (see health.h).
#include "host/health.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define CALLERS_MAX 64
// What a caller still sends is read and dropped for this long, for closing before would take the
// answer back.
#define LINGER_MS 1000
#define DROPPED_PER_TURN 4096

static const char healthy[] = "HTTP/1.1 200 OK\r\n\r\n";
static const char unhealthy[] = "HTTP/1.1 503 Service Unavailable\r\n\r\n";

struct caller {
    struct health *health;
    int fd; // -1: free
    bool answered;
    struct watch *watch;
    struct timer *linger;
};

struct health {
    struct loop *loop;
    void (*ask)(void *context);
    void *context;
    struct listener *listener;
    struct caller callers[CALLERS_MAX];
    size_t count;
};

static void caller_end(struct caller *c)
{
    watch_end(&c->watch);
    timer_cancel(c->linger);
    (void)close(c->fd);
    c->fd = -1;
    c->health->count--;
    listener_resume(c->health->listener);
}

static void said_something(void *context, unsigned events)
{
    struct caller *c = context;
    uint8_t dropped[DROPPED_PER_TURN];
    (void)events;
    ssize_t n = recv(c->fd, dropped, sizeof dropped, 0);
    if (n > 0 || (n < 0 && (errno == EAGAIN || errno == EINTR)))
        return;
    if (n == 0 && !c->answered) { // it wants its answer still
        watch_end(&c->watch);
        return;
    }
    caller_end(c);
}

static void linger_over(void *context)
{
    caller_end(context);
}

static void answer(struct caller *c, bool running)
{
    const char *text = running ? healthy : unhealthy;
    size_t n = running ? sizeof healthy - 1 : sizeof unhealthy - 1;
    c->answered = true;
    // A new connection's buffer takes so few bytes whole.
    ssize_t sent = send(c->fd, text, n, MSG_NOSIGNAL);
    if (sent != (ssize_t)n || c->watch == NULL || shutdown(c->fd, SHUT_WR) != 0)
        caller_end(c);
    else
        timer_set(c->linger, loop_now_ms(c->health->loop) + LINGER_MS);
}

void health_answer(struct health *h, bool running)
{
    for (size_t i = 0; i < CALLERS_MAX; i++) {
        if (h->callers[i].fd >= 0 && !h->callers[i].answered)
            answer(&h->callers[i], running);
    }
}

static struct caller *free_place(struct health *h)
{
    size_t i = 0;
    while (i < CALLERS_MAX && h->callers[i].fd >= 0)
        i++;
    return i < CALLERS_MAX ? &h->callers[i] : NULL;
}

static bool accepted(void *context, int fd)
{
    struct health *h = context;
    struct caller *c = free_place(h);
    if (c == NULL || loop_watch(h->loop, fd, LOOP_READ, said_something, c, &c->watch) != Q_OK) {
        (void)close(fd);
        return c != NULL;
    }
    c->fd = fd;
    c->answered = false;
    h->count++;
    h->ask(h->context);
    return h->count < CALLERS_MAX;
}

static enum q_err start(struct health *h, const struct address *listen)
{
    struct listener_options o = {.address = *listen, .accepted = accepted, .context = h};
    for (size_t i = 0; i < CALLERS_MAX; i++) {
        h->callers[i].health = h;
        h->callers[i].fd = -1;
    }
    for (size_t i = 0; i < CALLERS_MAX; i++)
        TRY(loop_timer(h->loop, linger_over, &h->callers[i], &h->callers[i].linger));
    return listener_start(h->loop, &o, &h->listener);
}

enum q_err health_start(struct loop *l, const struct address *listen, void (*ask)(void *context),
                        void *context, struct health **out)
{
    struct health *h = calloc(1, sizeof *h);
    if (h == NULL)
        return fail(Q_NOMEM, "health service: no memory");
    *h = (struct health){.loop = l, .ask = ask, .context = context};
    enum q_err result = err_context(start(h, listen), "health service");
    if (result == Q_OK)
        *out = h;
    else
        health_stop(&h);
    return result;
}

enum q_err health_port(const struct health *h, uint32_t *port)
{
    return listener_port(h->listener, port);
}

void health_stop(struct health **health)
{
    struct health *h = *health;
    if (h == NULL)
        return;
    listener_stop(&h->listener);
    for (size_t i = 0; i < CALLERS_MAX; i++) {
        watch_end(&h->callers[i].watch);
        timer_end(&h->callers[i].linger);
        if (h->callers[i].fd >= 0)
            (void)close(h->callers[i].fd);
    }
    free(h);
    *health = NULL;
}
