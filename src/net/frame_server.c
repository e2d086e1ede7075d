// The server side of framed streams (see frame.h): connections with deadlines, the oldest idle one
// evicted for a new one, one large frame at a time. A slow or dead peer costs only itself.
#include "net/frame.h"

#include "base/log.h"
#include "net/chain.h"
#include "net/frame_io.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define ACCEPTS_PER_TURN 16
#define ACCEPT_AGAIN_MS 50
// A peer in the middle of a frame may be evicted when no idle one is left and it took this long.
#define SLOW_MS 250
#define SLOW_LARGE_MS 2000

enum state {
    RECEIVING, // idle while no byte of a frame came
    WAITING,   // its large frame waits for another one
    SENDING,
};

struct frame_connection {
    struct frame_server *server;
    int fd;
    enum state state;
    bool idle;        // which list it is in
    int64_t since_ms; // of its place in that list
    struct watch *watch;
    struct timer *deadline;
    struct frame_input in;
    struct buf rest; // came already, belongs to later
    struct buf reply;
    struct frame_output out;
    struct chain_link link;
};

struct frame_server {
    struct loop *loop;
    struct frame_server_options options;
    int fd;
    struct socket_file file;
    struct watch *watch;
    struct timer *again;            // accepting paused
    struct timer *resume;           // the next large frame may come
    struct frame_connection *large; // receives a large frame
    struct chain idle, busy;        // oldest first
    unsigned count;
    uint8_t scratch[FRAME_SCRATCH];
};

static bool is_large(const struct frame_connection *c)
{
    return frame_length_known(&c->in) && c->in.length > FRAME_LARGE;
}

static void place(struct frame_connection *c, bool idle)
{
    struct frame_server *s = c->server;
    chain_remove(&c->link);
    c->idle = idle;
    c->since_ms = loop_now_ms(s->loop);
    chain_add_last(idle ? &s->idle : &s->busy, &c->link);
    timer_set(c->deadline, c->since_ms + (idle ? s->options.idle_ms : s->options.frame_ms));
}

static void release_large(struct frame_connection *c)
{
    struct frame_server *s = c->server;
    if (s->large != c)
        return;
    s->large = NULL;
    timer_set(s->resume, loop_now_ms(s->loop));
}

static void close_connection(struct frame_connection *c)
{
    struct frame_server *s = c->server;
    release_large(c);
    chain_remove(&c->link);
    s->count--;
    watch_end(&c->watch);
    timer_end(&c->deadline);
    (void)close(c->fd);
    frame_input_reset(&c->in);
    buf_free(&c->rest);
    buf_free(&c->reply);
    free(c);
}

// Sends what is left of the reply; afterwards the connection is idle again.
static enum q_err send_reply(struct frame_connection *c)
{
    bool whole;
    TRY(frame_send(c->fd, &c->out, &whole));
    if (whole) {
        buf_free(&c->reply);
        if (c->state == SENDING)
            TRY(watch_change(c->watch, LOOP_READ));
        c->state = RECEIVING;
        place(c, true);
        return Q_OK;
    }
    if (c->state == SENDING)
        return Q_OK;
    c->state = SENDING;
    place(c, false);
    return watch_change(c->watch, LOOP_WRITE);
}

static enum q_err answer(struct frame_connection *c)
{
    const struct frame_server_options *o = &c->server->options;
    enum q_err result = o->handle(o->context, buf_bytes(&c->in.body), &c->reply);
    release_large(c);
    frame_input_reset(&c->in);
    if (result != Q_OK) {
        log_warn("connection closed: %s", err_text());
        return result;
    }
    c->out = frame_output_of(buf_bytes(&c->reply));
    return send_reply(c);
}

static enum q_err take_header(struct frame_connection *c, struct bytes *in)
{
    struct frame_server *s = c->server;
    if (!frame_begun(&c->in))
        place(c, false);
    enum q_err result = frame_take_header(&c->in, s->options.frame_limit(s->options.context), in);
    if (result != Q_OK) {
        log_warn("connection closed: %s", err_text());
        return result;
    }
    if (!is_large(c))
        return Q_OK;
    if (s->large == NULL) {
        s->large = c;
        return Q_OK;
    }
    log_info("a frame of %zu bytes waits until another large one is received", c->in.length);
    c->state = WAITING;
    return watch_change(c->watch, 0);
}

// Takes frames from what came, answering each, until the input ends or the connection has to wait.
static enum q_err advance(struct frame_connection *c, struct bytes in)
{
    bool whole = false;
    while (c->state == RECEIVING && in.n > 0) {
        if (!frame_length_known(&c->in))
            TRY(take_header(c, &in));
        if (c->state == WAITING || !frame_length_known(&c->in))
            continue;
        TRY(frame_take_body(&c->in, &in, &whole));
        if (whole)
            TRY(answer(c));
    }
    return buf_append(&c->rest, in);
}

static enum q_err advance_rest(struct frame_connection *c)
{
    BUF_AUTO rest = c->rest;
    c->rest = (struct buf){.wipe = true};
    return advance(c, buf_bytes(&rest));
}

static enum q_err receive(struct frame_connection *c)
{
    struct frame_server *s = c->server;
    struct bytes got;
    TRY(frame_receive(c->fd, s->scratch, sizeof s->scratch, &got));
    enum q_err err = got.n == 0 ? Q_OK : advance(c, got);
    wipe(s->scratch, got.n); // requests of the REST API may hold secrets
    return err;
}

static enum q_err connection_turn(struct frame_connection *c, unsigned events)
{
    if (c->state == SENDING && (events & LOOP_WRITE) != 0) {
        TRY(send_reply(c));
        return c->state == RECEIVING ? advance_rest(c) : Q_OK;
    }
    if (c->state == RECEIVING)
        return receive(c);
    return (events & LOOP_HANGUP) != 0 ? Q_CLOSED : Q_OK;
}

static void connection_ready(void *context, unsigned events)
{
    struct frame_connection *c = context;
    if (connection_turn(c, events) != Q_OK)
        close_connection(c);
}

static void connection_due(void *context)
{
    struct frame_connection *c = context;
    if (!c->idle)
        log_info("connection closed: a frame took longer than %lld ms",
                 (long long)c->server->options.frame_ms);
    close_connection(c);
}

static struct frame_connection *owner(struct chain_link *l)
{
    return CHAIN_OWNER(l, struct frame_connection, link);
}

static struct frame_connection *first_waiting(const struct frame_server *s)
{
    for (struct chain_link *l = chain_first(&s->busy); l != NULL; l = chain_next(&s->busy, l)) {
        if (owner(l)->state == WAITING)
            return owner(l);
    }
    return NULL;
}

// The oldest connection that waits for the large slot gets it.
static void resume_large(void *context)
{
    struct frame_server *s = context;
    struct frame_connection *c = first_waiting(s);
    if (s->large != NULL || c == NULL)
        return;
    s->large = c;
    c->state = RECEIVING;
    place(c, false);
    if (watch_change(c->watch, LOOP_READ) != Q_OK || advance_rest(c) != Q_OK)
        close_connection(c);
}

static enum q_err open_connection(struct frame_server *s, int fd, struct frame_connection **out)
{
    struct frame_connection *c = calloc(1, sizeof *c);
    if (c == NULL)
        return fail(Q_NOMEM, "connection: no memory");
    *c = (struct frame_connection){
        .server = s, .fd = fd, .idle = true, .rest = {.wipe = true}, .reply = {.wipe = true}};
    enum q_err result = loop_timer(s->loop, connection_due, c, &c->deadline);
    if (result == Q_OK)
        result = loop_watch(s->loop, fd, LOOP_READ, connection_ready, c, &c->watch);
    if (result != Q_OK) {
        timer_end(&c->deadline);
        free(c);
        return result;
    }
    chain_add_last(&s->idle, &c->link);
    s->count++;
    place(c, true);
    *out = c;
    return Q_OK;
}

// Who would go for a new connection: the oldest idle one, else the oldest that is slow, else nobody.
static struct frame_connection *evictable(const struct frame_server *s)
{
    struct frame_connection *c = owner(chain_first(&s->idle));
    if (c != NULL)
        return c;
    for (struct chain_link *l = chain_first(&s->busy); l != NULL; l = chain_next(&s->busy, l)) {
        c = owner(l);
        if (loop_now_ms(s->loop) - c->since_ms >= (c == s->large ? SLOW_LARGE_MS : SLOW_MS))
            return c;
    }
    return NULL;
}

static void evict(struct frame_connection *c)
{
    if (!c->idle)
        log_info("connection closed: a new one needs its place and its frame is slow");
    close_connection(c);
}

static void pause_accepting(struct frame_server *s)
{
    if (watch_change(s->watch, 0) == Q_OK)
        timer_set(s->again, loop_now_ms(s->loop) + ACCEPT_AGAIN_MS);
}

static void accept_again(void *context)
{
    struct frame_server *s = context;
    if (watch_change(s->watch, LOOP_READ) != Q_OK) // nobody else would ask again
        timer_set(s->again, loop_now_ms(s->loop) + ACCEPT_AGAIN_MS);
}

static bool out_of_descriptors(int why)
{
    return why == EMFILE || why == ENFILE || why == ENOBUFS || why == ENOMEM;
}

// False when there is nobody to accept, or no room.
static bool accept_one(struct frame_server *s)
{
    struct frame_connection *victim = evictable(s);
    bool full = s->count >= s->options.connections_max;
    if (full && victim == NULL) {
        pause_accepting(s);
        return false;
    }
    int fd = accept4(s->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0 && !out_of_descriptors(errno))
        return false;
    if (victim != NULL && (full || fd < 0))
        evict(victim);
    if (fd < 0) {
        pause_accepting(s);
        return false;
    }
    struct frame_connection *c;
    if (open_connection(s, fd, &c) != Q_OK) {
        log_warn("connection refused: %s", err_text());
        (void)close(fd);
        return false;
    }
    // Its first frame is often there already; and it cannot be evicted unread.
    connection_ready(c, LOOP_READ);
    return true;
}

static void listener_ready(void *context, unsigned events)
{
    (void)events;
    for (int i = 0; i < ACCEPTS_PER_TURN && accept_one(context); i++)
        continue;
}

static enum q_err start(struct frame_server *s)
{
    TRY(address_listen(&s->options.address, SOMAXCONN, &s->fd));
    s->file = socket_file_of(&s->options.address);
    TRY(loop_timer(s->loop, accept_again, s, &s->again));
    TRY(loop_timer(s->loop, resume_large, s, &s->resume));
    return loop_watch(s->loop, s->fd, LOOP_READ, listener_ready, s, &s->watch);
}

enum q_err frame_server_start(struct loop *l, const struct frame_server_options *options,
                              struct frame_server **out)
{
    struct frame_server *s = calloc(1, sizeof *s);
    if (s == NULL)
        return fail(Q_NOMEM, "frame server: no memory");
    s->loop = l;
    s->options = *options;
    s->fd = -1;
    chain_init(&s->idle);
    chain_init(&s->busy);
    enum q_err result = start(s);
    if (result != Q_OK) {
        frame_server_stop(&s);
        return result;
    }
    *out = s;
    return Q_OK;
}

unsigned frame_server_connections(const struct frame_server *s)
{
    return s->count;
}

static void close_all(const struct chain *connections)
{
    struct chain_link *l;
    while ((l = chain_first(connections)) != NULL)
        close_connection(owner(l));
}

void frame_server_stop(struct frame_server **server)
{
    struct frame_server *s = *server;
    if (s == NULL)
        return;
    close_all(&s->idle);
    close_all(&s->busy);
    watch_end(&s->watch);
    timer_end(&s->again);
    timer_end(&s->resume);
    if (s->fd >= 0) {
        socket_file_remove(&s->file);
        (void)close(s->fd);
    }
    free(s);
    *server = NULL;
}
