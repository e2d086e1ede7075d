// Frames in and out (see frame_io.h).
#include "net/frame_io.h"

#include "net/frame.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

// One long reply does not keep the loop from other connections.
#define CHUNKS_PER_TURN 64

bool frame_begun(const struct frame_input *f)
{
    return f->header_n > 0;
}

bool frame_length_known(const struct frame_input *f)
{
    return f->header_n == FRAME_HEADER_SIZE;
}

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

static struct bytes take(struct bytes *in, size_t most)
{
    struct bytes front = {in->p, smaller(in->n, most)};
    if (front.n > 0)
        in->p += front.n;
    in->n -= front.n;
    return front;
}

enum q_err frame_take_header(struct frame_input *f, size_t limit, struct bytes *in)
{
    struct bytes part = take(in, FRAME_HEADER_SIZE - f->header_n);
    if (part.n == 0)
        return Q_OK;
    memcpy(f->header + f->header_n, part.p, part.n);
    f->header_n += part.n;
    if (!frame_length_known(f))
        return Q_OK;
    struct reader r = reader_of(BYTES_OF(f->header), "frame header");
    uint64_t length;
    TRY(reader_u64le(&r, &length));
    if (length > limit)
        return fail(Q_LIMIT, "frame: expected at most %zu bytes, its header says %llu", limit,
                    (unsigned long long)length);
    f->length = (size_t)length;
    return Q_OK;
}

enum q_err frame_take_body(struct frame_input *f, struct bytes *in, bool *whole)
{
    struct bytes part = take(in, f->length - f->body.n);
    // Room for as much again as has come, never for what the header only claims.
    size_t left = f->length - f->body.n;
    size_t ahead = f->body.n > part.n ? f->body.n : part.n;
    f->body.limit = FRAME_MAX;
    f->body.wipe = true; // a share in clear may be in it
    if (part.n > 0 && f->body.cap - f->body.n < part.n)
        TRY(buf_reserve(&f->body, smaller(left, ahead)));
    TRY(buf_append(&f->body, part));
    *whole = f->body.n == f->length;
    return Q_OK;
}

void frame_input_reset(struct frame_input *f)
{
    buf_free(&f->body);
    *f = (struct frame_input){0};
}

struct frame_output frame_output_of(struct bytes payload)
{
    struct frame_output o = {.payload = payload};
    for (size_t i = 0; i < FRAME_HEADER_SIZE; i++)
        o.header[i] = (uint8_t)((uint64_t)payload.n >> (8 * i));
    return o;
}

static struct iovec part_of(const uint8_t *p, size_t n)
{
    // sendmsg only reads; its interface has no const.
    union {
        const uint8_t *in;
        void *out;
    } pointer = {.in = p};
    return (struct iovec){pointer.out, n};
}

// The header's rest and the payload's next bytes, FRAME_CHUNK together.
static int next_chunk(const struct frame_output *o, struct iovec parts[static 2])
{
    int n = 0;
    size_t room = FRAME_CHUNK;
    size_t from = 0;
    if (o->sent < FRAME_HEADER_SIZE) {
        parts[n++] = part_of(o->header + o->sent, FRAME_HEADER_SIZE - o->sent);
        room -= FRAME_HEADER_SIZE - o->sent;
    } else {
        from = o->sent - FRAME_HEADER_SIZE;
    }
    if (o->payload.n > from)
        parts[n++] = part_of(o->payload.p + from, smaller(room, o->payload.n - from));
    return n;
}

static enum q_err socket_failed(int why, const char *doing)
{
    if (why == EPIPE || why == ECONNRESET)
        return fail(Q_CLOSED, "the peer closed the connection");
    return fail_os(why, "%s", doing);
}

enum q_err frame_send(int fd, struct frame_output *o, bool *whole)
{
    size_t all = FRAME_HEADER_SIZE + o->payload.n;
    for (int i = 0; i < CHUNKS_PER_TURN && o->sent < all; i++) {
        struct iovec parts[2];
        struct msghdr message = {.msg_iov = parts};
        message.msg_iovlen = (size_t)next_chunk(o, parts);
        ssize_t n = sendmsg(fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n < 0 && (errno == EAGAIN || errno == EINTR))
            break;
        if (n < 0)
            return socket_failed(errno, "sending a frame");
        o->sent += (size_t)n;
    }
    *whole = o->sent == all;
    return Q_OK;
}

enum q_err frame_receive(int fd, uint8_t *to, size_t size, struct bytes *got)
{
    *got = bytes_of(to, 0);
    ssize_t n = recv(fd, to, size, MSG_DONTWAIT);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return Q_OK;
    if (n < 0)
        return socket_failed(errno, "receiving a frame");
    if (n == 0)
        return fail(Q_CLOSED, "the peer closed the connection");
    got->n = (size_t)n;
    return Q_OK;
}

static size_t still_wanted(const struct frame_input *f)
{
    return frame_length_known(f) ? f->length - f->body.n : FRAME_HEADER_SIZE - f->header_n;
}

enum q_err frame_receive_one(int fd, struct frame_input *f, size_t limit, bool *whole)
{
    uint8_t some[4096];
    struct bytes got;
    *whole = false;
    do {
        TRY(frame_receive(fd, some, smaller(still_wanted(f), sizeof some), &got));
        if (got.n == 0)
            return Q_OK;
        if (frame_length_known(f))
            TRY(frame_take_body(f, &got, whole));
        else
            TRY(frame_take_header(f, limit, &got));
    } while (!frame_length_known(f) || still_wanted(f) > 0);
    *whole = true;
    return Q_OK;
}
