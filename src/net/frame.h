// Frames between host and enclave: u64 little-endian length and payload, both ways (qos-wire 5.1).
// Writes are at most FRAME_CHUNK bytes each. Server and client run on the event loop with deadlines.
#ifndef QUORATE_NET_FRAME_H
#define QUORATE_NET_FRAME_H

#include "net/address.h"
#include "net/loop.h"

#define FRAME_MAX ((size_t)128 << 20)
#define FRAME_CHUNK 31234
#define FRAME_LARGE ((size_t)1 << 20) // only one frame over this size is received at a time

struct frame_server;
struct frame_connection;

struct frame_server_options {
    struct address address;
    unsigned connections_max; // the oldest idle one is closed for a new one
    int64_t idle_ms;          // between frames, and until a first byte
    int64_t frame_ms;         // from the first byte of a frame to its last, and for sending a reply
    // The largest frame accepted now (the phase decides); over it the connection is closed.
    size_t (*frame_limit)(void *context);
    // One whole frame. The callback puts the reply into reply; a failure closes the connection. It must
    // not stop the server.
    enum q_err (*handle)(void *context, struct bytes frame, struct buf *reply);
    void *context;
};

enum q_err frame_server_start(struct loop *l, const struct frame_server_options *options,
                              struct frame_server **out);
unsigned frame_server_connections(const struct frame_server *s);
void frame_server_stop(struct frame_server **s); // closes all, removes a unix socket path

// One call: connect, send, receive, close, all within timeout_ms, waiting included. request must stay
// valid until done. done is called exactly once, never before frame_call returns, and not at all when
// frame_call itself fails; reply is only valid during it and is empty on failure (err_text() says why).
// A connection is kept only while another call waits, so an enclave that serves one connection at a time
// serves all. done must not free the client.
typedef void (*frame_done)(void *context, enum q_err result, struct bytes reply);
struct frame_client;
enum q_err frame_client_new(struct loop *l, const struct address *address, unsigned connections_max,
                            struct frame_client **out);
enum q_err frame_call(struct frame_client *c, struct bytes request, int64_t timeout_ms,
                      frame_done done, void *context);
void frame_client_free(struct frame_client **c); // what is not answered yet ends with Q_CLOSED

#endif
