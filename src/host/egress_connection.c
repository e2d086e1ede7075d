// Connections to the proxy (see egress_connection.h). Only one descriptor is watched at a time: what the
// enclave sends before its answer stays in the socket for the relay.
#include "host/egress_connection.h"

#include "base/log.h"
#include "codec/borsh.h"
#include "host/egress_request.h"
#include "net/frame_io.h"
#include "net/relay.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define MESSAGE_BUDGET ((size_t)256 << 10)

struct egress_connection {
    struct egress_host *host;
    int enclave, target; // -1: not there, or the relay's
    struct watch *watch;
    struct timer *deadline;
    struct frame_input in;
    struct arena memory; // of the request
    struct egress_request request;
    struct lookup *lookup;
    struct ip found[LOOKUP_FOUND_MAX];
    size_t found_n, tried;
    struct buf reply;
    struct frame_output out;
    struct relay *relay;
    struct chain_link link;
};

static void close_descriptor(int *fd)
{
    if (*fd >= 0)
        (void)close(*fd);
    *fd = -1;
}

static void close_connection(struct egress_connection *c)
{
    relay_stop(&c->relay);
    lookup_cancel(&c->lookup);
    watch_end(&c->watch);
    timer_end(&c->deadline);
    close_descriptor(&c->target);
    close_descriptor(&c->enclave);
    frame_input_reset(&c->in);
    buf_free(&c->reply);
    arena_free(&c->memory);
    chain_remove(&c->link);
    c->host->count--;
    egress_host_has_room(c->host);
    free(c);
}

static void wait_for(struct egress_connection *c, int64_t ms)
{
    timer_set(c->deadline, loop_now_ms(c->host->loop) + ms);
}

static void relay_over(void *context, enum q_err result, const uint64_t passed[static 2])
{
    (void)result; // how others end their connections is not for our log
    (void)passed;
    struct egress_connection *c = context;
    c->relay = NULL;
    close_connection(c);
}

static enum q_err start_relay(struct egress_connection *c)
{
    const struct relay_options o = {.fd = {c->enclave, c->target},
                                    .idle_ms = c->host->options.idle_ms,
                                    .ended = relay_over,
                                    .context = c};
    watch_end(&c->watch);
    timer_cancel(c->deadline);
    TRY(relay_start(c->host->loop, &o, &c->relay));
    c->enclave = c->target = -1;
    return Q_OK;
}

static void answer_ready(void *context, unsigned events);

// An answer that is out ends the connection, unless it said that there is one to relay to.
static enum q_err send_answer(struct egress_connection *c)
{
    bool whole;
    TRY(frame_send(c->enclave, &c->out, &whole));
    if (whole)
        return c->target >= 0 ? start_relay(c) : Q_CLOSED;
    if (c->watch != NULL)
        return Q_OK;
    return loop_watch(c->host->loop, c->enclave, LOOP_WRITE, answer_ready, c, &c->watch);
}

static void answer_ready(void *context, unsigned events)
{
    (void)events;
    struct egress_connection *c = context;
    if (send_answer(c) != Q_OK)
        close_connection(c);
}

static enum q_err answer(struct egress_connection *c, const struct proxy_message *m)
{
    watch_end(&c->watch);
    TRY(borsh_encode(&type_proxy_message, m, &c->reply));
    c->out = frame_output_of(buf_bytes(&c->reply));
    wait_for(c, c->host->options.request_ms);
    return send_answer(c);
}

// With the sentence recorded last, where the error carries text.
static enum q_err answer_error(struct egress_connection *c, enum net_error_kind kind)
{
    struct proxy_message m = {.tag = PROXY_ERROR, .error = {.tag = kind}};
    if (kind == NET_ERROR_IO || kind == NET_ERROR_PARSE || kind == NET_ERROR_DNS_RESOLUTION)
        m.error.text = bytes_str(err_text());
    if (kind == NET_ERROR_TOO_MANY_CONNECTIONS)
        m.error.connections_max = c->host->options.connections_max;
    watch_end(&c->watch);
    close_descriptor(&c->target);
    return answer(c, &m);
}

static enum q_err answer_connected(struct egress_connection *c)
{
    BUF_AUTO ip = {0};
    TRY(ip_display(&c->found[c->tried - 1], &ip));
    struct proxy_message m = {.tag = PROXY_CONNECT_RESPONSE,
                              .connected = {.remote_ip = buf_bytes(&ip)}};
    return answer(c, &m);
}

static enum q_err start_connect(const struct ip *ip, uint16_t port, int *fd)
{
    union {
        struct sockaddr sa;
        struct sockaddr_in in;
        struct sockaddr_in6 in6;
    } to = {.in6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)}};
    socklen_t size = sizeof to.in6;
    memcpy(&to.in6.sin6_addr, ip->octet, sizeof ip->octet);
    if (ip_is_v4(ip)) {
        to.in = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(port)};
        memcpy(&to.in.sin_addr, ip->octet + 12, 4);
        size = sizeof to.in;
    }
    int on = 1;
    *fd = socket(to.sa.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (*fd < 0)
        return fail_os(errno, "connecting: socket");
    (void)setsockopt(*fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (connect(*fd, &to.sa, size) == 0 || errno == EINPROGRESS)
        return Q_OK;
    int why = errno;
    close_descriptor(fd);
    return fail_os(why, "connecting");
}

static void target_ready(void *context, unsigned events);

static enum q_err begin_connect(struct egress_connection *c, const struct ip *ip)
{
    TRY(start_connect(ip, c->request.target.port, &c->target));
    wait_for(c, c->host->options.connect_ms);
    return loop_watch(c->host->loop, c->target, LOOP_WRITE, target_ready, c, &c->watch);
}

// The next address; when none is left, why the last one failed.
static enum q_err connect_next(struct egress_connection *c)
{
    watch_end(&c->watch);
    while (c->tried < c->found_n) {
        close_descriptor(&c->target);
        if (begin_connect(c, &c->found[c->tried++]) == Q_OK)
            return Q_OK;
    }
    return answer_error(c, NET_ERROR_IO);
}

static enum q_err connected(struct egress_connection *c)
{
    int why = 0;
    socklen_t size = sizeof why;
    if (getsockopt(c->target, SOL_SOCKET, SO_ERROR, &why, &size) != 0)
        why = errno;
    if (why == 0)
        return answer_connected(c);
    err_record_os(why, "connecting");
    return connect_next(c);
}

static void target_ready(void *context, unsigned events)
{
    (void)events;
    struct egress_connection *c = context;
    if (connected(c) != Q_OK)
        close_connection(c);
}

static enum q_err take_found(struct egress_connection *c, enum q_err result, const struct ip *found,
                             size_t n)
{
    if (result != Q_OK)
        return answer_error(c, NET_ERROR_DNS_RESOLUTION);
    memcpy(c->found, found, n * sizeof *found);
    c->found_n = egress_request_keep(&c->request, c->found, n);
    if (c->found_n == 0) {
        err_record(-1, "name: not allowed: it leads to no address of the public internet, and no "
                       "client entry of the manifest says it");
        return answer_error(c, NET_ERROR_IO);
    }
    return connect_next(c);
}

static void looked_up(void *context, enum q_err result, const struct ip *found, size_t n)
{
    struct egress_connection *c = context;
    c->lookup = NULL;
    if (take_found(c, result, found, n) != Q_OK)
        close_connection(c);
}

static enum q_err look_up(struct egress_connection *c)
{
    const struct egress_request *r = &c->request;
    const struct lookup_question q = {.name = r->target.name,
                                      .resolvers = r->resolvers,
                                      .resolvers_n = r->resolvers_n,
                                      .port = r->dns_port};
    wait_for(c, c->host->options.lookup_ms);
    if (lookup_start(c->host->loop, &q, looked_up, c, &c->lookup) != Q_OK)
        return answer_error(c, NET_ERROR_DNS_RESOLUTION);
    return Q_OK;
}

static enum q_err serve(struct egress_connection *c, const struct proxy_message *m)
{
    enum net_error_kind why;
    if (egress_request_of(c->host->options.rules, m, &c->request, &why) != Q_OK)
        return answer_error(c, why);
    if (c->request.target.named)
        return look_up(c);
    c->found[0] = c->request.target.ip;
    c->found_n = 1;
    return connect_next(c);
}

static enum q_err dispatch(struct egress_connection *c)
{
    struct proxy_message m;
    const struct proxy_message status = {.tag = PROXY_STATUS_RESPONSE};
    c->memory.budget = MESSAGE_BUDGET;
    watch_end(&c->watch);
    if (borsh_decode(&type_proxy_message, buf_bytes(&c->in.body), &c->memory, &m) != Q_OK)
        return answer_error(c, NET_ERROR_INVALID_MSG);
    switch ((enum proxy_kind)m.tag) {
    case PROXY_STATUS_REQUEST:
        return answer(c, &status);
    case PROXY_CONNECT_BY_NAME_REQUEST:
    case PROXY_CONNECT_BY_IP_REQUEST:
        return serve(c, &m);
    case PROXY_ERROR:
    case PROXY_STATUS_RESPONSE:
    case PROXY_CONNECT_RESPONSE:
        break;
    }
    return answer_error(c, NET_ERROR_INVALID_MSG);
}

static enum q_err receive(struct egress_connection *c)
{
    bool whole;
    enum q_err result = frame_receive_one(c->enclave, &c->in, PROXY_MESSAGE_MAX, &whole);
    if (result == Q_LIMIT)
        return answer_error(c, NET_ERROR_OVERSIZE_MSG);
    TRY(result);
    return whole ? dispatch(c) : Q_OK;
}

static void request_ready(void *context, unsigned events)
{
    (void)events;
    struct egress_connection *c = context;
    if (receive(c) != Q_OK)
        close_connection(c);
}

// An address that does not answer gives way to the next; the enclave's own slowness ends it.
static enum q_err too_late(struct egress_connection *c)
{
    const struct egress_host_options *o = &c->host->options;
    if (c->lookup != NULL) {
        lookup_cancel(&c->lookup);
        err_record(-1, "name: timed out after %lld ms", (long long)o->lookup_ms);
        return answer_error(c, NET_ERROR_DNS_RESOLUTION);
    }
    if (c->target < 0 || c->reply.n > 0)
        return Q_TIMEOUT;
    err_record(-1, "connecting: timed out after %lld ms", (long long)o->connect_ms);
    return connect_next(c);
}

static void deadline_came(void *context)
{
    struct egress_connection *c = context;
    if (too_late(c) != Q_OK)
        close_connection(c);
}

static enum q_err begin(struct egress_connection *c, bool full)
{
    struct egress_host *h = c->host;
    TRY(loop_timer(h->loop, deadline_came, c, &c->deadline));
    wait_for(c, h->options.request_ms);
    if (full)
        return answer_error(c, NET_ERROR_TOO_MANY_CONNECTIONS);
    return loop_watch(h->loop, c->enclave, LOOP_READ, request_ready, c, &c->watch);
}

void egress_connection_open(struct egress_host *h, int fd, bool full)
{
    struct egress_connection *c = calloc(1, sizeof *c);
    if (c == NULL) {
        log_warn("egress: connection closed: no memory");
        (void)close(fd);
        return;
    }
    *c = (struct egress_connection){.host = h, .enclave = fd, .target = -1};
    chain_add_last(&h->connections, &c->link);
    h->count++;
    if (begin(c, full) != Q_OK)
        close_connection(c);
}

void egress_connections_close(const struct egress_host *h)
{
    struct chain_link *l;
    while ((l = chain_first(&h->connections)) != NULL)
        close_connection(CHAIN_OWNER(l, struct egress_connection, link));
}
