// One connection to the proxy: request, lookup, connect, answer, relay. Only for egress_host.c and
// egress_connection.c.
#ifndef QUORATE_HOST_EGRESS_CONNECTION_H
#define QUORATE_HOST_EGRESS_CONNECTION_H

#include "host/egress_host.h"
#include "net/chain.h"

struct egress_host {
    struct loop *loop;
    struct egress_host_options options;
    struct listener *listeners[EGRESS_LISTENERS_MAX];
    struct chain connections;
    unsigned count;
};

// Takes fd over; what goes wrong ends only this connection. full: it is told so and closed.
void egress_connection_open(struct egress_host *h, int fd, bool full);
void egress_host_has_room(const struct egress_host *h);
void egress_connections_close(const struct egress_host *h);

#endif
