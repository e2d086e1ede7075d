// A listening socket that hands out what it accepts, a few a turn, and waits while its owner is full or the
// process has no descriptors left.
#ifndef QUORATE_NET_LISTENER_H
#define QUORATE_NET_LISTENER_H

#include "net/address.h"
#include "net/loop.h"

struct listener;
struct listener_options {
    struct address address;
    // Takes the descriptor over (non-blocking, close-on-exec); false: no more for now, until listener_resume.
    // It must not stop the listener.
    bool (*accepted)(void *context, int fd);
    void *context;
};
enum q_err listener_start(struct loop *l, const struct listener_options *o, struct listener **out);
void listener_resume(struct listener *s);
enum q_err listener_port(const struct listener *s,
                         uint32_t *port); // TCP and vsock: the port it got
void listener_stop(
    struct listener **s); // removes a unix socket path that is still its own; safe on NULL

#endif
