// Peers by what they do, oldest first (see http_peers.h). A peer is dropped by shutting its socket down:
// the HTTP library owns the descriptor and closes it when it sees the end.
#include "host/http_peers.h"

#include "net/chain.h"

#include <stdlib.h>
#include <sys/socket.h>

#define SWEEP_MS 250

struct peer {
    struct peers *of;
    int fd;
    enum peer_state state;
    int64_t since_ms;
    struct http_request *request;
    struct chain_link link;
};

struct peers {
    struct loop *loop;
    struct peers_options options;
    struct timer *sweep;
    unsigned count;
    struct chain lists[PEER_LISTS]; // the first states
};

static struct peer *oldest(const struct peers *p, enum peer_state state)
{
    return CHAIN_OWNER(chain_first(&p->lists[state]), struct peer, link);
}

static void unlist(struct peer *peer)
{
    if (peer->state < PEER_LISTS)
        chain_remove(&peer->link);
}

void peer_move(struct peer *peer, enum peer_state state, struct http_request *request)
{
    if (peer->state == PEER_DROPPED)
        return;
    unlist(peer);
    peer->state = state;
    peer->request = request;
    peer->since_ms = loop_now_ms(peer->of->loop);
    if (state < PEER_LISTS)
        chain_add_last(&peer->of->lists[state], &peer->link);
}

static void drop(struct peer *peer)
{
    struct http_request *request = peer->request;
    peer_move(peer, PEER_DROPPED, NULL);
    (void)shutdown(peer->fd, SHUT_RDWR);
    if (request != NULL)
        peer->of->options.dropped(request);
}

static void drop_late(struct peers *p, enum peer_state state, int64_t allowed_ms)
{
    struct peer *late;
    int64_t before = loop_now_ms(p->loop) - allowed_ms;
    while ((late = oldest(p, state)) != NULL && late->since_ms <= before)
        drop(late);
}

static void sweep(void *context)
{
    struct peers *p = context;
    drop_late(p, PEER_IDLE, p->options.idle_ms);
    drop_late(p, PEER_RECEIVING, p->options.slow_ms);
    drop_late(p, PEER_SENDING, p->options.slow_ms);
    timer_set(p->sweep, loop_now_ms(p->loop) + SWEEP_MS);
}

enum q_err peers_new(struct loop *l, const struct peers_options *options, struct peers **out)
{
    struct peers *p = calloc(1, sizeof *p);
    if (p == NULL)
        return fail(Q_NOMEM, "HTTP connections: no memory");
    p->loop = l;
    p->options = *options;
    for (int i = 0; i < PEER_LISTS; i++)
        chain_init(&p->lists[i]);
    enum q_err result = loop_timer(l, sweep, p, &p->sweep);
    if (result != Q_OK) {
        free(p);
        return result;
    }
    *out = p;
    return Q_OK;
}

void peers_free(struct peers **p)
{
    if (*p == NULL)
        return;
    timer_end(&(*p)->sweep);
    free(*p);
    *p = NULL;
}

unsigned peers_count(const struct peers *p)
{
    return p->count;
}

bool peers_drop_receiving(struct peers *p, const struct peer *spared)
{
    struct peer *slowest = oldest(p, PEER_RECEIVING);
    if (slowest != NULL && slowest == spared)
        slowest =
            CHAIN_OWNER(chain_next(&p->lists[PEER_RECEIVING], &slowest->link), struct peer, link);
    if (slowest == NULL)
        return false;
    drop(slowest);
    return true;
}

static void drop_one(struct peers *p)
{
    for (int state = 0; state < PEER_LISTS; state++) {
        struct peer *peer = oldest(p, (enum peer_state)state);
        if (peer != NULL) {
            drop(peer);
            return;
        }
    }
}

struct peer *peer_new(struct peers *p, int fd)
{
    struct peer *peer = calloc(1, sizeof *peer);
    if (peer == NULL)
        return NULL;
    if (p->count >= p->options.most)
        drop_one(p);
    if (p->count++ == 0)
        timer_set(p->sweep, loop_now_ms(p->loop) + SWEEP_MS);
    *peer = (struct peer){.of = p, .fd = fd, .since_ms = loop_now_ms(p->loop)};
    chain_add_last(&p->lists[PEER_IDLE], &peer->link);
    return peer;
}

void peer_end(struct peer *peer)
{
    unlist(peer);
    if (--peer->of->count == 0)
        timer_cancel(peer->of->sweep);
    free(peer);
}
