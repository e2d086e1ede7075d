// Connections of the application to its proxy (see egress_client.h). Nothing is read beyond the handshake or
// the host's frame, so what follows them is the relay's.
#include "enclave/egress_client.h"

#include "base/text.h"
#include "codec/borsh.h"
#include "net/frame_io.h"
#include "net/relay.h"
#include "net/socks.h"
#include "protocol/proxy.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define DNS_PORT 53
#define UNREAD_MAX ((size_t)64 << 10)
#define ANSWER_BUDGET ((size_t)256 << 10)
#define SHOWN_MAX 300 // bytes of a text from the host, in the log

enum state {
    SHAKING_HANDS,
    CONNECTING, // to the host; from here on the application waits for an answer
    SENDING,    // the request
    WAITING,    // for the host's answer
    RELAYING,
};

struct client {
    struct egress *egress;
    enum state state;
    int app, host;       // -1: not there, or the relay's
    struct watch *watch; // of one of them
    struct timer *deadline;
    struct socks socks;
    struct egress_target target;
    struct buf request;
    struct frame_output out;
    struct frame_input in;
    bool told; // the application has its answer
    struct relay *relay;
    struct chain_link link;
};

static void close_descriptor(int *fd)
{
    if (*fd >= 0)
        (void)close(*fd);
    *fd = -1;
}

// Unread bytes would turn the end into a reset, which can overtake the last answer.
static void close_application(struct client *c)
{
    if (c->app >= 0)
        (void)recv(c->app, NULL, UNREAD_MAX, MSG_DONTWAIT | MSG_TRUNC);
    close_descriptor(&c->app);
}

static void close_client(struct client *c)
{
    struct egress *e = c->egress;
    relay_stop(&c->relay);
    watch_end(&c->watch);
    timer_end(&c->deadline);
    close_application(c);
    close_descriptor(&c->host);
    buf_free(&c->request);
    frame_input_reset(&c->in);
    chain_remove(&c->link);
    free(c);
    egress_client_ended(e);
}

// A few bytes into a socket that has taken next to nothing: they fit, or the application does not read.
static enum q_err send_few(const struct client *c, struct bytes few)
{
    if (send(c->app, few.p, few.n, MSG_NOSIGNAL | MSG_DONTWAIT) != (ssize_t)few.n)
        return fail(Q_CLOSED, "the application does not take its answer");
    return Q_OK;
}

static enum q_err send_answer(struct client *c, enum socks_reply reply)
{
    uint8_t answer[SOCKS_REPLY_SIZE];
    c->told = true;
    socks_answer(reply, answer);
    return send_few(c, BYTES_OF(answer));
}

// Ends the connection with this answer.
static enum q_err end_with(struct client *c, enum socks_reply reply)
{
    TRY(send_answer(c, reply));
    return Q_CLOSED;
}

static void say(const struct client *c, const char *what, const char *why)
{
    BUF_AUTO where = {0};
    if (egress_target_display(&c->target, &where) == Q_OK && buf_text(&where) != NULL)
        egress_say(c->egress, what, (const char *)where.p, why);
}

// Of what is no target at all.
static void say_malformed(const struct client *c)
{
    BUF_AUTO where = {0};
    if (text_display(c->socks.request.address, &where) == Q_OK && buf_text(&where) != NULL)
        egress_say(c->egress, "refused", (const char *)where.p, err_text());
}

static void relay_over(void *context, enum q_err result, const uint64_t passed[static 2])
{
    (void)result; // how others end their connections is not for our log
    (void)passed;
    struct client *c = context;
    c->relay = NULL;
    close_client(c);
}

static enum q_err start_relay(struct client *c)
{
    const struct relay_options o = {.fd = {c->app, c->host},
                                    .idle_ms = c->egress->options.idle_ms,
                                    .ended = relay_over,
                                    .context = c};
    TRY(send_answer(c, SOCKS_SUCCEEDED));
    watch_end(&c->watch);
    timer_cancel(c->deadline);
    TRY(relay_start(c->egress->loop, &o, &c->relay));
    c->app = c->host = -1;
    return Q_OK;
}

// What the host's words mean to a SOCKS client. They are the system's, in the original's and our own errors;
// a host that says something else only spoils the application's message.
static enum socks_reply reply_of(const struct net_error *error)
{
    static const struct {
        const char *words;
        enum socks_reply reply;
    } known[] = {
        {"not allowed", SOCKS_NOT_ALLOWED},
        {"Connection refused", SOCKS_REFUSED},
        {"Network is unreachable", SOCKS_NETWORK_UNREACHABLE},
        {"No route to host", SOCKS_HOST_UNREACHABLE},
        {"timed out", SOCKS_TTL_EXPIRED},
    };
    if (error->tag == NET_ERROR_DNS_RESOLUTION)
        return SOCKS_HOST_UNREACHABLE;
    if (error->tag != NET_ERROR_IO)
        return SOCKS_FAILED;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (memmem(error->text.p, error->text.n, known[i].words, strlen(known[i].words)) != NULL)
            return known[i].reply;
    return SOCKS_FAILED;
}

static bool has_text(const struct net_error *error)
{
    return error->tag == NET_ERROR_IO || error->tag == NET_ERROR_PARSE ||
           error->tag == NET_ERROR_DNS_RESOLUTION;
}

static enum q_err host_refused(struct client *c, const struct net_error *error)
{
    BUF_AUTO why = {0};
    TRY(buf_append_str(&why, net_error_name((enum net_error_kind)error->tag)));
    if (has_text(error)) {
        size_t n = error->text.n < SHOWN_MAX ? error->text.n : SHOWN_MAX;
        TRY(buf_append_str(&why, ": "));
        TRY(text_display(bytes_of(error->text.p, n), &why));
    }
    if (buf_text(&why) != NULL)
        say(c, "the host did not connect to", (const char *)why.p);
    return end_with(c, reply_of(error));
}

// An address that was asked for is the one that must be named.
static bool is_connected(const struct client *c, const struct proxy_message *m)
{
    struct ip ip;
    return m->tag == PROXY_CONNECT_RESPONSE && ip_parse(m->connected.remote_ip, &ip) &&
           (c->target.named || ip_equal(&ip, &c->target.ip));
}

static enum q_err answered(struct client *c)
{
    ARENA_AUTO a = {.budget = ANSWER_BUDGET};
    struct proxy_message m;
    if (borsh_decode(&type_proxy_message, buf_bytes(&c->in.body), &a, &m) != Q_OK)
        return fail(Q_BAD_INPUT, "the host: expected a proxy message, got something else");
    if (m.tag == PROXY_ERROR)
        return host_refused(c, &m.error);
    if (!is_connected(c, &m))
        return fail(Q_BAD_INPUT, "the host: expected the address it connected to, got something "
                                 "else");
    return start_relay(c);
}

static void host_ready(void *context, unsigned events);

static enum q_err wait_for_host(struct client *c, unsigned events)
{
    if (c->watch != NULL)
        return watch_change(c->watch, events);
    return loop_watch(c->egress->loop, c->host, events, host_ready, c, &c->watch);
}

static enum q_err send_request(struct client *c)
{
    bool whole;
    c->state = SENDING;
    TRY(frame_send(c->host, &c->out, &whole));
    if (whole)
        c->state = WAITING;
    return wait_for_host(c, whole ? LOOP_READ : LOOP_WRITE);
}

static enum q_err receive_answer(struct client *c)
{
    bool whole;
    TRY(frame_receive_one(c->host, &c->in, PROXY_MESSAGE_MAX, &whole));
    return whole ? answered(c) : Q_OK;
}

static enum q_err host_turn(struct client *c)
{
    if (c->state == CONNECTING)
        TRY(address_connected(&c->egress->options.host, c->host));
    return c->state == WAITING ? receive_answer(c) : send_request(c);
}

// With the sentence recorded last.
static void host_failed(struct client *c)
{
    if (c->told)
        return;
    say(c, "no connection to", err_text());
    (void)send_answer(c, SOCKS_FAILED);
}

static enum q_err connect_to_host(struct client *c)
{
    struct egress *e = c->egress;
    c->state = CONNECTING;
    timer_set(c->deadline, loop_now_ms(e->loop) + e->options.answer_ms);
    TRY(address_connect(&e->options.host, &c->host));
    // A unix socket is connected at once.
    return e->options.host.kind == ADDRESS_UNIX ? send_request(c) : wait_for_host(c, LOOP_WRITE);
}

static enum q_err write_request(struct client *c)
{
    struct proxy_message m = {.tag = PROXY_CONNECT_BY_IP_REQUEST};
    const struct egress_rules *r = &c->egress->rules;
    ARENA_AUTO a = {0};
    BUF_AUTO ip = {0};
    if (c->target.named) {
        void *items;
        m = (struct proxy_message){
            .tag = PROXY_CONNECT_BY_NAME_REQUEST,
            .by_name = {.hostname = c->target.name, .port = c->target.port, .dns_port = DNS_PORT}};
        TRY(arena_array(&a, r->resolvers_n, sizeof(struct bytes), &items));
        if (r->resolvers_n > 0)
            memcpy(items, r->resolvers, r->resolvers_n * sizeof(struct bytes));
        m.by_name.dns_resolvers.items = items;
        m.by_name.dns_resolvers.n = r->resolvers_n;
    } else {
        TRY(ip_display(&c->target.ip, &ip));
        m.by_ip = (struct proxy_by_ip){.ip = buf_bytes(&ip), .port = c->target.port};
    }
    TRY(borsh_encode(&type_proxy_message, &m, &c->request));
    c->out = frame_output_of(buf_bytes(&c->request));
    return Q_OK;
}

// Fails once the host cannot help; the application gets its answer from the caller.
static enum q_err go(struct client *c)
{
    watch_end(&c->watch);
    TRY(write_request(c));
    return connect_to_host(c);
}

static enum q_err target_of(const struct socks_request *r, struct egress_target *out)
{
    if (r->type == SOCKS_NAME)
        return egress_target_of(r->address, r->port, out);
    *out = (struct egress_target){.port = r->port};
    if (r->type == SOCKS_IPV4)
        out->ip = ip_from_v4(r->address.p);
    else
        memcpy(out->ip.octet, r->address.p, sizeof out->ip.octet);
    return r->port != 0 ? Q_OK : fail(Q_BAD_INPUT, "port: expected 1 to 65535, got 0");
}

// The rule. A name that no entry says goes to the host as well, which keeps it out of its own networks.
static enum q_err asked(struct client *c)
{
    if (target_of(&c->socks.request, &c->target) != Q_OK) {
        say_malformed(c);
        return end_with(c, SOCKS_NOT_ALLOWED);
    }
    if (egress_judge(&c->egress->rules, &c->target) == EGRESS_REFUSED) {
        say(c, "refused", "no client entry of the manifest allows it");
        return end_with(c, SOCKS_NOT_ALLOWED);
    }
    if (go(c) == Q_OK)
        return Q_OK;
    host_failed(c);
    return Q_CLOSED;
}

static enum q_err choose(struct client *c)
{
    uint8_t choice[SOCKS_CHOICE_SIZE];
    bool accepted = c->socks.step == SOCKS_CHOOSE;
    socks_choice(accepted, choice);
    TRY(send_few(c, BYTES_OF(choice)));
    if (accepted)
        socks_chosen(&c->socks);
    return accepted ? Q_OK : Q_CLOSED;
}

static enum q_err take_step(struct client *c)
{
    switch (c->socks.step) {
    case SOCKS_GREETING:
    case SOCKS_ASKING:
        return Q_OK;
    case SOCKS_CHOOSE:
    case SOCKS_NO_METHOD:
        return choose(c);
    case SOCKS_ASKED:
        return asked(c);
    case SOCKS_UNSERVED:
        return end_with(c, c->socks.refusal);
    case SOCKS_NOT_SOCKS5:
        return Q_CLOSED;
    }
    return Q_CLOSED;
}

static enum q_err shake_hands(struct client *c)
{
    uint8_t some[SOCKS_MESSAGE_MAX];
    struct bytes got;
    while (c->state == SHAKING_HANDS) {
        TRY(frame_receive(c->app, some, socks_wants(&c->socks), &got));
        if (got.n == 0)
            return Q_OK;
        (void)socks_take(&c->socks, &got);
        TRY(take_step(c));
    }
    return Q_OK;
}

static void application_ready(void *context, unsigned events)
{
    (void)events;
    struct client *c = context;
    if (shake_hands(c) != Q_OK)
        close_client(c);
}

static void host_ready(void *context, unsigned events)
{
    (void)events;
    struct client *c = context;
    if (host_turn(c) == Q_OK)
        return;
    host_failed(c);
    close_client(c);
}

static void deadline_came(void *context)
{
    struct client *c = context;
    if (c->state != SHAKING_HANDS) {
        err_record(-1, "the host: no answer within %lld ms",
                   (long long)c->egress->options.answer_ms);
        host_failed(c);
    }
    close_client(c);
}

static enum q_err begin(struct client *c)
{
    struct egress *e = c->egress;
    int on = 1;
    (void)setsockopt(c->app, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    TRY(loop_timer(e->loop, deadline_came, c, &c->deadline));
    timer_set(c->deadline, loop_now_ms(e->loop) + e->options.handshake_ms);
    return loop_watch(e->loop, c->app, LOOP_READ, application_ready, c, &c->watch);
}

void egress_client_open(struct egress *e, int fd)
{
    struct client *c = calloc(1, sizeof *c);
    if (c == NULL) {
        (void)close(fd);
        return;
    }
    *c = (struct client){.egress = e, .app = fd, .host = -1};
    chain_add_last(&e->clients, &c->link);
    e->count++;
    if (begin(c) != Q_OK)
        close_client(c);
}

void egress_clients_close(const struct egress *e)
{
    struct chain_link *l;
    while ((l = chain_first(&e->clients)) != NULL)
        close_client(CHAIN_OWNER(l, struct client, link));
}
