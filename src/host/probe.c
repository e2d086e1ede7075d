// Lookup, connect, close (see probe.h).
#include "host/probe.h"

#include "host/lookup.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

struct probe {
    struct loop *loop;
    struct egress_target target;
    int64_t timeout_ms;
    struct timespec began;
    probe_done done;
    void *context;
    int fd;
    struct watch *watch;
    struct timer *deadline;
    struct lookup *lookup;
};

void probe_cancel(struct probe **probe)
{
    struct probe *p = *probe;
    if (p == NULL)
        return;
    lookup_cancel(&p->lookup);
    watch_end(&p->watch);
    timer_end(&p->deadline);
    if (p->fd >= 0)
        (void)close(p->fd);
    free(p);
    *probe = NULL;
}

static void end(struct probe *p, enum q_err result)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    int64_t microseconds =
        (int64_t)(now.tv_sec - p->began.tv_sec) * 1000000 + (now.tv_nsec - p->began.tv_nsec) / 1000;
    probe_done done = p->done;
    void *context = p->context;
    probe_cancel(&p);
    done(context, result, microseconds);
}

static void connected(void *context, unsigned events)
{
    struct probe *p = context;
    int why = 0;
    socklen_t size = sizeof why;
    (void)events;
    if (getsockopt(p->fd, SOL_SOCKET, SO_ERROR, &why, &size) != 0)
        why = errno;
    end(p, why == 0 ? Q_OK : fail_os(why, "connecting"));
}

static enum q_err connect_to(struct probe *p, const struct ip *ip)
{
    union {
        struct sockaddr sa;
        struct sockaddr_in in;
        struct sockaddr_in6 in6;
    } to = {.in6 = {.sin6_family = AF_INET6, .sin6_port = htons(p->target.port)}};
    socklen_t size = sizeof to.in6;
    memcpy(&to.in6.sin6_addr, ip->octet, sizeof ip->octet);
    if (ip_is_v4(ip)) {
        to.in = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(p->target.port)};
        memcpy(&to.in.sin_addr, ip->octet + 12, 4);
        size = sizeof to.in;
    }
    p->fd = socket(to.sa.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (p->fd < 0)
        return fail_os(errno, "connecting: socket");
    if (connect(p->fd, &to.sa, size) != 0 && errno != EINPROGRESS)
        return fail_os(errno, "connecting");
    return loop_watch(p->loop, p->fd, LOOP_WRITE, connected, p, &p->watch);
}

static void looked_up(void *context, enum q_err result, const struct ip *found, size_t n)
{
    struct probe *p = context;
    (void)n; // the first is enough for a test
    p->lookup = NULL;
    if (result == Q_OK)
        result = connect_to(p, &found[0]);
    if (result != Q_OK)
        end(p, result);
}

static void late(void *context)
{
    struct probe *p = context;
    end(p, fail(Q_TIMEOUT, "%s: timed out after %lld ms", p->fd < 0 ? "name" : "connecting",
                (long long)p->timeout_ms));
}

static enum q_err begin(struct probe *p)
{
    const struct lookup_question q = {.name = p->target.name};
    TRY(loop_timer(p->loop, late, p, &p->deadline));
    timer_set(p->deadline, loop_now_ms(p->loop) + p->timeout_ms);
    (void)clock_gettime(CLOCK_MONOTONIC, &p->began);
    if (p->target.named)
        return lookup_start(p->loop, &q, looked_up, p, &p->lookup);
    return connect_to(p, &p->target.ip);
}

enum q_err probe_start(struct loop *l, const struct egress_target *target, int64_t timeout_ms,
                       probe_done done, void *context, struct probe **out)
{
    struct probe *p = calloc(1, sizeof *p);
    if (p == NULL)
        return fail(Q_NOMEM, "network test: no memory");
    *p = (struct probe){.loop = l,
                        .target = *target,
                        .timeout_ms = timeout_ms,
                        .done = done,
                        .context = context,
                        .fd = -1};
    enum q_err result = begin(p);
    if (result != Q_OK) {
        probe_cancel(&p);
        return result;
    }
    *out = p;
    return Q_OK;
}
