// Listeners that pass connections on (net/relay_listener.h): through, turned away, waiting for room, given up.
#include "../cmocka_setup.h"

#include "loop_until.h"
#include "net/relay_listener.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct stage {
    char folder[32], near[64], far[64];
    struct loop *loop;
    struct relay_room room;
    struct relay_listener_options options;
    struct relay_listener *listener;
    int upstream; // what the listener connects to
};

static int set_up(void **state)
{
    struct stage *s = calloc(1, sizeof *s);
    assert_non_null(s);
    memcpy(s->folder, "/tmp/quorate-net-XXXXXX", sizeof "/tmp/quorate-net-XXXXXX");
    assert_non_null(mkdtemp(s->folder));
    (void)snprintf(s->near, sizeof s->near, "%s/near", s->folder);
    (void)snprintf(s->far, sizeof s->far, "%s/far", s->folder);
    assert_ok(loop_new(&s->loop));
    s->room = (struct relay_room){.most = 8, .evict_ms = 60000};
    s->options = (struct relay_listener_options){
        .listen = {.kind = ADDRESS_UNIX, .path = s->near},
        .connect = {.kind = ADDRESS_UNIX, .path = s->far},
        .room = &s->room,
        .connect_ms = 60000,
    };
    s->upstream = -1;
    *state = s;
    return 0;
}

static int tear_down(void **state)
{
    struct stage *s = *state;
    relay_listener_stop(&s->listener);
    assert_int_equal(s->room.used, 0);
    loop_free(&s->loop);
    if (s->upstream >= 0)
        (void)close(s->upstream);
    (void)unlink(s->far);
    assert_int_equal(rmdir(s->folder), 0); // the listener removed its own socket
    free(s);
    return 0;
}

static void begin(struct stage *s, int backlog)
{
    if (backlog >= 0)
        assert_ok(address_listen(&s->options.connect, backlog, &s->upstream));
    if (s->options.connect.kind == ADDRESS_TCP && s->options.connect.port == 0)
        assert_ok(address_local_port(s->upstream, &s->options.connect.port));
    assert_ok(relay_listener_start(s->loop, &s->options, &s->listener));
}

static int dial(const struct stage *s)
{
    int fd;
    assert_ok(address_connect(&s->options.listen, &fd));
    return fd;
}

struct accepted {
    int listener, fd;
};

static bool came(void *context)
{
    struct accepted *a = context;
    a->fd = accept4(a->listener, NULL, NULL, SOCK_NONBLOCK);
    return a->fd >= 0;
}

static int take(const struct stage *s)
{
    struct accepted a = {.listener = s->upstream};
    assert_true(loop_until(s->loop, came, &a));
    return a.fd;
}

struct heard {
    int fd;
    char text[16];
    ssize_t n;
    int why;
};

static bool something(void *context)
{
    struct heard *h = context;
    h->n = recv(h->fd, h->text, sizeof h->text - 1, MSG_DONTWAIT);
    h->why = errno;
    return h->n >= 0 || h->why != EAGAIN;
}

static void expect_text(const struct stage *s, int from, int to, const char *text)
{
    struct heard h = {.fd = to};
    assert_int_equal(send(from, text, strlen(text), MSG_NOSIGNAL), (ssize_t)strlen(text));
    assert_true(loop_until(s->loop, something, &h));
    assert_string_equal(h.text, text);
}

static void expect_closed(const struct stage *s, int fd)
{
    struct heard h = {.fd = fd};
    assert_true(loop_until(s->loop, something, &h));
    assert_true(h.n == 0 || h.why == ECONNRESET);
    (void)close(fd);
}

struct count {
    const struct relay_listener *listener;
    unsigned wanted;
};

static bool counted(void *context)
{
    const struct count *c = context;
    return relay_listener_connections(c->listener) == c->wanted;
}

static void expect_count(const struct stage *s, unsigned n)
{
    struct count c = {s->listener, n};
    assert_true(loop_until(s->loop, counted, &c));
}

static void connections_go_through_each_on_its_own(void **state)
{
    struct stage *s = *state;
    begin(s, 4);
    int near[2], far[2];
    for (int i = 0; i < 2; i++) {
        near[i] = dial(s);
        far[i] = take(s);
    }
    expect_text(s, near[1], far[1], "second");
    expect_text(s, far[0], near[0], "first");
    (void)close(near[0]);
    expect_closed(s, far[0]);
    expect_count(s, 1);
    expect_text(s, far[1], near[1], "still here");
    (void)close(far[1]);
    expect_closed(s, near[1]);
    expect_count(s, 0);
}

static void tcp_is_reached_as_well(void **state)
{
    struct stage *s = *state;
    s->options.connect = (struct address){.kind = ADDRESS_TCP, .ip = INADDR_LOOPBACK};
    begin(s, 4);
    int near = dial(s), far = take(s);
    expect_text(s, near, far, "to TCP");
    (void)close(near);
    expect_closed(s, far);
}

static void who_cannot_be_passed_on_is_turned_away(void **state)
{
    struct stage *s = *state;
    begin(s, -1); // nobody there
    for (int i = 0; i < 3; i++)
        expect_closed(s, dial(s));
    assert_ok(address_listen(&s->options.connect, 4, &s->upstream));
    int near = dial(s), far = take(s);
    expect_text(s, near, far, "now");
    (void)close(near);
    (void)close(far);
}

static void a_tcp_connection_that_is_refused_is_turned_away(void **state)
{
    struct stage *s = *state;
    s->options.connect = (struct address){.kind = ADDRESS_TCP, .ip = INADDR_LOOPBACK};
    begin(s, 4);
    (void)close(s->upstream);
    s->upstream = -1;
    expect_closed(s, dial(s));
}

static void who_finds_no_room_waits(void **state)
{
    struct stage *s = *state;
    s->room.most = 1;
    begin(s, 4);
    int first = dial(s), far_first = take(s), second = dial(s);
    expect_text(s, first, far_first, "busy");
    assert_int_equal(relay_listener_connections(s->listener), 1);
    (void)close(first);
    (void)close(far_first);
    int far_second = take(s);
    expect_text(s, second, far_second, "my turn");
    (void)close(second);
    (void)close(far_second);
}

static void who_was_silent_longest_gives_way(void **state)
{
    struct stage *s = *state;
    s->room = (struct relay_room){.most = 2, .evict_ms = 0};
    begin(s, 4);
    int silent = dial(s), far_silent = take(s), other = dial(s), far_other = take(s);
    expect_text(s, silent, far_silent, "a");
    int64_t then = loop_now_ms(s->loop);
    while (loop_now_ms(s->loop) < then + 2)
        expect_text(s, other, far_other, "b");
    int third = dial(s), far_third = take(s);
    expect_closed(s, silent);
    expect_text(s, third, far_third, "c");
    expect_text(s, other, far_other, "d");
    (void)close(far_silent);
    (void)close(other);
    (void)close(far_other);
    (void)close(third);
    (void)close(far_third);
}

static void one_room_holds_for_two_listeners(void **state)
{
    struct stage *s = *state;
    char path[80];
    (void)snprintf(path, sizeof path, "%s2", s->near);
    s->room.most = 1;
    begin(s, 4);
    struct relay_listener *second;
    struct relay_listener_options o = s->options;
    o.listen.path = path;
    assert_ok(relay_listener_start(s->loop, &o, &second));
    int first = dial(s), far = take(s), waiting;
    assert_ok(address_connect(&o.listen, &waiting));
    expect_text(s, first, far, "alone");
    assert_int_equal(relay_listener_connections(second), 0);
    (void)close(first);
    (void)close(far);
    far = take(s);
    expect_text(s, waiting, far, "then me");
    (void)close(waiting);
    (void)close(far);
    relay_listener_stop(&second);
}

static void who_was_silent_longest_gives_way_to_another_listeners_connection(void **state)
{
    struct stage *s = *state;
    char path[80];
    (void)snprintf(path, sizeof path, "%s2", s->near);
    s->room = (struct relay_room){.most = 1, .evict_ms = 0};
    begin(s, 4);
    struct relay_listener *second;
    struct relay_listener_options o = s->options;
    o.listen.path = path;
    assert_ok(relay_listener_start(s->loop, &o, &second));
    int silent = dial(s), far_silent = take(s), other;
    expect_text(s, silent, far_silent, "a");
    assert_ok(address_connect(&o.listen, &other));
    int far = take(s);
    expect_closed(s, silent);
    expect_text(s, other, far, "b");
    assert_int_equal(relay_listener_connections(s->listener), 0);
    assert_int_equal(relay_listener_connections(second), 1);
    relay_listener_stop(&second);
    (void)close(far_silent);
    (void)close(other);
    (void)close(far);
}

static void a_full_queue_of_the_other_side_is_waited_for(void **state)
{
    struct stage *s = *state;
    begin(s, 0);
    int near[3];
    for (int i = 0; i < 3; i++)
        near[i] = dial(s);
    expect_count(s, 3);
    for (int i = 0; i < 3; i++) {
        int far = take(s);
        (void)close(far);
        (void)close(near[i]);
    }
}

static void it_gives_up_on_a_queue_that_stays_full(void **state)
{
    struct stage *s = *state;
    s->options.connect_ms = 30;
    begin(s, 0);
    int held = dial(s), late[2] = {dial(s), dial(s)};
    expect_closed(s, late[1]);
    (void)close(late[0]);
    (void)close(held);
}

static void it_gives_up_on_a_tcp_peer_that_does_not_answer(void **state)
{
    struct stage *s = *state;
    s->options.connect = (struct address){.kind = ADDRESS_TCP, .ip = INADDR_LOOPBACK};
    s->options.connect_ms = 30;
    begin(s, 0); // one waits in the queue; the kernel does not answer the third
    int held[2] = {dial(s), dial(s)}, late = dial(s);
    expect_closed(s, late);
    (void)close(held[0]);
    (void)close(held[1]);
}

static void it_starts_only_where_it_can_listen(void **state)
{
    struct stage *s = *state;
    begin(s, 4);
    struct relay_listener *second = NULL;
    assert_refused(relay_listener_start(s->loop, &s->options, &second), Q_EXISTS,
                   "expected nobody to listen there");
    assert_null(second);
    assert_int_equal(access(s->near, F_OK), 0);
}

static void stopping_breaks_connections_off(void **state)
{
    struct stage *s = *state;
    begin(s, 4);
    int near = dial(s), far = take(s);
    relay_listener_stop(&s->listener);
    assert_null(s->listener);
    assert_int_equal(s->room.used, 0);
    expect_closed(s, near);
    expect_closed(s, far);
}

static void room_leaves_descriptors_for_everything_else(void **state)
{
    (void)state;
    struct relay_room room = relay_room_of(10);
    assert_int_equal(room.most, 10);
    assert_int_equal(room.evict_ms, RELAY_EVICT_MS);
    room = relay_room_of(UINT32_MAX);
    assert_true(room.most >= 1);
    assert_true(room.most < UINT32_MAX / 2 || sysconf(_SC_OPEN_MAX) > UINT32_MAX / 2);
}

#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(connections_go_through_each_on_its_own),
        T(tcp_is_reached_as_well),
        T(who_cannot_be_passed_on_is_turned_away),
        T(a_tcp_connection_that_is_refused_is_turned_away),
        T(who_finds_no_room_waits),
        T(who_was_silent_longest_gives_way),
        T(one_room_holds_for_two_listeners),
        T(who_was_silent_longest_gives_way_to_another_listeners_connection),
        T(a_full_queue_of_the_other_side_is_waited_for),
        T(it_gives_up_on_a_queue_that_stays_full),
        T(it_gives_up_on_a_tcp_peer_that_does_not_answer),
        T(it_starts_only_where_it_can_listen),
        T(stopping_breaks_connections_off),
        T(room_leaves_descriptors_for_everything_else),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
