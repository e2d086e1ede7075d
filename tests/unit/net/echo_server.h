// A frame server on a unix socket in a folder of its own, and plain sockets that talk to it: what the
// tests of server and client share. The reply is the request backwards.
#ifndef QUORATE_TESTS_ECHO_SERVER_H
#define QUORATE_TESTS_ECHO_SERVER_H

#include "loop_until.h"
#include "net/frame.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

struct echo {
    struct loop *loop;
    struct frame_server *server;
    struct frame_server_options options;
    size_t limit;
    unsigned frames;
    size_t last_frame;
    bool refuse;
    char folder[32], path[64];
};

static inline size_t echo_limit(void *context)
{
    return ((struct echo *)context)->limit;
}

static inline enum q_err echo_handle(void *context, struct bytes frame, struct buf *reply)
{
    struct echo *e = context;
    e->frames++;
    e->last_frame = frame.n;
    if (e->refuse)
        return fail(Q_REFUSED, "test: refused");
    TRY(buf_reserve(reply, frame.n));
    for (size_t i = frame.n; i-- > 0;)
        TRY(buf_u8(reply, frame.p[i]));
    return Q_OK;
}

static inline int echo_setup(void **state)
{
    struct echo *e = calloc(1, sizeof *e);
    if (e == NULL || loop_new(&e->loop) != Q_OK)
        return -1;
    memcpy(e->folder, "/tmp/quorate-net-XXXXXX", sizeof "/tmp/quorate-net-XXXXXX");
    if (mkdtemp(e->folder) == NULL)
        return -1;
    (void)snprintf(e->path, sizeof e->path, "%s/s", e->folder);
    e->limit = FRAME_MAX;
    e->options = (struct frame_server_options){
        .address = {.kind = ADDRESS_UNIX, .path = e->path},
        .connections_max = 8,
        .idle_ms = 60000,
        .frame_ms = 60000,
        .frame_limit = echo_limit,
        .handle = echo_handle,
        .context = e,
    };
    *state = e;
    return 0;
}

static inline int echo_teardown(void **state)
{
    struct echo *e = *state;
    frame_server_stop(&e->server);
    loop_free(&e->loop);
    (void)unlink(e->path);
    (void)rmdir(e->folder);
    free(e);
    return 0;
}

static inline void echo_start(struct echo *e)
{
    assert_ok(frame_server_start(e->loop, &e->options, &e->server));
}

static inline int echo_dial(const struct echo *e)
{
    struct sockaddr_un un = {.sun_family = AF_UNIX};
    memcpy(un.sun_path, e->path, strlen(e->path) + 1);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
    assert_true(fd >= 0);
    assert_int_equal(connect(fd, (const struct sockaddr *)&un, sizeof un), 0);
    return fd;
}

static inline void put(int fd, struct bytes in)
{
    assert_int_equal(send(fd, in.p, in.n, MSG_NOSIGNAL), (ssize_t)in.n);
}

// What one plain socket has received.
struct got {
    int fd;
    size_t want;
    struct buf in;
    bool closed;
};

static inline bool got_enough(void *context)
{
    struct got *g = context;
    uint8_t some[65536];
    ssize_t n;
    while ((n = recv(g->fd, some, sizeof some, MSG_DONTWAIT)) > 0)
        assert_ok(buf_append(&g->in, bytes_of(some, (size_t)n)));
    g->closed = n == 0 || (n < 0 && errno == ECONNRESET);
    return g->closed || g->in.n >= g->want;
}

#define assert_receives(e, socket, expected)                                                       \
    do {                                                                                           \
        struct bytes want_ = (expected);                                                           \
        struct got got_ = {.fd = (socket), .want = want_.n};                                       \
        assert_true(loop_until((e)->loop, got_enough, &got_));                                     \
        assert_bytes(buf_bytes(&got_.in), want_);                                                  \
        buf_free(&got_.in);                                                                        \
    } while (0)

#define assert_closed(e, socket)                                                                   \
    do {                                                                                           \
        struct got got_ = {.fd = (socket), .want = SIZE_MAX};                                      \
        assert_true(loop_until((e)->loop, got_enough, &got_));                                     \
        assert_true(got_.closed);                                                                  \
        assert_int_equal(got_.in.n, 0);                                                            \
        buf_free(&got_.in);                                                                        \
    } while (0)

#endif
