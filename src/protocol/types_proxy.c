// Descriptions of the proxy's messages and errors (see proxy.h; qos-wire 4.5). The position of a row is its
// Borsh index.
#include "protocol/proxy.h"

static const struct type type_address_list = {LIST("list of addresses", &type_text)};

static const struct field overflow_fields[] = {
    FIELD(struct net_read_overflow, first, "first", &type_u64),
    FIELD(struct net_read_overflow, second, "second", &type_u64),
};
static const struct type type_overflow = {
    STRUCT(struct net_read_overflow, "read overflow", overflow_fields), .tuple = true};

static const struct variant error_variants[] = {
    {"QOSIOError", NET_ERROR_IO, &type_text},
    {"OversizeMsg", NET_ERROR_OVERSIZE_MSG, NULL},
    {"OversizedPayload", NET_ERROR_OVERSIZED_PAYLOAD, NULL},
    {"InvalidMsg", NET_ERROR_INVALID_MSG, NULL},
    {"ParseError", NET_ERROR_PARSE, &type_text},
    {"DNSResolutionError", NET_ERROR_DNS_RESOLUTION, &type_text},
    {"ReadOverflow", NET_ERROR_READ_OVERFLOW, &type_overflow},
    {"TooManyConnections", NET_ERROR_TOO_MANY_CONNECTIONS, &type_u64},
};
static const struct type type_net_error = {
    VARIANTS(struct net_error, text, "proxy error", error_variants)};

static const struct field by_name_fields[] = {
    FIELD(struct proxy_by_name, hostname, "hostname", &type_text),
    FIELD(struct proxy_by_name, port, "port", &type_u16),
    FIELD(struct proxy_by_name, dns_resolvers, "dns_resolvers", &type_address_list),
    FIELD(struct proxy_by_name, dns_port, "dns_port", &type_u16),
};
static const struct type type_by_name = {
    STRUCT(struct proxy_by_name, "connect by name", by_name_fields)};

static const struct field by_ip_fields[] = {
    FIELD(struct proxy_by_ip, ip, "ip", &type_text),
    FIELD(struct proxy_by_ip, port, "port", &type_u16),
};
static const struct type type_by_ip = {
    STRUCT(struct proxy_by_ip, "connect by address", by_ip_fields)};

static const struct field connected_fields[] = {
    FIELD(struct proxy_connected, remote_ip, "remote_ip", &type_text),
};
static const struct type type_connected = {
    STRUCT(struct proxy_connected, "connected", connected_fields)};

static const struct variant message_variants[] = {
    {"ProxyError", PROXY_ERROR, &type_net_error},
    {"StatusRequest", PROXY_STATUS_REQUEST, NULL},
    {"StatusResponse", PROXY_STATUS_RESPONSE, &type_u64},
    {"ConnectByNameRequest", PROXY_CONNECT_BY_NAME_REQUEST, &type_by_name},
    {"ConnectByIpRequest", PROXY_CONNECT_BY_IP_REQUEST, &type_by_ip},
    {"ConnectResponse", PROXY_CONNECT_RESPONSE, &type_connected},
};
const struct type type_proxy_message = {
    VARIANTS(struct proxy_message, error, "proxy message", message_variants)};

const char *net_error_name(enum net_error_kind k)
{
    return (unsigned)k < type_net_error.count ? error_variants[k].name : "unknown error";
}
