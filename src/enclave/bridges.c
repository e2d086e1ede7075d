// The enclave's end of the bridges (see bridges.h).
#include "enclave/bridges.h"

#include "base/log.h"
#include "net/relay_listener.h"

#include <netinet/in.h>
#include <stdlib.h>

struct served {
    uint16_t port;
    bool warned;
    char path[ADDRESS_PATH_SIZE];
    struct relay_listener *listener; // NULL: not opened yet
};

struct bridges {
    struct loop *loop;
    struct address control;
    struct relay_room room;
    struct timer *again;
    struct served *all;
    size_t n;
};

static enum q_err open_one(struct bridges *b, struct served *s)
{
    struct relay_listener_options o = {
        .connect = {.kind = ADDRESS_TCP, .ip = INADDR_LOOPBACK, .port = s->port},
        .room = &b->room,
        .connect_ms = BRIDGE_CONNECT_MS,
        .idle_ms = BRIDGE_IDLE_MS,
    };
    TRY(address_of_bridge(&b->control, s->port, s->path, &o.listen));
    return relay_listener_start(b->loop, &o, &s->listener);
}

// True when it is open afterwards. Its failure is said once.
static bool try_one(struct bridges *b, struct served *s)
{
    if (s->listener != NULL)
        return true;
    if (open_one(b, s) == Q_OK) {
        log_info("bridge: port %u is open", s->port);
        return true;
    }
    if (!s->warned)
        log_error("bridge: port %u is not open, trying again: %s", s->port, err_text());
    s->warned = true;
    return false;
}

static void try_all(void *context)
{
    struct bridges *b = context;
    bool all = true;
    for (size_t i = 0; i < b->n; i++)
        all = try_one(b, &b->all[i]) && all;
    if (!all)
        timer_set(b->again, loop_now_ms(b->loop) + BRIDGE_AGAIN_MS);
}

enum q_err bridges_new(struct loop *l, const struct address *control, struct bridges **out)
{
    struct bridges *b = calloc(1, sizeof *b);
    if (b == NULL)
        return fail(Q_NOMEM, "bridges: no memory");
    b->loop = l;
    b->control = *control;
    b->room = relay_room_of(BRIDGE_CONNECTIONS_MAX);
    enum q_err result = loop_timer(l, try_all, b, &b->again);
    if (result != Q_OK) {
        free(b);
        return result;
    }
    *out = b;
    return Q_OK;
}

static enum q_err check_port(const struct bridges *b, uint16_t port, struct protocol_error *why)
{
    char path[ADDRESS_PATH_SIZE];
    struct address a;
    if (address_of_bridge(&b->control, port, path, &a) != Q_OK)
        return refuse(why, PE_INVALID_MSG,
                      "bridge of port %u: expected a shorter path of the control socket, for "
                      "\".%u.appsock\" is put behind it",
                      port, port);
    if (b->control.kind == ADDRESS_VSOCK && b->control.port == port)
        return refuse(why, PE_INVALID_MSG,
                      "bridge of port %u: expected another port than that of the control socket",
                      port);
    return Q_OK;
}

enum q_err bridges_check(const struct bridges *b, const struct pivot_config *pivot,
                         struct protocol_error *why)
{
    for (size_t i = 0; i < pivot->bridges.n; i++) {
        if (pivot->bridges.items[i].tag == BRIDGE_SERVER)
            TRY(check_port(b, pivot->bridges.items[i].server.port, why));
    }
    return Q_OK;
}

static void close_all(struct bridges *b)
{
    for (size_t i = 0; i < b->n; i++)
        relay_listener_stop(&b->all[i].listener);
    free(b->all);
    b->all = NULL;
    b->n = 0;
}

void bridges_open(struct bridges *b, const uint16_t *ports, size_t n)
{
    close_all(b);
    if (n == 0)
        return;
    b->all = calloc(n, sizeof *b->all);
    if (b->all == NULL) {
        log_error("bridges: no memory, none is open");
        return;
    }
    b->n = n;
    for (size_t i = 0; i < n; i++)
        b->all[i].port = ports[i];
    try_all(b);
}

void bridges_free(struct bridges **b)
{
    if (*b == NULL)
        return;
    close_all(*b);
    timer_end(&(*b)->again);
    free(*b);
    *b = NULL;
}
