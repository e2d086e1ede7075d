// The messages of the explicit TCP proxy, qos_net's protocol (qos-wire 4.5): Borsh only, one request a
// connection. After a ConnectResponse the same stream carries raw bytes.
#ifndef QUORATE_PROTOCOL_PROXY_H
#define QUORATE_PROTOCOL_PROXY_H

#include "codec/describe.h"

// QosNetError. The numbers are the Borsh indices.
enum net_error_kind {
    NET_ERROR_IO,
    NET_ERROR_OVERSIZE_MSG,
    NET_ERROR_OVERSIZED_PAYLOAD,
    NET_ERROR_INVALID_MSG,
    NET_ERROR_PARSE,
    NET_ERROR_DNS_RESOLUTION,
    NET_ERROR_READ_OVERFLOW,
    NET_ERROR_TOO_MANY_CONNECTIONS,
};
struct net_read_overflow {
    uint64_t first, second;
};
struct net_error {
    uint32_t tag; // enum net_error_kind
    union {
        struct bytes text; // QOSIOError, ParseError, DNSResolutionError
        struct net_read_overflow overflow;
        uint64_t connections_max; // TooManyConnections
    };
};

// ProxyMsg. The numbers are the Borsh indices.
enum proxy_kind {
    PROXY_ERROR,
    PROXY_STATUS_REQUEST,
    PROXY_STATUS_RESPONSE,
    PROXY_CONNECT_BY_NAME_REQUEST,
    PROXY_CONNECT_BY_IP_REQUEST,
    PROXY_CONNECT_RESPONSE,
};
struct proxy_by_name {
    struct bytes hostname;
    uint16_t port;
    LIST_OF(struct bytes) dns_resolvers; // addresses as text; empty: those of the proxy's machine
    uint16_t dns_port;
};
struct proxy_by_ip {
    struct bytes ip; // as text
    uint16_t port;
};
struct proxy_connected {
    struct bytes remote_ip; // as text
};
struct proxy_message {
    uint32_t tag; // enum proxy_kind
    union {
        struct net_error error;
        uint64_t status;
        struct proxy_by_name by_name;
        struct proxy_by_ip by_ip;
        struct proxy_connected connected;
    };
};

// Larger messages are of no use to either side: a name has 255 bytes, a list of resolvers a few addresses.
#define PROXY_MESSAGE_MAX ((size_t)16 << 10)

extern const struct type type_proxy_message;

const char *net_error_name(enum net_error_kind k); // "DNSResolutionError"

#endif
