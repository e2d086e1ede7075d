// What a host's enclave-info says about bridges: which addresses to serve (qos-behaviour 4.1). The host may
// lie: every entry is checked, what cannot be served is left out and noted.
#ifndef QUORATE_HOST_BRIDGE_PLAN_H
#define QUORATE_HOST_BRIDGE_PLAN_H

#include "protocol/egress.h"
#include "protocol/manifest.h"

#define BRIDGES_MAX PIVOT_BRIDGES_MAX
#define ENCLAVE_INFO_LIMIT ((size_t)8 << 20) // bytes of an answer

struct bridge_entry {
    uint32_t ip;   // to listen on
    uint16_t port; // of the application
    uint16_t listen_port;
};

struct bridge_plan {
    bool booted; // there is a manifest
    size_t n;
    struct bridge_entry entries[BRIDGES_MAX];
    struct egress_rules outgoing; // client entries and resolvers
    struct arena memory;          // of outgoing
    struct buf notes;             // a line for each entry that is left out
};
#define BRIDGE_PLAN_AUTO __attribute__((cleanup(bridge_plan_free))) struct bridge_plan

// override: the port to listen on for every entry, 0: that of the entry. *out is zeroed first.
enum q_err bridge_plan_read(struct bytes body, uint16_t override, struct bridge_plan *out);
bool bridge_plan_equal(const struct bridge_plan *a, const struct bridge_plan *b);
bool bridge_plan_same_outgoing(const struct bridge_plan *a, const struct bridge_plan *b);
void bridge_plan_free(struct bridge_plan *p);

#endif
