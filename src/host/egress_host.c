// The host's half of outgoing connections: its listeners and its room (see egress_host.h).
#include "host/egress_connection.h"

#include "base/log.h"
#include "net/listener.h"

#include <linux/vm_sockets.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

// Connections that are only told that there is no room; further ones wait in the kernel's queue.
#define TURNED_AWAY_MAX 64
#define REQUEST_MS 10000
#define LOOKUP_MS 20000
#define CONNECT_MS 5000

struct egress_host_options egress_host_defaults(void)
{
    return (struct egress_host_options){.peer_cid = VMADDR_CID_ANY,
                                        .connections_max = EGRESS_CONNECTIONS_MAX,
                                        .request_ms = REQUEST_MS,
                                        .lookup_ms = LOOKUP_MS,
                                        .connect_ms = CONNECT_MS,
                                        .idle_ms = EGRESS_IDLE_MS};
}

// Every enclave of a machine can reach a vsock port of the host.
static bool expected_peer(const struct egress_host *h, int fd)
{
    union {
        struct sockaddr sa;
        struct sockaddr_vm vm;
        struct sockaddr_storage any;
    } from = {.any = {0}};
    socklen_t size = sizeof from;
    if (h->options.peer_cid == VMADDR_CID_ANY)
        return true;
    if (getpeername(fd, &from.sa, &size) != 0)
        return false;
    if (from.sa.sa_family != AF_VSOCK || from.vm.svm_cid == h->options.peer_cid)
        return true;
    log_warn("egress: connection from vsock cid %u closed: expected %u", from.vm.svm_cid,
             h->options.peer_cid);
    return false;
}

static bool accepted(void *context, int fd)
{
    struct egress_host *h = context;
    unsigned most = h->options.connections_max;
    if (expected_peer(h, fd))
        egress_connection_open(h, fd, h->count >= most);
    else
        (void)close(fd);
    return h->count < most + TURNED_AWAY_MAX;
}

void egress_host_has_room(const struct egress_host *h)
{
    for (size_t i = 0; i < h->options.addresses_n; i++)
        if (h->listeners[i] != NULL)
            listener_resume(h->listeners[i]);
}

static enum q_err listen_on_all(struct egress_host *h)
{
    const struct egress_host_options *o = &h->options;
    if (o->addresses_n > EGRESS_LISTENERS_MAX)
        return fail(Q_LIMIT, "egress: expected at most %d addresses, got %zu", EGRESS_LISTENERS_MAX,
                    o->addresses_n);
    for (size_t i = 0; i < o->addresses_n; i++) {
        struct listener_options listening = {
            .address = o->addresses[i], .accepted = accepted, .context = h};
        TRY(listener_start(h->loop, &listening, &h->listeners[i]));
    }
    return Q_OK;
}

enum q_err egress_host_open(struct loop *l, const struct egress_host_options *o,
                            struct egress_host **out)
{
    struct egress_host *h = calloc(1, sizeof *h);
    if (h == NULL)
        return fail(Q_NOMEM, "egress: no memory");
    h->loop = l;
    h->options = *o;
    chain_init(&h->connections);
    enum q_err result = listen_on_all(h);
    if (result == Q_OK)
        *out = h;
    else
        egress_host_close(&h);
    return result;
}

unsigned egress_host_connections(const struct egress_host *h)
{
    return h->count;
}

void egress_host_close(struct egress_host **h)
{
    if (*h == NULL)
        return;
    egress_connections_close(*h);
    for (size_t i = 0; i < EGRESS_LISTENERS_MAX; i++)
        listener_stop(&(*h)->listeners[i]);
    free(*h);
    *h = NULL;
}
