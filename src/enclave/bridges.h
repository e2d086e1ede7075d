// The enclave's end of the bridges: each port that the manifest serves is taken on vsock or a unix socket
// beside the control socket, and every connection goes to 127.0.0.1 at that port (qos-behaviour 2.11).
#ifndef QUORATE_ENCLAVE_BRIDGES_H
#define QUORATE_ENCLAVE_BRIDGES_H

#include "net/address.h"
#include "net/loop.h"
#include "protocol/refuse.h"

#define BRIDGE_CONNECTIONS_MAX 1024 // of all bridges together
#define BRIDGE_CONNECT_MS 5000      // to the application
#define BRIDGE_IDLE_MS 3600000      // without a byte in either direction
#define BRIDGE_AGAIN_MS 1000        // until a listener that could not be opened is tried again

struct bridges;
// control: the address of the control socket; its path must stay valid.
enum q_err bridges_new(struct loop *l, const struct address *control, struct bridges **out);
// That each server bridge of the manifest has an address: a path that is not too long, a vsock port that is
// not the control socket's. *why: InvalidMsg.
enum q_err bridges_check(const struct bridges *b, const struct pivot_config *pivot,
                         struct protocol_error *why);
// Opens one for each port, instead of those that are open. What cannot be opened is named in the log and
// tried again. While nothing listens on a port, its connections are closed.
void bridges_open(struct bridges *b, const uint16_t *ports, size_t n);
void bridges_free(struct bridges **b); // closes all; safe on NULL

#endif
