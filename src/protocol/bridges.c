// Bridges that can be had together (qos-behaviour 1.6, --bridge-config): the original checks this only when a
// manifest is made.
#include "protocol/manifest.h"

static uint16_t port_of(const struct bridge *b)
{
    return b->tag == BRIDGE_SERVER ? b->server.port : b->client.port;
}

static bool same_host(const struct bridge_client *a, const struct bridge_client *b)
{
    return (a->host.p == NULL) == (b->host.p == NULL) && bytes_equal(a->host, b->host);
}

// One port for both, unless they are client bridges to different hosts. The original allows only one of those,
// and enforces none.
static bool clash(const struct bridge *a, const struct bridge *b)
{
    bool clients = a->tag == BRIDGE_CLIENT && b->tag == BRIDGE_CLIENT;
    return port_of(a) == port_of(b) && !(clients && !same_host(&a->client, &b->client));
}

static enum q_err check_one(const struct pivot_config *c, size_t i, struct protocol_error *why)
{
    uint16_t port = port_of(&c->bridges.items[i]);
    if (c->bridges.items[i].tag == BRIDGE_SERVER && port == 0)
        return refuse(why, PE_INVALID_MSG,
                      "bridges: expected a server port from 1 to 65535, got 0");
    for (size_t k = 0; k < i; k++) {
        if (clash(&c->bridges.items[i], &c->bridges.items[k]))
            return refuse(why, PE_INVALID_MSG, "bridges: expected each port once, got %u twice",
                          port);
    }
    return Q_OK;
}

enum q_err pivot_check_bridges(const struct pivot_config *c, struct protocol_error *why)
{
    if (c->bridges.n > PIVOT_BRIDGES_MAX)
        return refuse(why, PE_INVALID_MSG, "bridges: expected at most %d entries, got %zu",
                      PIVOT_BRIDGES_MAX, c->bridges.n);
    for (size_t i = 0; i < c->bridges.n; i++)
        TRY(check_one(c, i, why));
    return Q_OK;
}
