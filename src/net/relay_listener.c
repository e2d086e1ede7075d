// Relay listeners (see relay_listener.h).
#include "net/relay_listener.h"

#include "base/log.h"
#include "net/chain.h"
#include "net/relay.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define ACCEPTS_PER_TURN 16
#define ACCEPT_AGAIN_MS 20
#define CONNECT_AGAIN_MS 5 // after a queue of connections was full

struct relay_listener {
    struct loop *loop;
    struct relay_listener_options options;
    struct socket_file file;
    int fd;
    struct watch *watch;
    struct timer *again; // accepting paused
    struct chain connections;
    unsigned count;
    bool failing;                // the last connection could not be passed on
    struct relay_listener *next; // of those that share the room
};

// First it connects, then it relays.
struct connection {
    struct relay_listener *listener;
    int near, far; // -1: not there, or the relay's
    int64_t give_up_ms;
    struct watch *watch;
    struct timer *timer; // to give up, or to connect again
    struct relay *relay;
    struct chain_link link;
};

struct relay_room relay_room_of(unsigned most)
{
    struct rlimit files;
    if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
        files.rlim_cur = files.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &files);
    }
    if (getrlimit(RLIMIT_NOFILE, &files) != 0)
        files.rlim_cur = DESCRIPTORS_SPARE;
    rlim_t half = files.rlim_cur / 2, spare = half < DESCRIPTORS_SPARE ? half : DESCRIPTORS_SPARE;
    rlim_t room = (files.rlim_cur - spare) / 2; // two descriptors each
    return (struct relay_room){.most = room < most ? (unsigned)room : most,
                               .evict_ms = RELAY_EVICT_MS};
}

static void close_descriptor(int *fd)
{
    if (*fd >= 0)
        (void)close(*fd);
    *fd = -1;
}

static void close_connection(struct connection *c)
{
    struct relay_listener *s = c->listener;
    relay_stop(&c->relay);
    watch_end(&c->watch);
    timer_end(&c->timer);
    close_descriptor(&c->near);
    close_descriptor(&c->far);
    chain_remove(&c->link);
    s->count--;
    s->options.room->used--;
    free(c);
}

static void say_failing(struct relay_listener *s)
{
    if (!s->failing)
        log_warn("%s; connections are closed until that is over", err_text());
    s->failing = true;
}

static void say_working(struct relay_listener *s)
{
    BUF_AUTO where = {0};
    if (s->failing && address_display(&s->options.connect, &where) == Q_OK &&
        buf_text(&where) != NULL)
        log_info("connections reach %s again", (const char *)where.p);
    s->failing = false;
}

// A TCP client is told by a reset: an orderly end would say that there was nothing to answer.
static void turn_away(struct connection *c)
{
    const struct linger at_once = {.l_onoff = 1};
    say_failing(c->listener);
    (void)setsockopt(c->near, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    close_connection(c);
}

static void relay_over(void *context, enum q_err result, const uint64_t passed[static 2])
{
    (void)result; // how others end their connections is not for our log
    (void)passed;
    struct connection *c = context;
    c->relay = NULL;
    close_connection(c);
}

static enum q_err join(struct connection *c)
{
    struct relay_listener *s = c->listener;
    const struct relay_options o = {
        .fd = {c->near, c->far}, .idle_ms = s->options.idle_ms, .ended = relay_over, .context = c};
    TRY(address_connected(&s->options.connect, c->far));
    watch_end(&c->watch);
    timer_end(&c->timer);
    TRY(relay_start(s->loop, &o, &c->relay));
    c->near = c->far = -1;
    say_working(s);
    return Q_OK;
}

static void connected(void *context, unsigned events)
{
    (void)events;
    struct connection *c = context;
    if (join(c) != Q_OK)
        turn_away(c);
}

static enum q_err try_connect(struct connection *c)
{
    struct relay_listener *s = c->listener;
    enum q_err result = address_connect(&s->options.connect, &c->far);
    if (result == Q_LIMIT && loop_now_ms(s->loop) < c->give_up_ms) {
        timer_set(c->timer, loop_now_ms(s->loop) + CONNECT_AGAIN_MS);
        return Q_OK;
    }
    TRY(result);
    if (s->options.connect.kind == ADDRESS_UNIX)
        return join(c); // connected at once
    timer_set(c->timer, c->give_up_ms);
    return loop_watch(s->loop, c->far, LOOP_WRITE, connected, c, &c->watch);
}

static enum q_err too_late(const struct connection *c)
{
    BUF_AUTO where = {0};
    TRY(address_display(&c->listener->options.connect, &where));
    const char *text = buf_text(&where);
    return fail(Q_TIMEOUT, "connecting to %s: no answer within %lld ms", text == NULL ? "?" : text,
                (long long)c->listener->options.connect_ms);
}

static void connect_due(void *context)
{
    struct connection *c = context;
    if ((c->far >= 0 ? too_late(c) : try_connect(c)) != Q_OK)
        turn_away(c);
}

static enum q_err open_connection(struct relay_listener *s, int fd, struct connection **out)
{
    struct connection *c = calloc(1, sizeof *c);
    if (c == NULL)
        return fail(Q_NOMEM, "connection: no memory");
    *c = (struct connection){.listener = s, .near = fd, .far = -1};
    c->give_up_ms = loop_now_ms(s->loop) + s->options.connect_ms;
    enum q_err result = loop_timer(s->loop, connect_due, c, &c->timer);
    if (result != Q_OK) {
        free(c);
        return result;
    }
    chain_add_last(&s->connections, &c->link);
    s->count++;
    s->options.room->used++;
    *out = c;
    return Q_OK;
}

static void pause_accepting(struct relay_listener *s)
{
    if (watch_change(s->watch, 0) == Q_OK)
        timer_set(s->again, loop_now_ms(s->loop) + ACCEPT_AGAIN_MS);
}

static void accept_again(void *context)
{
    struct relay_listener *s = context;
    if (watch_change(s->watch, LOOP_READ) != Q_OK)
        timer_set(s->again, loop_now_ms(s->loop) + ACCEPT_AGAIN_MS);
}

static struct connection *owner(struct chain_link *l)
{
    return CHAIN_OWNER(l, struct connection, link);
}

// Of this listener's connections the one that was silent longer than *longest, and longest.
static struct connection *more_silent(const struct relay_listener *s, int64_t *longest)
{
    struct connection *found = NULL;
    for (struct chain_link *l = chain_first(&s->connections); l != NULL;
         l = chain_next(&s->connections, l)) {
        struct connection *c = owner(l);
        if (c->relay == NULL || relay_silent_ms(c->relay) <= *longest)
            continue;
        found = c;
        *longest = relay_silent_ms(c->relay);
    }
    return found;
}

// The connection that was silent longest, if that is long enough to give way to a new one.
static struct connection *evictable(const struct relay_room *room)
{
    struct connection *found = NULL;
    int64_t longest = room->evict_ms - 1;
    for (const struct relay_listener *s = room->listeners; s != NULL; s = s->next) {
        struct connection *c = more_silent(s, &longest);
        found = c != NULL ? c : found;
    }
    return found;
}

static void evict(struct connection *c)
{
    log_info("a connection that was silent for %lld ms is closed for a new one",
             (long long)relay_silent_ms(c->relay));
    close_connection(c);
}

static void no_delay(const struct relay_listener *s, int fd)
{
    int on = 1;
    if (s->options.listen.kind == ADDRESS_TCP)
        (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

static bool will_pass(int why)
{
    return why == ECONNABORTED || why == EINTR || why == EPROTO;
}

// False when there is nobody to accept, or no room.
static bool accept_one(struct relay_listener *s)
{
    bool full = s->options.room->used >= s->options.room->most;
    struct connection *victim = full ? evictable(s->options.room) : NULL;
    if (full && victim == NULL) {
        pause_accepting(s);
        return false;
    }
    int fd = accept4(s->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) {
        if (errno != EAGAIN && !will_pass(errno))
            pause_accepting(s);
        return false;
    }
    if (victim != NULL)
        evict(victim);
    no_delay(s, fd);
    struct connection *c;
    if (open_connection(s, fd, &c) != Q_OK) {
        say_failing(s);
        (void)close(fd);
        return false;
    }
    if (try_connect(c) != Q_OK)
        turn_away(c);
    return true;
}

static void listener_ready(void *context, unsigned events)
{
    (void)events;
    for (int i = 0; i < ACCEPTS_PER_TURN && accept_one(context); i++)
        continue;
}

static enum q_err start(struct relay_listener *s)
{
    TRY(address_listen(&s->options.listen, SOMAXCONN, &s->fd));
    s->file = socket_file_of(&s->options.listen);
    TRY(loop_timer(s->loop, accept_again, s, &s->again));
    return loop_watch(s->loop, s->fd, LOOP_READ, listener_ready, s, &s->watch);
}

enum q_err relay_listener_start(struct loop *l, const struct relay_listener_options *o,
                                struct relay_listener **out)
{
    struct relay_listener *s = calloc(1, sizeof *s);
    if (s == NULL)
        return fail(Q_NOMEM, "relay listener: no memory");
    s->loop = l;
    s->options = *o;
    s->fd = -1;
    chain_init(&s->connections);
    s->next = o->room->listeners;
    o->room->listeners = s;
    enum q_err result = start(s);
    if (result != Q_OK) {
        relay_listener_stop(&s);
        return result;
    }
    *out = s;
    return Q_OK;
}

static void leave_room(const struct relay_listener *s)
{
    struct relay_listener **place = &s->options.room->listeners;
    while (*place != s)
        place = &(*place)->next;
    *place = s->next;
}

unsigned relay_listener_connections(const struct relay_listener *s)
{
    return s->count;
}

void relay_listener_stop(struct relay_listener **listener)
{
    struct relay_listener *s = *listener;
    if (s == NULL)
        return;
    struct chain_link *l;
    while ((l = chain_first(&s->connections)) != NULL)
        close_connection(owner(l));
    leave_room(s);
    watch_end(&s->watch);
    timer_end(&s->again);
    if (s->fd >= 0) {
        socket_file_remove(&s->file);
        (void)close(s->fd);
    }
    free(s);
    *listener = NULL;
}
