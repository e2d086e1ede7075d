// A relay: what comes from one connected stream socket goes to another and back, each direction with its
// own end, until both have ended (qos-wire 5.4). Its memory is bounded: it reads only what it can hold.
#ifndef QUORATE_NET_RELAY_H
#define QUORATE_NET_RELAY_H

#include "net/loop.h"

#define RELAY_BUFFER ((size_t)64 << 10) // most that a direction holds; none while nothing waits
#define RELAY_VSOCK_WRITE 31234         // most that is written to a vsock socket at a time

struct relay;

// result: Q_OK when both directions came to their own end; Q_CLOSED when a peer was gone before; Q_TIMEOUT;
// else what failed (err_text() says it). passed[i]: bytes from socket i that were
// written to the other.
typedef void (*relay_ended)(void *context, enum q_err result, const uint64_t passed[static 2]);

struct relay_options {
    int fd[2];               // connected, non-blocking
    struct bytes already[2]; // was read from fd[i] before; at most RELAY_BUFFER bytes, copied
    int64_t idle_ms;         // without a byte in either direction; 0: no limit
    relay_ended ended;
    void *context;
};

// Takes the descriptors over, unless it fails. ended is called exactly once, never before relay_start
// returns; the relay is no more then, and its descriptors are closed. When a direction was cut (reset,
// idle limit, failure), TCP sockets are reset, so that nobody takes a part for the whole.
enum q_err relay_start(struct loop *l, const struct relay_options *o, struct relay **out);
int64_t relay_silent_ms(const struct relay *r); // since the last byte
// Breaks off without calling ended; safe on NULL.
void relay_stop(struct relay **r);

#endif
