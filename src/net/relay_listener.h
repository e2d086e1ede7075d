// A listener that passes every connection on: accept here, connect there, relay (qos-wire 5.4). Both ends
// of a bridge are made of it.
#ifndef QUORATE_NET_RELAY_LISTENER_H
#define QUORATE_NET_RELAY_LISTENER_H

#include "net/address.h"
#include "net/loop.h"

#include <sys/resource.h>

struct relay_listener;

// Connections that may exist at a time, shared by several listeners. One that finds no room takes the place
// of the one that was silent longest, whichever listener has it, if that is evict_ms or more; else it waits
// in the kernel's queue.
struct relay_room {
    unsigned used, most;
    int64_t evict_ms;
    struct relay_listener *listeners; // that share it; they keep this
};
#define RELAY_EVICT_MS 30000 // what relay_room_of says
// Raises this process's limit of open files as far as it may, and gives room for most connections, or fewer
// where DESCRIPTORS_SPARE descriptors, or half of them, would not be left for everything else: 256 listeners,
// the control socket's connections, files.
#define DESCRIPTORS_SPARE ((rlim_t)512)
struct relay_room relay_room_of(unsigned most);

struct relay_listener_options {
    struct address listen, connect; // paths must stay valid
    struct relay_room *room;        // must stay valid
    int64_t connect_ms;             // to get through to the other address
    int64_t idle_ms; // of a connection without a byte in either direction; 0: no limit
};

// A connection that cannot be passed on is closed; the log says so once, and once when it is over. Out of
// descriptors or memory, it stops accepting for a moment.
enum q_err relay_listener_start(struct loop *l, const struct relay_listener_options *o,
                                struct relay_listener **out);
unsigned relay_listener_connections(const struct relay_listener *s);
// Breaks off its connections at once, removes a unix socket's path; safe on NULL.
void relay_listener_stop(struct relay_listener **s);

#endif
