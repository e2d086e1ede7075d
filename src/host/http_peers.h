// The peers that hold an HTTP connection: how long each may take, and who goes when there are too many
// (issue: idle crowds and byte-per-second senders stop nobody).
#ifndef QUORATE_HOST_HTTP_PEERS_H
#define QUORATE_HOST_HTTP_PEERS_H

#include "net/loop.h"

struct http_request;

enum peer_state {
    PEER_IDLE,      // between requests, or its header is coming
    PEER_RECEIVING, // its body is coming
    PEER_SENDING,   // it reads its answer
    PEER_WORKING,   // the answer is being made: no deadline here, never evicted
    PEER_DROPPED,   // shut down; the HTTP library will notice
};
#define PEER_LISTS 3

struct peers;
struct peer;

struct peers_options {
    unsigned most;   // peers at a time; over it the oldest idle one goes, else the slowest
    int64_t idle_ms; // until the next header is whole
    int64_t slow_ms; // for a body, and for reading an answer
    // The peer was shut down: what its request holds can be released.
    void (*dropped)(struct http_request *request);
};

enum q_err peers_new(struct loop *l, const struct peers_options *options, struct peers **out);
void peers_free(struct peers **p);
unsigned peers_count(const struct peers *p);

struct peer *peer_new(struct peers *p, int fd); // NULL without memory
void peer_end(struct peer *peer);
void peer_move(struct peer *peer, enum peer_state state, struct http_request *request);
// Drops the peer that has been receiving longest, other than spared; false when there is none.
bool peers_drop_receiving(struct peers *p, const struct peer *spared);

#endif
