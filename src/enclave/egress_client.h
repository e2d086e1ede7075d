// One connection of the application to its proxy: handshake, rule, the host's answer, relay. Only for egress.c
// and egress_client.c.
#ifndef QUORATE_ENCLAVE_EGRESS_CLIENT_H
#define QUORATE_ENCLAVE_EGRESS_CLIENT_H

#include "enclave/egress.h"
#include "net/chain.h"

struct egress {
    struct loop *loop;
    struct egress_options options;
    struct egress_rules rules;
    struct listener *listener; // NULL: closed
    struct timer *again;       // to open it
    bool warned;               // that it is not open
    struct chain clients;
    unsigned count;
    int64_t said_since_ms; // lines in the log since then
    unsigned said, unsaid;
};

// Takes fd over; what goes wrong ends only this connection.
void egress_client_open(struct egress *e, int fd);
void egress_clients_close(const struct egress *e);

// For the connections: one of them ended; a line for the log, of which there are only so many a second.
void egress_client_ended(struct egress *e);
void egress_say(struct egress *e, const char *what, const char *where, const char *why);

#endif
