// The frame server on a unix socket: frames in pieces, limits, deadlines, eviction, large frames.
#include "../cmocka_setup.h"

#include "echo_server.h"

#define ABC BYTES_LIT("\x03\0\0\0\0\0\0\0abc")
#define CBA BYTES_LIT("\x03\0\0\0\0\0\0\0cba")

static void a_request_is_answered_and_the_connection_goes_on(void **state)
{
    struct echo *e = *state;
    echo_start(e);
    int fd = echo_dial(e);
    put(fd, ABC);
    assert_receives(e, fd, CBA);
    put(fd, ABC);
    assert_receives(e, fd, CBA);
    assert_int_equal(frame_server_connections(e->server), 1);
    (void)close(fd);
}

static void a_frame_may_come_byte_by_byte(void **state)
{
    struct echo *e = *state;
    echo_start(e);
    int fd = echo_dial(e);
    struct bytes all = ABC;
    for (size_t i = 0; i + 1 < all.n; i++) {
        put(fd, bytes_of(all.p + i, 1));
        struct got got = {.fd = fd, .want = 0};
        assert_true(loop_until(e->loop, got_enough, &got));
        assert_int_equal(got.in.n, 0);
    }
    put(fd, bytes_of(all.p + all.n - 1, 1));
    assert_receives(e, fd, CBA);
    (void)close(fd);
}

static void frames_sent_together_are_answered_one_after_the_other(void **state)
{
    struct echo *e = *state;
    echo_start(e);
    int fd = echo_dial(e);
    put(fd, BYTES_LIT("\x03\0\0\0\0\0\0\0abc\0\0\0\0\0\0\0\0\x01\0\0\0\0\0\0\0z\x02\0\0"));
    assert_receives(e, fd, BYTES_LIT("\x03\0\0\0\0\0\0\0cba\0\0\0\0\0\0\0\0\x01\0\0\0\0\0\0\0z"));
    put(fd, BYTES_LIT("\0\0\0\0\0xy"));
    assert_receives(e, fd, BYTES_LIT("\x02\0\0\0\0\0\0\0yx"));
    assert_int_equal(e->frames, 4);
    (void)close(fd);
}

static void a_header_over_the_limit_of_now_drops_the_connection(void **state)
{
    struct echo *e = *state;
    e->limit = 2;
    echo_start(e);
    int fd = echo_dial(e);
    put(fd, ABC);
    assert_closed(e, fd);
    assert_int_equal(e->frames, 0);
    (void)close(fd);
    e->limit = 3;
    fd = echo_dial(e);
    put(fd, ABC);
    assert_receives(e, fd, CBA);
    (void)close(fd);
}

static void a_failing_handler_closes_the_connection_and_only_that(void **state)
{
    struct echo *e = *state;
    echo_start(e);
    int other = echo_dial(e), fd = echo_dial(e);
    put(other, ABC);
    assert_receives(e, other, CBA);
    e->refuse = true;
    put(fd, ABC);
    assert_closed(e, fd);
    e->refuse = false;
    put(other, ABC);
    assert_receives(e, other, CBA);
    (void)close(fd);
    (void)close(other);
}

static void an_idle_connection_is_closed_after_its_time(void **state)
{
    struct echo *e = *state;
    e->options.idle_ms = 20;
    echo_start(e);
    int fd = echo_dial(e);
    assert_closed(e, fd);
    (void)close(fd);
}

static void a_frame_that_trickles_is_cut_off_at_its_deadline(void **state)
{
    struct echo *e = *state;
    e->options.frame_ms = 20;
    echo_start(e);
    int fd = echo_dial(e);
    put(fd, BYTES_LIT("\x03\0\0\0\0\0\0\0a"));
    assert_closed(e, fd);
    assert_int_equal(e->frames, 0);
    (void)close(fd);
}

static void a_peer_that_does_not_read_its_reply_is_cut_off(void **state)
{
    struct echo *e = *state;
    e->options.frame_ms = 50;
    echo_start(e);
    int fd = echo_dial(e);
    // More replies than the sockets' buffers hold, with nobody reading them.
    BUF_AUTO frame = {0};
    assert_ok(buf_u64le(&frame, 200000));
    assert_ok(buf_reserve(&frame, 200000));
    memset(frame.p + frame.n, 'x', 200000);
    frame.n += 200000;
    size_t sent = 0;
    int64_t until = loop_now_ms(e->loop) + 9000;
    while (sent < 40 * frame.n && loop_now_ms(e->loop) < until) {
        size_t at = sent % frame.n;
        ssize_t n = send(fd, frame.p + at, frame.n - at, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n < 0 && errno != EAGAIN)
            break;
        sent += n < 0 ? 0 : (size_t)n;
        struct got nothing = {.fd = -1, .want = 0};
        assert_true(loop_until(e->loop, got_enough, &nothing));
    }
    assert_true(sent < 40 * frame.n);
    assert_int_equal(frame_server_connections(e->server), 0);
    (void)close(fd);
}

static void the_oldest_idle_connection_makes_room_for_a_new_one(void **state)
{
    struct echo *e = *state;
    e->options.connections_max = 2;
    echo_start(e);
    int first = echo_dial(e);
    put(first, ABC);
    assert_receives(e, first, CBA);
    int second = echo_dial(e);
    put(second, ABC);
    assert_receives(e, second, CBA);
    put(first, ABC); // now the second one is the oldest
    assert_receives(e, first, CBA);
    int third = echo_dial(e);
    put(third, ABC);
    assert_receives(e, third, CBA);
    assert_closed(e, second);
    put(first, ABC);
    assert_receives(e, first, CBA);
    assert_int_equal(frame_server_connections(e->server), 2);
    (void)close(first);
    (void)close(second);
    (void)close(third);
}

static void an_idle_crowd_does_not_keep_a_request_out(void **state)
{
    struct echo *e = *state;
    enum { CROWD = 300 };
    static int crowd[CROWD];
    echo_start(e);
    for (int i = 0; i < CROWD; i++)
        crowd[i] = echo_dial(e);
    int fd = echo_dial(e);
    put(fd, ABC);
    assert_receives(e, fd, CBA);
    assert_int_equal(frame_server_connections(e->server), e->options.connections_max);
    for (int i = 0; i < CROWD; i++)
        (void)close(crowd[i]);
    (void)close(fd);
}

static void slow_senders_in_every_place_make_room_in_time(void **state)
{
    struct echo *e = *state;
    e->options.connections_max = 2;
    echo_start(e);
    int slow[2] = {echo_dial(e), echo_dial(e)};
    put(slow[0], BYTES_LIT("\x03\0"));
    put(slow[1], BYTES_LIT("\x03\0"));
    int fd = echo_dial(e);
    put(fd, ABC);
    assert_receives(e, fd, CBA);
    assert_closed(e, slow[0]);
    (void)close(slow[0]);
    (void)close(slow[1]);
    (void)close(fd);
}

// 2 MiB of zeros as a frame; the reply is the same.
static void large_frame(struct buf *out)
{
    size_t n = 2 * FRAME_LARGE;
    assert_ok(buf_u64le(out, n));
    assert_ok(buf_reserve(out, n));
    memset(out->p + out->n, 0, n);
    out->n += n;
}

struct sender {
    int fd;
    struct bytes left;
    struct echo *echo;
    unsigned frames; // wanted
};

static bool sent_and_handled(void *context)
{
    struct sender *s = context;
    ssize_t n = s->left.n == 0 ? 0 : send(s->fd, s->left.p, s->left.n, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n > 0)
        s->left = bytes_of(s->left.p + n, s->left.n - (size_t)n);
    return s->echo->frames >= s->frames;
}

static bool left_is_stuck(void *context)
{
    struct sender *s = context;
    ssize_t n = send(s->fd, s->left.p, s->left.n, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n > 0)
        s->left = bytes_of(s->left.p + n, s->left.n - (size_t)n);
    return n < 0 && errno == EAGAIN;
}

static void a_second_large_frame_waits_unread_until_the_first_is_whole(void **state)
{
    struct echo *e = *state;
    echo_start(e);
    BUF_AUTO frame = {0};
    large_frame(&frame);
    int first = echo_dial(e), second = echo_dial(e), small = echo_dial(e);
    put(first, bytes_of(frame.p, 100));
    put(small, ABC);
    assert_receives(e, small, CBA);
    // The second fills its socket and gets no further, while a small frame passes by.
    struct sender blocked = {second, buf_bytes(&frame), e, 0};
    assert_true(loop_until(e->loop, left_is_stuck, &blocked));
    put(small, ABC);
    assert_receives(e, small, CBA);
    assert_true(loop_until(e->loop, left_is_stuck, &blocked));
    assert_true(blocked.left.n > FRAME_LARGE / 2);
    assert_int_equal(e->frames, 2);
    struct sender rest = {first, bytes_of(frame.p + 100, frame.n - 100), e, 3};
    assert_true(loop_until(e->loop, sent_and_handled, &rest));
    assert_receives(e, first, buf_bytes(&frame));
    blocked.frames = 4;
    assert_true(loop_until(e->loop, sent_and_handled, &blocked));
    assert_receives(e, second, buf_bytes(&frame));
    assert_int_equal(e->last_frame, 2 * FRAME_LARGE);
    (void)close(first);
    (void)close(second);
    (void)close(small);
}

static void a_waiting_large_frame_goes_on_when_the_first_sender_dies(void **state)
{
    struct echo *e = *state;
    echo_start(e);
    BUF_AUTO frame = {0};
    large_frame(&frame);
    int first = echo_dial(e), second = echo_dial(e);
    put(first, bytes_of(frame.p, 100));
    struct sender blocked = {second, buf_bytes(&frame), e, 1};
    assert_true(loop_until(e->loop, left_is_stuck, &blocked));
    (void)close(first);
    assert_true(loop_until(e->loop, sent_and_handled, &blocked));
    assert_receives(e, second, buf_bytes(&frame));
    (void)close(second);
}

static bool one_is_left(void *context)
{
    return frame_server_connections(((struct echo *)context)->server) == 1;
}

static void a_peer_that_leaves_early_costs_nothing(void **state)
{
    struct echo *e = *state;
    echo_start(e);
    int fd = echo_dial(e);
    put(fd, BYTES_LIT("\x03\0\0\0\0\0\0\0a"));
    (void)close(fd);
    fd = echo_dial(e);
    put(fd, ABC);
    (void)close(fd); // does not wait for its reply
    fd = echo_dial(e);
    put(fd, ABC);
    assert_receives(e, fd, CBA);
    assert_true(loop_until(e->loop, one_is_left, e));
    (void)close(fd);
}

static void stopping_closes_all_and_removes_the_socket(void **state)
{
    struct echo *e = *state;
    echo_start(e);
    int fd = echo_dial(e);
    put(fd, ABC);
    assert_receives(e, fd, CBA);
    frame_server_stop(&e->server);
    assert_null(e->server);
    assert_closed(e, fd);
    assert_int_equal(access(e->path, F_OK), -1);
    (void)close(fd);
}

static void a_live_socket_is_not_taken_over_and_a_dead_one_is(void **state)
{
    struct echo *e = *state;
    echo_start(e);
    struct frame_server *other = NULL;
    assert_refused(frame_server_start(e->loop, &e->options, &other), Q_EXISTS, "nobody to listen");
    assert_null(other);
    frame_server_stop(&e->server);
    int fd;
    assert_ok(address_listen(&e->options.address, 1, &fd));
    (void)close(fd); // leaves its file
    assert_int_equal(access(e->path, F_OK), 0);
    echo_start(e);
    fd = echo_dial(e);
    put(fd, ABC);
    assert_receives(e, fd, CBA);
    (void)close(fd);
}

static void a_file_at_the_socket_path_is_left_alone(void **state)
{
    struct echo *e = *state;
    FILE *f = fopen(e->path, "w");
    assert_non_null(f);
    (void)fclose(f);
    assert_refused(frame_server_start(e->loop, &e->options, &e->server), Q_EXISTS, "another kind");
    assert_int_equal(access(e->path, F_OK), 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, echo_setup, echo_teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_request_is_answered_and_the_connection_goes_on),
        TEST(a_frame_may_come_byte_by_byte),
        TEST(frames_sent_together_are_answered_one_after_the_other),
        TEST(a_header_over_the_limit_of_now_drops_the_connection),
        TEST(a_failing_handler_closes_the_connection_and_only_that),
        TEST(an_idle_connection_is_closed_after_its_time),
        TEST(a_frame_that_trickles_is_cut_off_at_its_deadline),
        TEST(a_peer_that_does_not_read_its_reply_is_cut_off),
        TEST(the_oldest_idle_connection_makes_room_for_a_new_one),
        TEST(an_idle_crowd_does_not_keep_a_request_out),
        TEST(slow_senders_in_every_place_make_room_in_time),
        TEST(a_second_large_frame_waits_unread_until_the_first_is_whole),
        TEST(a_waiting_large_frame_goes_on_when_the_first_sender_dies),
        TEST(a_peer_that_leaves_early_costs_nothing),
        TEST(stopping_closes_all_and_removes_the_socket),
        TEST(a_live_socket_is_not_taken_over_and_a_dead_one_is),
        TEST(a_file_at_the_socket_path_is_left_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
