// Fuzz target: frames assembled from pieces (net/frame_io.h). The first two bytes choose the limit and how the
// rest is cut; whatever the cuts, the frames must be those that one piece gives, and memory must follow what
// came.
#include "net/frame.h"
#include "net/frame_io.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool held)
{
    if (!held)
        abort();
}

struct assembly {
    struct frame_input frame;
    struct buf frames; // of all whole frames: length and body
    bool refused;
};

static void finish(struct assembly *a)
{
    must(a->frame.body.n == a->frame.length);
    must(buf_u64le(&a->frames, a->frame.length) == Q_OK);
    must(buf_append(&a->frames, buf_bytes(&a->frame.body)) == Q_OK);
    frame_input_reset(&a->frame);
    must(!frame_begun(&a->frame) && !frame_length_known(&a->frame));
}

static void feed(struct assembly *a, size_t limit, struct bytes in)
{
    while (!a->refused && in.n > 0) {
        bool whole = false;
        if (!frame_length_known(&a->frame))
            a->refused = frame_take_header(&a->frame, limit, &in) != Q_OK;
        if (a->refused || !frame_length_known(&a->frame))
            continue;
        must(a->frame.length <= limit);
        must(frame_take_body(&a->frame, &in, &whole) == Q_OK);
        must(a->frame.body.n <= a->frame.length);
        must(a->frame.body.cap <= 4 * a->frame.body.n + 1024);
        if (whole)
            finish(a);
    }
}

static void end(struct assembly *a)
{
    frame_input_reset(&a->frame);
    buf_free(&a->frames);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2)
        return 0;
    size_t limit = data[0] < 128 ? data[0] : FRAME_MAX;
    size_t piece = (size_t)data[1] + 1;
    struct bytes all = bytes_of(data + 2, size - 2);
    struct assembly whole = {0}, cut = {0};
    feed(&whole, limit, all);
    for (size_t at = 0; at < all.n; at += piece)
        feed(&cut, limit, bytes_of(all.p + at, piece < all.n - at ? piece : all.n - at));
    must(whole.refused == cut.refused);
    must(bytes_equal(buf_bytes(&whole.frames), buf_bytes(&cut.frames)));
    must(whole.frame.header_n == cut.frame.header_n);
    must(bytes_equal(buf_bytes(&whole.frame.body), buf_bytes(&cut.frame.body)));
    end(&whole);
    end(&cut);
    return 0;
}
