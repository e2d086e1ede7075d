// What a request to the proxy asks for, and whether it may be had (qos-behaviour 4.3; protocol/egress.h): pure.
#ifndef QUORATE_HOST_EGRESS_REQUEST_H
#define QUORATE_HOST_EGRESS_REQUEST_H

#include "host/lookup.h"
#include "protocol/egress.h"
#include "protocol/proxy.h"

struct egress_request {
    struct egress_target target;
    struct ip resolvers[LOOKUP_RESOLVERS_MAX];
    size_t resolvers_n;
    uint16_t dns_port;
    bool public_only; // what the name leads to must be an address of the public internet
};

// message must be one of the two connect requests. rules NULL: everything is allowed. Q_REFUSED with the
// proxy's error in *why; its text is left to the caller (err_text()).
enum q_err egress_request_of(const struct egress_rules *rules, const struct proxy_message *message,
                             struct egress_request *out, enum net_error_kind *why);
// Leaves out what must not be connected to; the number that is left.
size_t egress_request_keep(const struct egress_request *r, struct ip *found, size_t n);

#endif
