// The client side of framed streams (see frame.h): a queue of calls and a few connections. Calls queued
// in a turn of the loop meet free connections at its end; a connection without a call is closed then.
#include "net/frame.h"

#include "net/chain.h"
#include "net/frame_io.h"

#include <stdlib.h>
#include <unistd.h>

#define CONNECT_AGAIN_MS 10
// An enclave that serves one connection at a time lets the others wait in its backlog: when one has
// waited this long, a connection that is done is closed instead of reused, so that the next gets in.
#define OTHERS_WAIT_MS 50

struct call {
    struct frame_client *client;
    struct bytes request;
    int64_t timeout_ms;
    frame_done done;
    void *context;
    struct timer *deadline;
    bool queued;
    struct connection *connection; // once it has one
    struct chain_link link;
};

struct connection {
    struct frame_client *client;
    int fd;
    bool connecting;
    unsigned events;  // watched
    int64_t since_ms; // its present call was given to it
    struct watch *watch;
    struct call *call; // NULL: free until the end of this turn
    struct frame_output out;
    struct frame_input in;
    struct chain_link link;
};

struct frame_client {
    struct loop *loop;
    struct address address;
    unsigned connections_max, connections_count;
    struct timer *dispatch;
    struct chain queue;       // of calls
    struct chain connections; // of connections
    uint8_t scratch[FRAME_SCRATCH];
};

static struct call *first_call(const struct frame_client *c)
{
    return CHAIN_OWNER(chain_first(&c->queue), struct call, link);
}

static struct connection *first_connection(const struct frame_client *c)
{
    return CHAIN_OWNER(chain_first(&c->connections), struct connection, link);
}

static struct connection *next_connection(const struct connection *n)
{
    return CHAIN_OWNER(chain_next(&n->client->connections, &n->link), struct connection, link);
}

static void dispatch_soon(struct frame_client *c, int64_t after_ms)
{
    timer_set(c->dispatch, loop_now_ms(c->loop) + after_ms);
}

static void close_connection(struct connection *n)
{
    chain_remove(&n->link);
    n->client->connections_count--;
    watch_end(&n->watch);
    (void)close(n->fd);
    frame_input_reset(&n->in);
    free(n);
}

// The call is over. Its connection no longer knows it.
static void finish(struct call *call, enum q_err result, struct bytes reply)
{
    if (call->queued)
        chain_remove(&call->link);
    timer_end(&call->deadline);
    frame_done done = call->done;
    void *context = call->context;
    free(call);
    done(context, result, reply);
}

static void connection_failed(struct connection *n, enum q_err why)
{
    struct call *call = n->call;
    dispatch_soon(n->client, 0);
    close_connection(n);
    if (call != NULL)
        finish(call, why, bytes_of("", 0));
}

static enum q_err send_more(struct connection *n)
{
    bool whole;
    TRY(frame_send(n->fd, &n->out, &whole));
    unsigned events = whole ? LOOP_READ : LOOP_WRITE;
    if (events == n->events)
        return Q_OK;
    n->events = events;
    return watch_change(n->watch, events);
}

static enum q_err connection_writable(struct connection *n)
{
    if (n->connecting) {
        TRY(address_connected(&n->client->address, n->fd));
        n->connecting = false;
    }
    return send_more(n);
}

static void reply_came(struct connection *n, bool clean)
{
    struct frame_client *client = n->client;
    struct frame_input reply = n->in;
    n->in = (struct frame_input){0};
    struct call *call = n->call;
    n->call = NULL;
    if (!clean)
        close_connection(n);
    dispatch_soon(client, 0);
    finish(call, Q_OK, buf_bytes(&reply.body));
    frame_input_reset(&reply);
}

static enum q_err connection_readable(struct connection *n)
{
    struct bytes got;
    bool whole = false;
    TRY(frame_receive(n->fd, n->client->scratch, sizeof n->client->scratch, &got));
    if (got.n == 0)
        return Q_OK;
    if (n->call == NULL)
        return fail(Q_BAD_INPUT, "enclave: bytes without a request");
    if (!frame_length_known(&n->in))
        TRY(frame_take_header(&n->in, FRAME_MAX, &got));
    if (!frame_length_known(&n->in))
        return Q_OK;
    TRY(frame_take_body(&n->in, &got, &whole));
    if (whole)
        reply_came(n, got.n == 0);
    return Q_OK;
}

static void connection_ready(void *context, unsigned events)
{
    struct connection *n = context;
    enum q_err result;
    if (n->call != NULL && (n->connecting || n->out.sent < FRAME_HEADER_SIZE + n->out.payload.n))
        result = (events & (LOOP_WRITE | LOOP_HANGUP)) != 0 ? connection_writable(n) : Q_OK;
    else
        result = connection_readable(n);
    if (result != Q_OK)
        connection_failed(n, result);
}

static void call_due(void *context)
{
    struct call *call = context;
    const char *doing = call->connection == NULL       ? "waiting for a connection"
                        : call->connection->connecting ? "connecting"
                                                       : "waiting for the reply";
    enum q_err why = fail(Q_TIMEOUT, "enclave: no answer within %lld ms (%s)",
                          (long long)call->timeout_ms, doing);
    if (call->connection != NULL)
        connection_failed(call->connection, why);
    else
        finish(call, why, bytes_of("", 0));
}

// Gives the first waiting call to a connection.
static void assign(struct frame_client *c, struct connection *n)
{
    struct call *call = first_call(c);
    chain_remove(&call->link);
    call->queued = false;
    call->connection = n;
    n->call = call;
    n->since_ms = loop_now_ms(c->loop);
    n->out = frame_output_of(call->request);
}

static bool others_wait(const struct frame_client *c)
{
    for (const struct connection *n = first_connection(c); n != NULL; n = next_connection(n)) {
        if (n->call != NULL && loop_now_ms(c->loop) - n->since_ms > OTHERS_WAIT_MS)
            return true;
    }
    return false;
}

// A free connection takes the next call. When the peer closed it meanwhile, nothing of the call was
// sent, and it goes back to be given a new connection.
static void reuse(struct frame_client *c, struct connection *n)
{
    assign(c, n);
    enum q_err result = send_more(n);
    if (result == Q_OK)
        return;
    if (n->out.sent > 0) {
        connection_failed(n, result);
        return;
    }
    n->call->connection = NULL;
    n->call->queued = true;
    chain_add_first(&c->queue, &n->call->link);
    close_connection(n);
}

static enum q_err connection_new(struct frame_client *c, struct connection **out)
{
    int fd;
    TRY(address_connect(&c->address, &fd));
    struct connection *n = calloc(1, sizeof *n);
    if (n == NULL) {
        (void)close(fd);
        return fail(Q_NOMEM, "connection: no memory");
    }
    // A unix socket is connected at once.
    bool connecting = c->address.kind != ADDRESS_UNIX;
    *n = (struct connection){.client = c,
                             .fd = fd,
                             .connecting = connecting,
                             .events = connecting ? LOOP_WRITE : LOOP_READ};
    enum q_err result = loop_watch(c->loop, fd, n->events, connection_ready, n, &n->watch);
    if (result != Q_OK) {
        (void)close(fd);
        free(n);
        return result;
    }
    chain_add_last(&c->connections, &n->link);
    c->connections_count++;
    *out = n;
    return Q_OK;
}

// False: no new connection can be had now.
static bool connect_next(struct frame_client *c)
{
    struct connection *n;
    enum q_err result = connection_new(c, &n);
    if (result == Q_LIMIT) {
        dispatch_soon(c, CONNECT_AGAIN_MS);
        return false;
    }
    if (result != Q_OK) {
        // The others may find the same, but in turns of their own: done may call again.
        dispatch_soon(c, 0);
        finish(first_call(c), result, bytes_of("", 0));
        return false;
    }
    assign(c, n);
    result = n->connecting ? Q_OK : send_more(n);
    if (result != Q_OK)
        connection_failed(n, result);
    return true;
}

static void dispatch(void *context)
{
    struct frame_client *c = context;
    bool keep = !others_wait(c);
    struct connection *next;
    for (struct connection *n = first_connection(c); n != NULL; n = next) {
        next = next_connection(n);
        if (n->call != NULL)
            continue;
        if (keep && first_call(c) != NULL)
            reuse(c, n);
        else
            close_connection(n);
    }
    while (first_call(c) != NULL && c->connections_count < c->connections_max) {
        if (!connect_next(c))
            return;
    }
}

enum q_err frame_client_new(struct loop *l, const struct address *address, unsigned connections_max,
                            struct frame_client **out)
{
    struct frame_client *c = calloc(1, sizeof *c);
    if (c == NULL)
        return fail(Q_NOMEM, "frame client: no memory");
    c->loop = l;
    c->address = *address;
    c->connections_max = connections_max == 0 ? 1 : connections_max;
    chain_init(&c->queue);
    chain_init(&c->connections);
    enum q_err result = loop_timer(l, dispatch, c, &c->dispatch);
    if (result != Q_OK) {
        free(c);
        return result;
    }
    *out = c;
    return Q_OK;
}

enum q_err frame_call(struct frame_client *c, struct bytes request, int64_t timeout_ms,
                      frame_done done, void *context)
{
    if (request.n > FRAME_MAX)
        return fail(Q_LIMIT, "request: expected at most %zu bytes, found %zu", FRAME_MAX,
                    request.n);
    struct call *call = calloc(1, sizeof *call);
    if (call == NULL)
        return fail(Q_NOMEM, "call: no memory");
    *call = (struct call){.client = c,
                          .request = request,
                          .timeout_ms = timeout_ms,
                          .done = done,
                          .context = context};
    enum q_err result = loop_timer(c->loop, call_due, call, &call->deadline);
    if (result != Q_OK) {
        free(call);
        return result;
    }
    timer_set(call->deadline, loop_now_ms(c->loop) + timeout_ms);
    chain_add_last(&c->queue, &call->link);
    call->queued = true;
    dispatch_soon(c, 0);
    return Q_OK;
}

void frame_client_free(struct frame_client **client)
{
    struct frame_client *c = *client;
    if (c == NULL)
        return;
    enum q_err why;
    struct connection *n;
    struct call *call;
    while ((n = first_connection(c)) != NULL) {
        why = fail(Q_CLOSED, "enclave: the program stops");
        connection_failed(n, why);
    }
    while ((call = first_call(c)) != NULL) {
        why = fail(Q_CLOSED, "enclave: the program stops");
        finish(call, why, bytes_of("", 0));
    }
    timer_end(&c->dispatch);
    free(c);
    *client = NULL;
}
