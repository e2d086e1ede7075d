// Calls between client and server when memory runs out or a system call fails, one after the other: every call ends
// exactly once, an answer that is given is the right one, and afterwards calls are answered again.
#include "../cmocka_setup.h"

#include "../failing/failing_calls.h"
#include "echo_server.h"
#include "net/frame_io.h"

#include <netinet/in.h>

#define WAYS 6
#define SHORT_MS 40 // what failed is given up after this time

struct call {
    unsigned times;
    enum q_err result;
    bool right;
};

static void came(void *context, enum q_err result, struct bytes body)
{
    struct call *c = context;
    c->times++;
    c->result = result;
    c->right = bytes_is(body, "cba");
}

static bool both_ended(void *context)
{
    const struct call *c = context;
    return c[0].times + c[1].times == 2;
}

static void run_calls(struct loop *l, struct frame_client *c)
{
    struct call calls[2] = {{0}, {0}};
    unsigned begun = 0;
    for (int i = 0; i < 2; i++) {
        if (frame_call(c, BYTES_LIT("abc"), SHORT_MS, came, &calls[i]) == Q_OK)
            begun++;
        else
            calls[i].times = 1; // told at once
    }
    if (begun > 0)
        (void)loop_until(l, both_ended, calls);
    frame_client_free(&c);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(calls[i].times, 1);
        assert_true(calls[i].right || calls[i].result != Q_OK || begun < 2);
    }
}

static bool exchange(void *context)
{
    const struct echo *e = context;
    struct loop *l = NULL;
    struct frame_server *server = NULL;
    struct frame_client *client = NULL;
    bool good = loop_new(&l) == Q_OK && frame_server_start(l, &e->options, &server) == Q_OK &&
                frame_client_new(l, &e->options.address, 1, &client) == Q_OK;
    if (good)
        run_calls(l, client);
    frame_server_stop(&server);
    loop_free(&l);
    return good;
}

static void every_call_ends_once_whatever_fails(void **state)
{
    struct echo *e = *state;
    assert_true(exchange(e));
    assert_true(failing_each(FAILING_MEMORY, exchange, e) > 5);
    for (unsigned way = 0; way < WAYS; way++) {
        failing_sockets_way(way);
        assert_true(failing_each(FAILING_SOCKETS, exchange, e) > 10);
    }
    assert_true(exchange(e));
}

// A port that was free a moment ago.
static uint16_t free_port(void)
{
    struct sockaddr_in any = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof any;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(fd, (const struct sockaddr *)&any, n), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&any, &n), 0);
    (void)close(fd);
    return ntohs(any.sin_port);
}

static void calls_over_tcp_end_once_whatever_fails(void **state)
{
    struct echo *e = *state;
    e->options.address =
        (struct address){.kind = ADDRESS_TCP, .ip = INADDR_LOOPBACK, .port = free_port()};
    assert_true(exchange(e));
    for (unsigned way = 0; way < WAYS; way++) {
        failing_sockets_way(way);
        assert_true(failing_each(FAILING_SOCKETS, exchange, e) > 10);
    }
    assert_true(exchange(e));
}

static void no_client_and_one_without_connections_can_be_freed(void **state)
{
    struct echo *e = *state;
    struct frame_client *c = NULL;
    frame_client_free(&c);
    assert_ok(frame_client_new(e->loop, &e->options.address, 0, &c));
    frame_client_free(&c);
    assert_null(c);
}

static void a_frame_without_memory_is_refused(void **state)
{
    (void)state;
    struct frame_input f = {.header_n = FRAME_HEADER_SIZE, .length = 3};
    struct bytes in = BYTES_LIT("abc");
    bool whole = false;
    failing_at(FAILING_MEMORY, 1);
    assert_int_equal(frame_take_body(&f, &in, &whole), Q_NOMEM);
    assert_true(failing_stop());
    assert_false(whole);
    frame_input_reset(&f);
}

static void nothing_to_take_changes_nothing(void **state)
{
    (void)state;
    struct frame_input f = {0};
    struct bytes none = BYTES_NONE;
    assert_ok(frame_take_header(&f, 1, &none));
    assert_false(frame_begun(&f));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(every_call_ends_once_whatever_fails, echo_setup,
                                        echo_teardown),
        cmocka_unit_test_setup_teardown(calls_over_tcp_end_once_whatever_fails, echo_setup,
                                        echo_teardown),
        cmocka_unit_test_setup_teardown(no_client_and_one_without_connections_can_be_freed,
                                        echo_setup, echo_teardown),
        cmocka_unit_test(a_frame_without_memory_is_refused),
        cmocka_unit_test(nothing_to_take_changes_nothing),
    };
    return cmocka_run_group_tests_name("net/scarce", tests, NULL, NULL);
}
