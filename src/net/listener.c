// Listening sockets (see listener.h).
#include "net/listener.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define ACCEPTS_PER_TURN 16
#define ACCEPT_AGAIN_MS 50

struct listener {
    struct loop *loop;
    struct listener_options options;
    int fd;
    bool paused;
    struct socket_file file;
    struct watch *watch;
    struct timer *again;
};

static void pause_accepting(struct listener *s)
{
    s->paused = watch_change(s->watch, 0) == Q_OK;
}

void listener_resume(struct listener *s)
{
    if (!s->paused)
        return;
    s->paused = watch_change(s->watch, LOOP_READ) != Q_OK;
    if (s->paused) // nobody may ask again
        timer_set(s->again, loop_now_ms(s->loop) + ACCEPT_AGAIN_MS);
}

static void again_due(void *context)
{
    listener_resume(context);
}

static bool out_of_resources(int why)
{
    return why == EMFILE || why == ENFILE || why == ENOBUFS || why == ENOMEM;
}

static bool accept_one(struct listener *s)
{
    int fd = accept4(s->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0 && out_of_resources(errno)) {
        pause_accepting(s);
        timer_set(s->again, loop_now_ms(s->loop) + ACCEPT_AGAIN_MS);
    }
    if (fd < 0)
        return false;
    if (s->options.accepted(s->options.context, fd))
        return true;
    pause_accepting(s);
    return false;
}

static void ready(void *context, unsigned events)
{
    (void)events;
    for (int i = 0; i < ACCEPTS_PER_TURN && accept_one(context); i++)
        continue;
}

static enum q_err start(struct listener *s)
{
    TRY(address_listen(&s->options.address, SOMAXCONN, &s->fd));
    s->file = socket_file_of(&s->options.address);
    TRY(loop_timer(s->loop, again_due, s, &s->again));
    return loop_watch(s->loop, s->fd, LOOP_READ, ready, s, &s->watch);
}

enum q_err listener_start(struct loop *l, const struct listener_options *o, struct listener **out)
{
    struct listener *s = calloc(1, sizeof *s);
    if (s == NULL)
        return fail(Q_NOMEM, "listener: no memory");
    *s = (struct listener){.loop = l, .options = *o, .fd = -1};
    enum q_err result = start(s);
    if (result == Q_OK)
        *out = s;
    else
        listener_stop(&s);
    return result;
}

enum q_err listener_port(const struct listener *s, uint32_t *port)
{
    return address_local_port(s->fd, port);
}

void listener_stop(struct listener **listener)
{
    struct listener *s = *listener;
    if (s == NULL)
        return;
    watch_end(&s->watch);
    timer_end(&s->again);
    if (s->fd >= 0) {
        socket_file_remove(&s->file);
        (void)close(s->fd);
    }
    free(s);
    *listener = NULL;
}
