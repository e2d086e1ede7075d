// Outgoing connections through qos_bridge (see bridge_egress.h).
#include "host/bridge_egress.h"

#include "base/log.h"

#include <linux/vm_sockets.h>

// On vsock every enclave of the machine could connect: only the one that is bridged may.
static enum q_err open_host(struct bridge_egress *e, struct loop *l,
                            const struct bridge_options *options, const struct egress_rules *rules)
{
    struct egress_host_options o = egress_host_defaults();
    TRY(address_of_egress(&options->enclave, VMADDR_CID_ANY, options->egress_port, e->path,
                          &e->address));
    o.addresses = &e->address;
    o.addresses_n = 1;
    // The enclave keeps its own limit; a connection that just ended there may still be ours.
    o.connections_max = 2 * EGRESS_CONNECTIONS_MAX;
    o.peer_cid = options->enclave.cid;
    o.rules = rules;
    return egress_host_open(l, &o, &e->host);
}

static void say_open(const struct bridge_egress *e)
{
    BUF_AUTO where = {0};
    if (address_display(&e->address, &where) == Q_OK && buf_text(&where) != NULL)
        log_info("outgoing connections: listening on %s", (const char *)where.p);
}

void bridge_egress_try_open(struct bridge_egress *e, struct loop *l,
                            const struct bridge_options *options, const struct egress_rules *rules)
{
    if (e->host != NULL || !egress_wanted(rules))
        return;
    if (open_host(e, l, options, rules) == Q_OK) {
        e->warned = false;
        say_open(e);
        return;
    }
    if (!e->warned)
        log_error("outgoing connections: not possible, trying again: %s", err_text());
    e->warned = true;
}

void bridge_egress_close(struct bridge_egress *e)
{
    if (e->host != NULL)
        log_info("outgoing connections: no longer listening");
    egress_host_close(&e->host);
    e->warned = false;
}
