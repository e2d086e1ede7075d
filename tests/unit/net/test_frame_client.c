// The frame client: one connection per call, kept only while another waits; deadlines over all; enclaves
// that serve one at a time, hang up, trickle or lie.
#include "../cmocka_setup.h"

#include "echo_server.h"

struct reply {
    unsigned times;
    enum q_err result;
    struct buf body;
    char text[128];
};

static void came(void *context, enum q_err result, struct bytes body)
{
    struct reply *r = context;
    r->times++;
    r->result = result;
    if (result != Q_OK)
        (void)snprintf(r->text, sizeof r->text, "%.127s", err_text());
    assert_ok(buf_append(&r->body, body));
}

static bool answered(void *context)
{
    return ((struct reply *)context)->times > 0;
}

static void call_one(struct echo *e, struct frame_client *c, struct reply *r)
{
    assert_ok(frame_call(c, BYTES_LIT("abc"), 5000, came, r));
    assert_int_equal(r->times, 0);
    assert_true(loop_until(e->loop, answered, r));
}

static void a_call_gets_its_reply_and_its_connection_is_closed(void **state)
{
    struct echo *e = *state;
    struct frame_client *c;
    echo_start(e);
    assert_ok(frame_client_new(e->loop, &e->options.address, 4, &c));
    for (int i = 0; i < 3; i++) {
        struct reply r = {0};
        call_one(e, c, &r);
        assert_int_equal(r.result, Q_OK);
        assert_bytes(buf_bytes(&r.body), BYTES_LIT("cba"));
        buf_free(&r.body);
    }
    struct got nothing = {.fd = -1, .want = 0};
    assert_true(loop_until(e->loop, got_enough, &nothing));
    assert_int_equal(frame_server_connections(e->server), 0);
    frame_client_free(&c);
    assert_null(c);
}

static void an_empty_request_and_a_long_one_pass(void **state)
{
    struct echo *e = *state;
    struct frame_client *c;
    echo_start(e);
    assert_ok(frame_client_new(e->loop, &e->options.address, 1, &c));
    struct reply empty = {0}, long_one = {0};
    BUF_AUTO request = {0};
    while (request.n < (size_t)5 << 20)
        assert_ok(buf_u32le(&request, (uint32_t)request.n));
    assert_ok(frame_call(c, bytes_of("", 0), 5000, came, &empty));
    assert_ok(frame_call(c, buf_bytes(&request), 5000, came, &long_one));
    assert_true(loop_until(e->loop, answered, &long_one));
    assert_int_equal(empty.result, Q_OK);
    assert_int_equal(empty.body.n, 0);
    assert_int_equal(long_one.result, Q_OK);
    assert_int_equal(long_one.body.n, request.n);
    for (size_t i = 0; i < request.n; i++) {
        if (long_one.body.p[i] != request.p[request.n - 1 - i])
            fail_msg("byte %zu differs", i);
    }
    buf_free(&long_one.body);
    frame_client_free(&c);
}

// An enclave that serves one connection at a time: the next is accepted when the last has closed.
struct single {
    struct loop *loop;
    int listener, fd;
    struct watch *listening, *serving;
    unsigned accepted;
    bool hang_up, mute;
    struct bytes reply;
};

static void single_serve(void *context, unsigned events);

static void single_accept(void *context, unsigned events)
{
    struct single *s = context;
    (void)events;
    s->fd = accept4(s->listener, NULL, NULL, SOCK_NONBLOCK);
    assert_true(s->fd >= 0);
    s->accepted++;
    watch_end(&s->listening);
    assert_ok(loop_watch(s->loop, s->fd, LOOP_READ, single_serve, s, &s->serving));
}

static void single_drop(struct single *s)
{
    watch_end(&s->serving);
    (void)close(s->fd);
    if (s->listening == NULL)
        assert_ok(loop_watch(s->loop, s->listener, LOOP_READ, single_accept, s, &s->listening));
}

static void single_serve(void *context, unsigned events)
{
    struct single *s = context;
    uint8_t in[4096];
    (void)events;
    if (recv(s->fd, in, sizeof in, 0) <= 0 || s->hang_up) {
        single_drop(s);
        return;
    }
    if (!s->mute)
        put(s->fd, s->reply);
}

static void single_start(struct single *s, struct echo *e)
{
    s->loop = e->loop;
    s->reply = s->reply.p == NULL ? BYTES_LIT("\x02\0\0\0\0\0\0\0ok") : s->reply;
    assert_ok(address_listen(&e->options.address, 64, &s->listener));
    assert_ok(loop_watch(s->loop, s->listener, LOOP_READ, single_accept, s, &s->listening));
}

static void single_end(struct single *s)
{
    if (s->serving != NULL)
        single_drop(s);
    watch_end(&s->listening);
    (void)close(s->listener);
}

struct replies {
    struct reply *all;
    size_t n;
};

static bool all_answered(void *context)
{
    struct replies *r = context;
    for (size_t i = 0; i < r->n; i++) {
        if (r->all[i].times == 0)
            return false;
    }
    return true;
}

static void call_many(struct echo *e, struct frame_client *c, struct reply *replies, size_t n)
{
    struct replies all = {replies, n};
    for (size_t i = 0; i < n; i++)
        assert_ok(frame_call(c, BYTES_LIT("?"), 5000, came, &replies[i]));
    assert_true(loop_until(e->loop, all_answered, &all));
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(replies[i].times, 1);
        if (replies[i].result != Q_OK)
            fail_msg("call %zu: %s", i, replies[i].text);
        assert_bytes(buf_bytes(&replies[i].body), BYTES_LIT("ok"));
        buf_free(&replies[i].body);
    }
}

static void an_enclave_that_serves_one_connection_at_a_time_serves_all_calls(void **state)
{
    struct echo *e = *state;
    struct single s = {0};
    struct frame_client *c;
    enum { CALLS = 50 };
    static struct reply replies[CALLS];
    memset(replies, 0, sizeof replies);
    single_start(&s, e);
    assert_ok(frame_client_new(e->loop, &e->options.address, 4, &c));
    call_many(e, c, replies, CALLS);
    frame_client_free(&c);
    single_end(&s);
}

static void waiting_calls_reuse_the_connection(void **state)
{
    struct echo *e = *state;
    struct single s = {0};
    struct frame_client *c;
    enum { CALLS = 20 };
    static struct reply replies[CALLS];
    memset(replies, 0, sizeof replies);
    single_start(&s, e);
    assert_ok(frame_client_new(e->loop, &e->options.address, 1, &c));
    call_many(e, c, replies, CALLS);
    assert_int_equal(s.accepted, 1);
    memset(replies, 0, sizeof replies);
    call_many(e, c, replies, 1);
    assert_int_equal(s.accepted, 2);
    frame_client_free(&c);
    single_end(&s);
}

static void an_enclave_that_hangs_up_is_an_error_at_once(void **state)
{
    struct echo *e = *state;
    struct single s = {.hang_up = true};
    struct frame_client *c;
    struct reply r = {0};
    single_start(&s, e);
    assert_ok(frame_client_new(e->loop, &e->options.address, 4, &c));
    call_one(e, c, &r);
    assert_int_equal(r.result, Q_CLOSED);
    assert_int_equal(r.body.n, 0);
    frame_client_free(&c);
    single_end(&s);
}

static void nobody_there_is_an_error_for_every_call(void **state)
{
    struct echo *e = *state;
    struct frame_client *c;
    struct reply r[3] = {0};
    struct replies all = {r, 3};
    assert_ok(frame_client_new(e->loop, &e->options.address, 4, &c));
    for (int i = 0; i < 3; i++)
        assert_ok(frame_call(c, BYTES_LIT("?"), 5000, came, &r[i]));
    assert_true(loop_until(e->loop, all_answered, &all));
    for (int i = 0; i < 3; i++) {
        assert_int_equal(r[i].result, Q_IO);
        assert_non_null(strstr(r[i].text, "No such file"));
    }
    frame_client_free(&c);
}

static void the_deadline_covers_waiting_and_the_reply(void **state)
{
    struct echo *e = *state;
    struct single s = {.mute = true};
    struct frame_client *c;
    struct reply r[2] = {0};
    struct replies all = {r, 2};
    single_start(&s, e);
    assert_ok(frame_client_new(e->loop, &e->options.address, 1, &c));
    assert_ok(frame_call(c, BYTES_LIT("?"), 60, came, &r[0]));
    assert_ok(frame_call(c, BYTES_LIT("?"), 30, came, &r[1]));
    assert_true(loop_until(e->loop, answered, &r[1]));
    assert_int_equal(r[0].times, 0);
    assert_int_equal(r[1].result, Q_TIMEOUT);
    assert_non_null(strstr(r[1].text, "30 ms (waiting for a connection)"));
    assert_true(loop_until(e->loop, all_answered, &all));
    assert_int_equal(r[0].result, Q_TIMEOUT);
    assert_non_null(strstr(r[0].text, "60 ms (waiting for the reply)"));
    // The next one finds a connection of its own.
    s.mute = false;
    struct reply next = {0};
    call_one(e, c, &next);
    assert_int_equal(next.result, Q_OK);
    buf_free(&next.body);
    frame_client_free(&c);
    single_end(&s);
}

static void a_reply_over_the_limit_is_refused_before_it_is_read(void **state)
{
    struct echo *e = *state;
    struct single s = {.reply = BYTES_LIT("\1\0\0\x08\0\0\0\0")};
    struct frame_client *c;
    struct reply r = {0};
    single_start(&s, e);
    assert_ok(frame_client_new(e->loop, &e->options.address, 4, &c));
    call_one(e, c, &r);
    assert_int_equal(r.result, Q_LIMIT);
    frame_client_free(&c);
    single_end(&s);
}

static void a_connection_with_bytes_after_the_reply_is_not_reused(void **state)
{
    struct echo *e = *state;
    struct single s = {.reply = BYTES_LIT("\x02\0\0\0\0\0\0\0ok\x02\0")};
    struct frame_client *c;
    struct reply r[3] = {0};
    single_start(&s, e);
    assert_ok(frame_client_new(e->loop, &e->options.address, 1, &c));
    call_many(e, c, r, 3);
    assert_int_equal(s.accepted, 3);
    frame_client_free(&c);
    single_end(&s);
}

static void a_request_over_the_frame_limit_is_refused(void **state)
{
    struct echo *e = *state;
    struct frame_client *c;
    struct reply r = {0};
    assert_ok(frame_client_new(e->loop, &e->options.address, 4, &c));
    static const uint8_t one = 0;
    assert_refused(frame_call(c, bytes_of(&one, FRAME_MAX + 1), 100, came, &r), Q_LIMIT,
                   "134217728");
    frame_client_free(&c);
    assert_int_equal(r.times, 0);
}

static void freeing_the_client_ends_calls_in_flight_and_in_the_queue(void **state)
{
    struct echo *e = *state;
    struct single s = {.mute = true};
    struct frame_client *c;
    struct reply r[3] = {0};
    single_start(&s, e);
    assert_ok(frame_client_new(e->loop, &e->options.address, 1, &c));
    for (int i = 0; i < 3; i++)
        assert_ok(frame_call(c, BYTES_LIT("?"), 5000, came, &r[i]));
    struct got nothing = {.fd = -1, .want = 0};
    assert_true(loop_until(e->loop, got_enough, &nothing));
    frame_client_free(&c);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(r[i].times, 1);
        assert_int_equal(r[i].result, Q_CLOSED);
    }
    single_end(&s);
}

struct chain {
    struct echo *echo;
    struct frame_client *client;
    unsigned left, done;
};

static void call_again(void *context, enum q_err result, struct bytes body)
{
    struct chain *c = context;
    (void)body;
    assert_int_equal(result, Q_OK);
    c->done++;
    if (--c->left > 0)
        assert_ok(frame_call(c->client, BYTES_LIT("?"), 5000, call_again, c));
}

static bool chain_over(void *context)
{
    return ((struct chain *)context)->left == 0;
}

static void a_call_made_when_one_is_done_takes_its_connection(void **state)
{
    struct echo *e = *state;
    struct single s = {0};
    struct chain chain = {.echo = e, .left = 10};
    single_start(&s, e);
    assert_ok(frame_client_new(e->loop, &e->options.address, 4, &chain.client));
    assert_ok(frame_call(chain.client, BYTES_LIT("?"), 5000, call_again, &chain));
    assert_true(loop_until(e->loop, chain_over, &chain));
    assert_int_equal(chain.done, 10);
    assert_int_equal(s.accepted, 1);
    frame_client_free(&chain.client);
    single_end(&s);
}

static void a_full_backlog_is_waited_out(void **state)
{
    struct echo *e = *state;
    struct single s = {0};
    struct frame_client *c;
    enum { CALLS = 12 };
    static struct reply replies[CALLS];
    memset(replies, 0, sizeof replies);
    single_start(&s, e);
    assert_int_equal(listen(s.listener, 0), 0);
    assert_ok(frame_client_new(e->loop, &e->options.address, CALLS, &c));
    call_many(e, c, replies, CALLS);
    frame_client_free(&c);
    single_end(&s);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, echo_setup, echo_teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_call_gets_its_reply_and_its_connection_is_closed),
        TEST(an_empty_request_and_a_long_one_pass),
        TEST(an_enclave_that_serves_one_connection_at_a_time_serves_all_calls),
        TEST(waiting_calls_reuse_the_connection),
        TEST(an_enclave_that_hangs_up_is_an_error_at_once),
        TEST(nobody_there_is_an_error_for_every_call),
        TEST(the_deadline_covers_waiting_and_the_reply),
        TEST(a_reply_over_the_limit_is_refused_before_it_is_read),
        TEST(a_connection_with_bytes_after_the_reply_is_not_reused),
        TEST(a_request_over_the_frame_limit_is_refused),
        TEST(freeing_the_client_ends_calls_in_flight_and_in_the_queue),
        TEST(a_call_made_when_one_is_done_takes_its_connection),
        TEST(a_full_backlog_is_waited_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
