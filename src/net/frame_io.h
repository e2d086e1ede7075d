// One frame coming in, assembled from whatever pieces arrive, and one going out in chunks (qos-wire 5.1).
// Assembling is pure: it sees bytes, not descriptors.
#ifndef QUORATE_NET_FRAME_IO_H
#define QUORATE_NET_FRAME_IO_H

#include "base/bytes.h"

#define FRAME_HEADER_SIZE 8
#define FRAME_SCRATCH ((size_t)64 << 10) // most that is received at a time

struct frame_input {
    uint8_t header[FRAME_HEADER_SIZE]; // u64 little-endian length
    size_t header_n;                   // bytes of it that came
    size_t length;                     // once the header is whole
    struct buf body;                   // grows as bytes come
};

// Both take bytes from the front of *in. A header over limit is Q_LIMIT.
bool frame_begun(const struct frame_input *f);
bool frame_length_known(const struct frame_input *f);
enum q_err frame_take_header(struct frame_input *f, size_t limit, struct bytes *in);
enum q_err frame_take_body(struct frame_input *f, struct bytes *in, bool *whole);
void frame_input_reset(struct frame_input *f); // releases the body; ready for the next frame

struct frame_output {
    uint8_t header[FRAME_HEADER_SIZE];
    struct bytes payload; // of the caller
    size_t sent;          // header included
};

struct frame_output frame_output_of(struct bytes payload);
// Sends until all is out or the descriptor takes no more for now. Q_CLOSED: the peer is gone.
enum q_err frame_send(int fd, struct frame_output *o, bool *whole);
// One read of at most size bytes; n == 0: nothing there for now. Q_CLOSED: the peer is gone.
enum q_err frame_receive(int fd, uint8_t *to, size_t size, struct bytes *got);
// Receives what is there of one frame and nothing that comes after it, for streams that go on without frames.
enum q_err frame_receive_one(int fd, struct frame_input *f, size_t limit, bool *whole);

#endif
