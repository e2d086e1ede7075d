// The host's half of outgoing connections (qos-behaviour 4.3, qos-wire 4.5): takes one request a connection
// from an enclave, resolves the name, connects over TCP, answers, and relays. For qos_bridge and qos_net.
#ifndef QUORATE_HOST_EGRESS_HOST_H
#define QUORATE_HOST_EGRESS_HOST_H

#include "net/address.h"
#include "net/loop.h"
#include "protocol/egress.h"

#define EGRESS_CONNECTIONS_MAX 256 // the original's default
#define EGRESS_IDLE_MS 600000
#define EGRESS_LISTENERS_MAX 64

struct egress_host_options {
    const struct address
        *addresses; // to listen on, 1 to EGRESS_LISTENERS_MAX; paths must stay valid
    size_t addresses_n;
    uint32_t peer_cid; // vsock: connections from others are closed; VMADDR_CID_ANY: nobody is
    const struct egress_rules *rules; // must stay valid; NULL: every request is served
    unsigned connections_max;         // over this: TooManyConnections
    int64_t request_ms;               // until the request is there, and to send the answer
    int64_t lookup_ms;                // of a name, all resolvers together
    int64_t connect_ms;               // to one address
    int64_t idle_ms;                  // of a relay without a byte in either direction
};

// The options' usual values; addresses and rules are left to the caller.
struct egress_host_options egress_host_defaults(void);

struct egress_host;
enum q_err egress_host_open(struct loop *l, const struct egress_host_options *o,
                            struct egress_host **out);
unsigned egress_host_connections(const struct egress_host *h);
void egress_host_close(struct egress_host **h); // breaks off its connections; safe on NULL

#endif
