// The outgoing half of qos_bridge: the host's proxy, open while the manifest has client entries.
#ifndef QUORATE_HOST_BRIDGE_EGRESS_H
#define QUORATE_HOST_BRIDGE_EGRESS_H

#include "host/bridge_options.h"
#include "host/egress_host.h"

struct bridge_egress {
    bool warned; // that it is not open
    char path[ADDRESS_PATH_SIZE];
    struct address address;
    struct egress_host *host; // NULL: closed
};

// Opens it when the rules want one and it is closed; a failure is said once and tried again at the next call.
// options and rules must stay valid while it is open.
void bridge_egress_try_open(struct bridge_egress *e, struct loop *l,
                            const struct bridge_options *options, const struct egress_rules *rules);
void bridge_egress_close(struct bridge_egress *e); // breaks off its connections

#endif
