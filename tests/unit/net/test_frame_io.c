// Assembling a frame from pieces and sending one in chunks, without a loop.
#include "../cmocka_setup.h"

#include "net/frame.h"
#include "net/frame_io.h"

#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

static const uint8_t two_frames[] = "\x05\0\0\0\0\0\0\0hello\0\0\0\0\0\0\0\0";

static enum q_err take(struct frame_input *f, size_t limit, struct bytes *in, bool *whole)
{
    if (!frame_length_known(f))
        TRY(frame_take_header(f, limit, in));
    return frame_length_known(f) ? frame_take_body(f, in, whole) : Q_OK;
}

// Gives the two frames in pieces of that size; the number of whole frames that came out.
static size_t assemble(size_t piece)
{
    struct frame_input f = {0};
    size_t frames = 0;
    struct bytes all = bytes_of(two_frames, 21);
    while (all.n > 0) {
        struct bytes in = bytes_of(all.p, piece < all.n ? piece : all.n);
        size_t given = in.n;
        bool whole = false;
        assert_ok(take(&f, FRAME_MAX, &in, &whole));
        all = bytes_of(all.p + given - in.n, all.n - given + in.n);
        if (!whole)
            continue;
        assert_bytes(buf_bytes(&f.body), frames == 0 ? BYTES_LIT("hello") : BYTES_LIT(""));
        frames++;
        frame_input_reset(&f);
        assert_false(frame_begun(&f));
    }
    return frames;
}

static void a_frame_is_the_same_however_it_is_cut(void **state)
{
    (void)state;
    for (size_t piece = 1; piece <= 21; piece++)
        assert_int_equal(assemble(piece), 2);
}

static void a_header_over_the_limit_is_refused_and_one_at_it_is_not(void **state)
{
    (void)state;
    struct frame_input f = {0};
    struct bytes over = BYTES_LIT("\x11\0\0\0\0\0\0\0");
    assert_refused(frame_take_header(&f, 16, &over), Q_LIMIT, "at most 16 bytes");
    f = (struct frame_input){0};
    struct bytes huge = BYTES_LIT("\0\0\0\0\0\0\0\x80");
    assert_refused(frame_take_header(&f, FRAME_MAX, &huge), Q_LIMIT, "9223372036854775808");
    f = (struct frame_input){0};
    struct bytes at = BYTES_LIT("\x10\0\0\0\0\0\0\0");
    assert_ok(frame_take_header(&f, 16, &at));
    assert_int_equal(f.length, 16);
    frame_input_reset(&f);
}

static void memory_follows_what_came_and_not_what_the_header_claims(void **state)
{
    (void)state;
    struct frame_input f = {0};
    struct bytes header = BYTES_LIT("\0\0\0\x08\0\0\0\0"); // 128 MiB
    bool whole = false;
    assert_ok(take(&f, FRAME_MAX, &header, &whole));
    assert_true(f.body.cap < 1024);
    uint8_t piece[1000] = {0};
    for (int i = 0; i < 100; i++) {
        struct bytes in = BYTES_OF(piece);
        assert_ok(take(&f, FRAME_MAX, &in, &whole));
        assert_true(f.body.cap <= 4 * f.body.n);
    }
    assert_false(whole);
    frame_input_reset(&f);
    assert_null(f.body.p);
}

static void a_long_frame_is_sent_in_small_writes_and_arrives_whole(void **state)
{
    (void)state;
    int fd[2];
    // Packets keep the boundaries of the writes.
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, fd), 0);
    uint8_t payload[100000];
    for (size_t i = 0; i < sizeof payload; i++)
        payload[i] = (uint8_t)(i * 7);
    struct frame_output o = frame_output_of(BYTES_OF(payload));
    struct frame_input f = {0};
    uint8_t packet[FRAME_CHUNK + 1];
    bool sent = false, whole = false;
    while (!whole) {
        if (!sent)
            assert_ok(frame_send(fd[0], &o, &sent));
        struct bytes in;
        assert_ok(frame_receive(fd[1], packet, sizeof packet, &in));
        assert_true(in.n > 0 && in.n <= FRAME_CHUNK);
        assert_ok(take(&f, FRAME_MAX, &in, &whole));
    }
    assert_true(sent);
    assert_bytes(buf_bytes(&f.body), BYTES_OF(payload));
    frame_input_reset(&f);
    (void)close(fd[0]);
    (void)close(fd[1]);
}

static void a_small_frame_is_one_write(void **state)
{
    (void)state;
    int fd[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, fd), 0);
    struct frame_output o = frame_output_of(BYTES_LIT("abc"));
    bool whole = false;
    assert_ok(frame_send(fd[0], &o, &whole));
    assert_true(whole);
    uint8_t packet[64];
    struct bytes in;
    assert_ok(frame_receive(fd[1], packet, sizeof packet, &in));
    assert_bytes(in, BYTES_LIT("\x03\0\0\0\0\0\0\0abc"));
    assert_ok(frame_receive(fd[1], packet, sizeof packet, &in));
    assert_int_equal(in.n, 0);
    (void)close(fd[1]);
    o = frame_output_of(BYTES_LIT("abc"));
    assert_refused(frame_send(fd[0], &o, &whole), Q_CLOSED, "closed");
    (void)close(fd[0]);
}

static void one_frame_is_received_and_what_follows_it_is_left(void **state)
{
    (void)state;
    int pair[2];
    bool whole;
    struct frame_input f = {0};
    uint8_t rest[8] = {0};
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair), 0);
    assert_ok(frame_receive_one(pair[1], &f, 16, &whole));
    assert_false(whole);
    for (size_t i = 0; i < 11; i++) {
        assert_false(whole);
        assert_int_equal(send(pair[0], &"\3\0\0\0\0\0\0\0abc"[i], 1, 0), 1);
        if (i == 10)
            assert_int_equal(send(pair[0], "more", 4, 0), 4);
        assert_ok(frame_receive_one(pair[1], &f, 16, &whole));
    }
    assert_true(whole);
    assert_bytes(buf_bytes(&f.body), BYTES_LIT("abc"));
    assert_int_equal(recv(pair[1], rest, sizeof rest, 0), 4);
    frame_input_reset(&f);
    assert_int_equal(send(pair[0], "\0\0\0\0\0\0\0\0", 8, 0), 8);
    assert_ok(frame_receive_one(pair[1], &f, 16, &whole));
    assert_true(whole);
    frame_input_reset(&f);
    assert_int_equal(send(pair[0], "\21\0\0\0\0\0\0\0", 8, 0), 8);
    assert_refused(frame_receive_one(pair[1], &f, 16, &whole), Q_LIMIT, "at most 16");
    (void)close(pair[0]);
    frame_input_reset(&f);
    assert_int_equal(frame_receive_one(pair[1], &f, 16, &whole), Q_CLOSED);
    (void)close(pair[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_frame_is_the_same_however_it_is_cut),
        cmocka_unit_test(a_header_over_the_limit_is_refused_and_one_at_it_is_not),
        cmocka_unit_test(memory_follows_what_came_and_not_what_the_header_claims),
        cmocka_unit_test(a_long_frame_is_sent_in_small_writes_and_arrives_whole),
        cmocka_unit_test(a_small_frame_is_one_write),
        cmocka_unit_test(one_frame_is_received_and_what_follows_it_is_left),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
