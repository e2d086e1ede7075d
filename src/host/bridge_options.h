// The command line of qos_bridge (qos-behaviour 4.1).
#ifndef QUORATE_HOST_BRIDGE_OPTIONS_H
#define QUORATE_HOST_BRIDGE_OPTIONS_H

#include "net/address.h"

struct bridge_options {
    bool help, version;     // then nothing else is set
    char url[2048];         // of enclave-info
    struct address enclave; // vsock: without a port
    uint16_t port_override; // 0: none
    uint32_t poll_ms;
    uint32_t egress_port; // vsock, to listen on for outgoing connections
};

enum q_err bridge_options_parse(int words_count, char *const *words, struct bridge_options *out);
enum q_err bridge_options_help(struct buf *out);

#endif
