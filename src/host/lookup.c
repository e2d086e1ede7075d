// Lookups (see lookup.h). Each has a channel of its own: nothing of one question is left for the next, and
// every question leaves from a port of its own.
#include "host/lookup.h"

#include <ares.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>

#define SOCKETS_MAX ((size_t)4 * LOOKUP_RESOLVERS_MAX) // UDP and TCP to each resolver, some closing
#define NAME_MAX_BYTES 255

struct socket_watch {
    struct lookup *lookup;
    int fd; // meaningful while it is watched
    struct watch *watch;
};

struct lookup {
    struct loop *loop;
    ares_channel channel;
    struct timer *timer; // c-ares's own times, and the end
    struct socket_watch sockets[SOCKETS_MAX];
    bool over;  // c-ares has called back
    int status; // ARES_...
    struct ip found[LOOKUP_FOUND_MAX];
    size_t found_n;
    lookup_done done;
    void *context;
};

static void release(struct lookup *l)
{
    if (l->channel != NULL)
        ares_destroy(l->channel);
    for (size_t i = 0; i < SOCKETS_MAX; i++)
        watch_end(&l->sockets[i].watch);
    timer_end(&l->timer);
    ares_library_cleanup();
    free(l);
}

static void finish(struct lookup *l)
{
    lookup_done done = l->done;
    void *context = l->context;
    struct ip found[LOOKUP_FOUND_MAX];
    size_t n = l->found_n;
    memcpy(found, l->found, sizeof found);
    enum q_err result = Q_OK;
    if (n == 0)
        result = fail(Q_MISSING, "name: no address: %s",
                      l->status == ARES_SUCCESS ? "none in the answer" : ares_strerror(l->status));
    release(l);
    done(context, result, found, n);
}

// After every turn of c-ares: when it wants to be called again, or at once when it is over.
static void set_timer(struct lookup *l)
{
    struct timeval left;
    if (l->over)
        timer_set(l->timer, loop_now_ms(l->loop));
    else if (ares_timeout(l->channel, NULL, &left) != NULL)
        timer_set(l->timer, loop_now_ms(l->loop) + left.tv_sec * 1000 + left.tv_usec / 1000 + 1);
}

static void process(struct lookup *l, ares_socket_t readable, ares_socket_t writable)
{
    ares_process_fd(l->channel, readable, writable);
    set_timer(l);
}

static void timer_came(void *context)
{
    struct lookup *l = context;
    if (l->over)
        finish(l);
    else
        process(l, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
}

static void socket_ready(void *context, unsigned events)
{
    const struct socket_watch *s = context;
    int fd = s->fd;
    bool in = (events & (LOOP_READ | LOOP_HANGUP)) != 0, out = (events & LOOP_WRITE) != 0;
    process(s->lookup, in ? fd : ARES_SOCKET_BAD, out ? fd : ARES_SOCKET_BAD);
}

static struct socket_watch *watched(struct lookup *l, int fd)
{
    for (size_t i = 0; i < SOCKETS_MAX; i++)
        if (l->sockets[i].watch != NULL && l->sockets[i].fd == fd)
            return &l->sockets[i];
    return NULL;
}

static struct socket_watch *unused(struct lookup *l)
{
    for (size_t i = 0; i < SOCKETS_MAX; i++)
        if (l->sockets[i].watch == NULL)
            return &l->sockets[i];
    return NULL;
}

// c-ares says what it wants to know of a socket; nothing: it is about to be closed. A socket that cannot be
// watched runs into its timeout.
static void socket_state(void *data, ares_socket_t fd, int readable, int writable)
{
    struct lookup *l = data;
    unsigned events = (readable != 0 ? LOOP_READ : 0) | (writable != 0 ? LOOP_WRITE : 0);
    struct socket_watch *s = watched(l, fd);
    if (events == 0) {
        if (s != NULL)
            watch_end(&s->watch);
        return;
    }
    if (s != NULL) {
        (void)watch_change(s->watch, events);
        return;
    }
    s = unused(l);
    if (s == NULL)
        return;
    *s = (struct socket_watch){.lookup = l, .fd = fd};
    (void)loop_watch(l->loop, fd, events, socket_ready, s, &s->watch);
}

static void keep(struct lookup *l, const struct ip *ip)
{
    if (l->found_n < LOOKUP_FOUND_MAX)
        l->found[l->found_n++] = *ip;
}

static void keep_family(struct lookup *l, const struct ares_addrinfo_node *node, int family)
{
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
    struct ip ip;
    for (; node != NULL; node = node->ai_next) {
        if (node->ai_family != family)
            continue;
        if (family == AF_INET) {
            uint8_t octet[4];
            memcpy(&v4, node->ai_addr, sizeof v4);
            memcpy(octet, &v4.sin_addr, sizeof octet);
            ip = ip_from_v4(octet);
        } else {
            memcpy(&v6, node->ai_addr, sizeof v6);
            memcpy(ip.octet, &v6.sin6_addr, sizeof ip.octet);
        }
        keep(l, &ip);
    }
}

// May come while the question is still being asked: the rest is done by the timer.
static void answered(void *data, int status, int timeouts, struct ares_addrinfo *answer)
{
    (void)timeouts;
    struct lookup *l = data;
    l->over = true;
    l->status = status;
    if (answer == NULL)
        return;
    keep_family(l, answer->nodes, AF_INET);
    keep_family(l, answer->nodes, AF_INET6);
    ares_freeaddrinfo(answer);
}

static enum q_err failed(int status, const char *doing)
{
    return fail(status == ARES_ENOMEM ? Q_NOMEM : Q_IO, "name lookup: %s: %s", doing,
                ares_strerror(status));
}

static enum q_err open_channel(struct lookup *l, bool own_resolvers)
{
    char dns_only[] = "b";
    struct ares_options options = {
        .flags = ARES_FLAG_NOSEARCH | ARES_FLAG_NOALIASES,
        .timeout = LOOKUP_TIMEOUT_MS,
        .tries = 1,
        .sock_state_cb = socket_state,
        .sock_state_cb_data = l,
        .lookups = dns_only,
    };
    int given = ARES_OPT_FLAGS | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_SOCK_STATE_CB;
    int status =
        ares_init_options(&l->channel, &options, given | (own_resolvers ? ARES_OPT_LOOKUPS : 0));
    if (status == ARES_SUCCESS)
        return Q_OK;
    l->channel = NULL;
    return failed(status, "starting");
}

static enum q_err set_resolvers(const struct lookup *l, const struct lookup_question *q)
{
    struct ares_addr_port_node nodes[LOOKUP_RESOLVERS_MAX];
    if (q->resolvers_n == 0)
        return Q_OK;
    if (q->resolvers_n > LOOKUP_RESOLVERS_MAX)
        return fail(Q_LIMIT, "name lookup: expected at most %d resolvers, got %zu",
                    LOOKUP_RESOLVERS_MAX, q->resolvers_n);
    for (size_t i = 0; i < q->resolvers_n; i++) {
        const struct ip *ip = &q->resolvers[i];
        bool v4 = ip_is_v4(ip);
        nodes[i] =
            (struct ares_addr_port_node){.next = i + 1 < q->resolvers_n ? &nodes[i + 1] : NULL,
                                         .family = v4 ? AF_INET : AF_INET6,
                                         .udp_port = q->port,
                                         .tcp_port = q->port};
        if (v4)
            memcpy(&nodes[i].addr.addr4, ip->octet + 12, 4);
        else
            memcpy(&nodes[i].addr.addr6, ip->octet, 16);
    }
    int status = ares_set_servers_ports(l->channel, nodes);
    return status == ARES_SUCCESS ? Q_OK : failed(status, "resolvers");
}

static enum q_err ask(struct lookup *l, const struct lookup_question *q)
{
    const struct ares_addrinfo_hints hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    char name[NAME_MAX_BYTES + 1];
    if (q->name.n > NAME_MAX_BYTES || memchr(q->name.p, 0, q->name.n) != NULL)
        return fail(Q_BAD_INPUT, "name: expected at most %d bytes without NUL, got %zu bytes",
                    NAME_MAX_BYTES, q->name.n);
    memcpy(name, q->name.p, q->name.n);
    name[q->name.n] = '\0';
    TRY(loop_timer(l->loop, timer_came, l, &l->timer));
    TRY(open_channel(l, q->resolvers_n > 0));
    TRY(set_resolvers(l, q));
    ares_getaddrinfo(l->channel, name, NULL, &hints, answered, l);
    set_timer(l);
    return Q_OK;
}

enum q_err lookup_start(struct loop *l, const struct lookup_question *q, lookup_done done,
                        void *context, struct lookup **out)
{
    struct lookup *made = calloc(1, sizeof *made);
    if (made == NULL)
        return fail(Q_NOMEM, "name lookup: no memory");
    if (ares_library_init(ARES_LIB_INIT_ALL) != ARES_SUCCESS) {
        free(made);
        return fail(Q_IO, "name lookup: c-ares does not start");
    }
    made->loop = l;
    made->done = done;
    made->context = context;
    enum q_err result = ask(made, q);
    if (result == Q_OK)
        *out = made;
    else
        release(made);
    return result;
}

void lookup_cancel(struct lookup **l)
{
    if (*l != NULL)
        release(*l);
    *l = NULL;
}
