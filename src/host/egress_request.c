// Requests to the proxy (see egress_request.h).
#include "host/egress_request.h"

#define DNS_PORT 53

static enum q_err refuse(enum net_error_kind kind, enum net_error_kind *why)
{
    *why = kind;
    return Q_REFUSED;
}

// The enclave sends what its manifest says; another list comes from somebody else.
static enum q_err check_resolvers(const struct egress_rules *rules, const struct egress_request *r,
                                  enum net_error_kind *why)
{
    for (size_t i = 0; i < r->resolvers_n; i++) {
        if (r->dns_port == DNS_PORT && egress_may_ask(rules, &r->resolvers[i]))
            continue;
        err_record(-1, "resolver: not allowed: expected one of the manifest's at port %d",
                   DNS_PORT);
        return refuse(NET_ERROR_IO, why);
    }
    return Q_OK;
}

static enum q_err check(const struct egress_rules *rules, struct egress_request *r,
                        enum net_error_kind *why)
{
    if (rules == NULL)
        return Q_OK;
    enum egress_verdict verdict = egress_judge(rules, &r->target);
    if (verdict == EGRESS_REFUSED) {
        err_record(-1, "host and port: not allowed by the manifest's client entries");
        return refuse(NET_ERROR_IO, why);
    }
    r->public_only = verdict == EGRESS_IF_PUBLIC;
    return check_resolvers(rules, r, why);
}

static enum q_err read_resolvers(const struct proxy_by_name *m, struct egress_request *out,
                                 enum net_error_kind *why)
{
    if (m->dns_resolvers.n > LOOKUP_RESOLVERS_MAX) {
        err_record(-1, "resolvers: expected at most %d, got %zu", LOOKUP_RESOLVERS_MAX,
                   m->dns_resolvers.n);
        return refuse(NET_ERROR_PARSE, why);
    }
    for (size_t i = 0; i < m->dns_resolvers.n; i++) {
        if (!ip_parse(m->dns_resolvers.items[i], &out->resolvers[i])) {
            err_record(-1, "resolver %zu: expected an IPv4 or IPv6 address", i + 1);
            return refuse(NET_ERROR_PARSE, why);
        }
    }
    out->resolvers_n = m->dns_resolvers.n;
    out->dns_port = m->dns_port;
    return Q_OK;
}

enum q_err egress_request_of(const struct egress_rules *rules, const struct proxy_message *message,
                             struct egress_request *out, enum net_error_kind *why)
{
    *out = (struct egress_request){0};
    bool by_name = message->tag == PROXY_CONNECT_BY_NAME_REQUEST;
    struct bytes host = by_name ? message->by_name.hostname : message->by_ip.ip;
    uint16_t port = by_name ? message->by_name.port : message->by_ip.port;
    if (egress_target_of(host, port, &out->target) != Q_OK)
        return refuse(NET_ERROR_PARSE, why);
    if (!by_name && out->target.named) {
        err_record(-1, "address: expected IPv4 or IPv6, got a name");
        return refuse(NET_ERROR_PARSE, why);
    }
    if (by_name)
        TRY(read_resolvers(&message->by_name, out, why));
    return check(rules, out, why);
}

size_t egress_request_keep(const struct egress_request *r, struct ip *found, size_t n)
{
    size_t kept = 0;
    for (size_t i = 0; i < n; i++)
        if (!r->public_only || ip_is_public(&found[i]))
            found[kept++] = found[i];
    return kept;
}
