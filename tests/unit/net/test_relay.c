// Relays between two sockets (net/relay.h): both ways, half-close, back-pressure, resets, the idle limit.
#include "../cmocka_setup.h"

#include "loop_until.h"
#include "stream_pair.h"

#include <errno.h>
#include <sys/ioctl.h>
#include <sys/resource.h>

typedef bool (*pair_maker)(int pair[2]);
static const pair_maker kinds[] = {unix_pair, tcp_pair};
#define KINDS (sizeof kinds / sizeof *kinds)

// Side 0 is of one kind, side 1 of another: unix and TCP meet in every bridge.
static struct relayed open_pairs(pair_maker first, pair_maker second)
{
    struct relayed r = {0};
    int pair[2];
    assert_ok(loop_new(&r.loop));
    assert_true(first(pair));
    r.far[0] = pair[0];
    r.near[0] = pair[1];
    assert_true(second(pair));
    r.far[1] = pair[0];
    r.near[1] = pair[1];
    return r;
}

static void begin(struct relayed *r)
{
    struct relay_options o = relayed_options(r);
    assert_ok(relay_start(r->loop, &o, &r->relay));
}

static void put_all(int fd, struct bytes in)
{
    assert_int_equal(send(fd, in.p, in.n, MSG_NOSIGNAL), (ssize_t)in.n);
}

struct wanted {
    int fd;
    size_t n;
    struct buf in;
    bool end, reset;
};

static bool has_come(void *context)
{
    struct wanted *w = context;
    uint8_t some[65536];
    ssize_t n;
    while ((n = recv(w->fd, some, sizeof some, MSG_DONTWAIT)) > 0)
        assert_ok(buf_append(&w->in, bytes_of(some, (size_t)n)));
    w->end = n == 0;
    w->reset = n < 0 && errno == ECONNRESET;
    return w->end || w->reset || (w->n > 0 && w->in.n >= w->n);
}

static void expect(struct relayed *r, size_t side, struct bytes what)
{
    struct wanted w = {.fd = r->far[side], .n = what.n};
    assert_true(loop_until(r->loop, has_come, &w));
    assert_bytes(buf_bytes(&w.in), what);
    buf_free(&w.in);
}

static void expect_end(struct relayed *r, size_t side)
{
    struct wanted w = {.fd = r->far[side]};
    assert_true(loop_until(r->loop, has_come, &w));
    assert_true(w.end);
    assert_int_equal(w.in.n, 0);
}

static void expect_over(struct relayed *r, enum q_err result)
{
    assert_true(loop_until(r->loop, relayed_over, r));
    assert_int_equal(r->ended, 1);
    assert_int_equal(r->result, result);
}

static void passes_bytes_both_ways(void **state)
{
    (void)state;
    for (size_t i = 0; i < KINDS * KINDS; i++) {
        struct relayed r = open_pairs(kinds[i % KINDS], kinds[i / KINDS]);
        begin(&r);
        put_all(r.far[0], BYTES_LIT("question"));
        expect(&r, 1, BYTES_LIT("question"));
        put_all(r.far[1], BYTES_LIT("an answer"));
        expect(&r, 0, BYTES_LIT("an answer"));
        relayed_close(&r);
    }
}

static void passes_on_an_end_while_the_other_direction_goes_on(void **state)
{
    (void)state;
    for (size_t i = 0; i < KINDS * KINDS; i++) {
        struct relayed r = open_pairs(kinds[i % KINDS], kinds[i / KINDS]);
        begin(&r);
        put_all(r.far[0], BYTES_LIT("question"));
        assert_int_equal(shutdown(r.far[0], SHUT_WR), 0);
        expect(&r, 1, BYTES_LIT("question"));
        expect_end(&r, 1);
        assert_int_equal(r.ended, 0);
        put_all(r.far[1], BYTES_LIT("late answer"));
        expect(&r, 0, BYTES_LIT("late answer"));
        assert_int_equal(shutdown(r.far[1], SHUT_WR), 0);
        expect_end(&r, 0);
        expect_over(&r, Q_OK);
        assert_int_equal(r.passed[0], 8);
        assert_int_equal(r.passed[1], 11);
        relayed_close(&r);
    }
}

static void sends_first_what_was_read_before(void **state)
{
    (void)state;
    struct relayed r = open_pairs(unix_pair, tcp_pair);
    struct relay_options o = relayed_options(&r);
    o.already[0] = BYTES_LIT("early ");
    o.already[1] = BYTES_LIT("greeting");
    put_all(r.far[0], BYTES_LIT("and late"));
    assert_ok(relay_start(r.loop, &o, &r.relay));
    expect(&r, 1, BYTES_LIT("early and late"));
    expect(&r, 0, BYTES_LIT("greeting"));
    relayed_close(&r);
}

static void refuses_more_read_before_than_it_holds(void **state)
{
    (void)state;
    static const uint8_t much[RELAY_BUFFER + 1];
    struct relayed r = open_pairs(unix_pair, unix_pair);
    struct relay_options o = relayed_options(&r);
    o.already[1] = BYTES_OF(much);
    assert_int_equal(relay_start(r.loop, &o, &r.relay), Q_LIMIT);
    assert_int_equal(fcntl(r.near[0], F_GETFD), 0); // still the caller's
    (void)close(r.near[0]);
    (void)close(r.near[1]);
    relayed_close(&r);
}

// Writes until nothing more is taken, turn after turn; how much went in is all that anybody holds.
struct flood {
    int fd;
    size_t sent;
    unsigned stuck;
};

static bool stuck(void *context)
{
    struct flood *f = context;
    uint8_t some[16384];
    memset(some, 'x', sizeof some);
    ssize_t n;
    size_t before = f->sent;
    while ((n = send(f->fd, some, sizeof some, MSG_NOSIGNAL | MSG_DONTWAIT)) > 0)
        f->sent += (size_t)n;
    f->stuck = f->sent == before ? f->stuck + 1 : 0;
    return f->stuck > 50;
}

static void never_reads_what_it_cannot_hold(void **state)
{
    (void)state;
    for (size_t i = 0; i < KINDS * KINDS; i++) {
        struct relayed r = open_pairs(kinds[i % KINDS], kinds[i / KINDS]);
        begin(&r);
        struct flood f = {.fd = r.far[0]};
        assert_true(loop_until(r.loop, stuck, &f));
        int queued_in = 0;
        assert_int_equal(ioctl(r.near[0], FIONREAD, &queued_in), 0);
        assert_true(queued_in > 0); // it stays where it is
        // The other direction is not held up.
        put_all(r.far[1], BYTES_LIT("still here"));
        expect(&r, 0, BYTES_LIT("still here"));
        // The sender goes away; all that it sent arrives.
        (void)close(r.far[0]);
        r.far[0] = -1;
        struct wanted w = {.fd = r.far[1]};
        assert_true(loop_until(r.loop, has_come, &w));
        assert_true(w.end);
        assert_int_equal(w.in.n, f.sent);
        buf_free(&w.in);
        relayed_close(&r);
    }
}

// A loop that has nothing to do sleeps until the next tick of the test; one that is told of a hang-up again
// and again never does.
static bool loop_sleeps(struct relayed *r)
{
    struct rusage before, after;
    struct flood f = {.fd = r->far[1], .sent = 0};
    assert_int_equal(getrusage(RUSAGE_THREAD, &before), 0);
    assert_true(loop_until(r->loop, stuck, &f));
    assert_int_equal(getrusage(RUSAGE_THREAD, &after), 0);
    return after.ru_nvcsw - before.ru_nvcsw >= 25;
}

static void keeps_what_a_gone_peer_sent_until_it_is_taken(void **state)
{
    (void)state;
    struct relayed r = open_pairs(unix_pair, unix_pair);
    begin(&r);
    struct flood f = {.fd = r.far[0]};
    assert_true(loop_until(r.loop, stuck, &f));
    (void)close(r.far[0]);
    r.far[0] = -1;
    assert_true(loop_sleeps(&r));
    struct wanted w = {.fd = r.far[1]};
    assert_true(loop_until(r.loop, has_come, &w));
    assert_int_equal(w.in.n, f.sent);
    buf_free(&w.in);
    expect_over(&r, Q_CLOSED);
    relayed_close(&r);
}

static void passes_on_a_reset_of_tcp(void **state)
{
    (void)state;
    struct relayed r = open_pairs(tcp_pair, tcp_pair);
    begin(&r);
    put_all(r.far[0], BYTES_LIT("part"));
    expect(&r, 1, BYTES_LIT("part"));
    const struct linger at_once = {.l_onoff = 1};
    assert_int_equal(setsockopt(r.far[0], SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once), 0);
    (void)close(r.far[0]);
    r.far[0] = -1;
    expect_over(&r, Q_CLOSED);
    struct wanted w = {.fd = r.far[1]};
    assert_true(loop_until(r.loop, has_come, &w));
    assert_true(w.reset);
    relayed_close(&r);
}

static void ends_when_the_one_who_asked_is_gone(void **state)
{
    (void)state;
    struct relayed r = open_pairs(unix_pair, tcp_pair);
    begin(&r);
    put_all(r.far[0], BYTES_LIT("fire and forget"));
    (void)close(r.far[0]);
    r.far[0] = -1;
    expect(&r, 1, BYTES_LIT("fire and forget"));
    expect_end(&r, 1);
    expect_over(&r, Q_CLOSED);
    assert_int_equal(r.passed[0], 15);
    relayed_close(&r);
}

static void ends_after_silence(void **state)
{
    (void)state;
    struct relayed r = open_pairs(tcp_pair, tcp_pair);
    struct relay_options o = relayed_options(&r);
    o.idle_ms = 30;
    assert_ok(relay_start(r.loop, &o, &r.relay));
    expect_over(&r, Q_TIMEOUT);
    struct wanted w = {.fd = r.far[0]};
    assert_true(loop_until(r.loop, has_come, &w));
    assert_true(w.reset);
    relayed_close(&r);
}

static void a_stopped_relay_ends_without_a_word(void **state)
{
    (void)state;
    struct relayed r = open_pairs(tcp_pair, unix_pair);
    begin(&r);
    assert_true(relay_silent_ms(r.relay) >= 0);
    relay_stop(&r.relay);
    assert_null(r.relay);
    relay_stop(&r.relay);
    assert_int_equal(r.ended, 0);
    expect_end(&r, 1);
    relayed_close(&r);
}

// Both directions full at once, odd sizes, every byte compared.
struct stream {
    int fd;
    size_t size, sent, received;
    uint32_t seed_out, seed_in;
    bool shut, end;
};

static uint8_t next_byte(uint32_t *seed)
{
    *seed = *seed * 1664525u + 1013904223u;
    return (uint8_t)(*seed >> 24);
}

static void stream_send(struct stream *s)
{
    while (s->sent < s->size) {
        uint8_t some[7919];
        uint32_t seed = s->seed_out;
        size_t n = s->size - s->sent < sizeof some ? s->size - s->sent : sizeof some;
        for (size_t i = 0; i < n; i++)
            some[i] = next_byte(&seed);
        ssize_t sent = send(s->fd, some, n, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent <= 0)
            return;
        for (ssize_t i = 0; i < sent; i++)
            (void)next_byte(&s->seed_out);
        s->sent += (size_t)sent;
    }
    if (!s->shut)
        assert_int_equal(shutdown(s->fd, SHUT_WR), 0);
    s->shut = true;
}

static void stream_receive(struct stream *s)
{
    uint8_t some[10007];
    ssize_t n;
    while ((n = recv(s->fd, some, sizeof some, MSG_DONTWAIT)) > 0) {
        for (ssize_t i = 0; i < n; i++)
            assert_int_equal(some[i], next_byte(&s->seed_in));
        s->received += (size_t)n;
    }
    s->end = n == 0;
}

static bool streams_done(void *context)
{
    struct stream *s = context;
    for (size_t i = 0; i < 2; i++) {
        stream_send(&s[i]);
        stream_receive(&s[i]);
    }
    return s[0].end && s[1].end;
}

static void loses_nothing_when_both_directions_are_full(void **state)
{
    (void)state;
    for (size_t i = 0; i < KINDS * KINDS; i++) {
        struct relayed r = open_pairs(kinds[i % KINDS], kinds[i / KINDS]);
        begin(&r);
        struct stream s[2] = {
            {.fd = r.far[0], .size = 3000017, .seed_out = 1, .seed_in = 2},
            {.fd = r.far[1], .size = 2000003, .seed_out = 2, .seed_in = 1},
        };
        assert_true(loop_until(r.loop, streams_done, s));
        assert_int_equal(s[0].received, s[1].size);
        assert_int_equal(s[1].received, s[0].size);
        expect_over(&r, Q_OK);
        assert_int_equal(r.passed[0], s[0].size);
        assert_int_equal(r.passed[1], s[1].size);
        relayed_close(&r);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(passes_bytes_both_ways),
        cmocka_unit_test(passes_on_an_end_while_the_other_direction_goes_on),
        cmocka_unit_test(sends_first_what_was_read_before),
        cmocka_unit_test(refuses_more_read_before_than_it_holds),
        cmocka_unit_test(never_reads_what_it_cannot_hold),
        cmocka_unit_test(keeps_what_a_gone_peer_sent_until_it_is_taken),
        cmocka_unit_test(passes_on_a_reset_of_tcp),
        cmocka_unit_test(ends_when_the_one_who_asked_is_gone),
        cmocka_unit_test(ends_after_silence),
        cmocka_unit_test(a_stopped_relay_ends_without_a_word),
        cmocka_unit_test(loses_nothing_when_both_directions_are_full),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
