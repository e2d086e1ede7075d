// Outgoing connections of the application: a SOCKS5 proxy on the loopback that lets through what the manifest's
// client entries allow (protocol/egress.h) and asks the host to connect (qos-wire 4.5). The host is not trusted:
// it can look into what is not encrypted, and lead a name wherever it likes.
#ifndef QUORATE_ENCLAVE_EGRESS_H
#define QUORATE_ENCLAVE_EGRESS_H

#include "net/address.h"
#include "net/loop.h"
#include "protocol/egress.h"
#include "protocol/refuse.h"

struct egress_options {
    struct address listen;    // TCP on the loopback, for the application
    struct address host;      // of the host's half; a unix socket without a path: there is none
    unsigned connections_max; // further ones wait in the kernel's queue
    int64_t handshake_ms;     // until the application has said where it wants to go
    int64_t answer_ms;        // until the host has connected
    int64_t idle_ms;          // of a relay without a byte in either direction
};
#define EGRESS_LISTEN_IP 0x7f000001
#define EGRESS_LISTEN_PORT 1080
#define EGRESS_HOST_CID 3 // the parent instance of a Nitro enclave
// The usual limits; addresses are left to the caller.
struct egress_options egress_defaults(void);
// "127.0.0.1:1080": only addresses of the loopback.
enum q_err egress_listen_parse(const char *text, struct address *out);

struct egress;
enum q_err egress_new(struct loop *l, const struct egress_options *o, struct egress **out);
// That the host's half has an address when the manifest has client entries. *why: InvalidMsg.
enum q_err egress_check(const struct egress *e, const struct manifest *m,
                        struct protocol_error *why);
// From now on by these rules: open while they have a client entry, else closed. What they view must stay valid.
// Where it cannot listen, the log says so, and it tries again.
void egress_serve(struct egress *e, const struct egress_rules *rules);
unsigned egress_connections(const struct egress *e);
void egress_free(struct egress **e); // breaks off its connections; safe on NULL

#endif
