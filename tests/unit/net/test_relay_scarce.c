// Relays and their listeners when memory runs out or a system call fails, one after the other: a connection
// ends, whole or cut, every descriptor is given back, and what is delivered is right as far as it goes.
#include "../cmocka_setup.h"

#include "../failing/failing_calls.h"
#include "loop_until.h"
#include "net/relay_listener.h"
#include "stream_pair.h"

#include <dirent.h>
#include <errno.h>

#define WAYS 6
#define IDLE_MS 60 // what failed without an end is given up after this time

static unsigned descriptors(void)
{
    unsigned n = 0;
    DIR *d = opendir("/proc/self/fd");
    assert_non_null(d);
    while (readdir(d) != NULL)
        n++;
    (void)closedir(d);
    return n;
}

static bool prefix_of(struct bytes part, struct bytes whole)
{
    return part.n <= whole.n && memcmp(part.p, whole.p, part.n) == 0;
}

// Sends on one far end, ends it, and reads the other until its end, reset or nothing more.
static bool delivered(struct relayed *r, struct bytes sent)
{
    uint8_t got[64] = {0};
    ssize_t n = recv(r->far[1], got, sizeof got, MSG_DONTWAIT);
    assert_true(n <= 0 || prefix_of(bytes_of(got, (size_t)n), sent));
    return n == (ssize_t)sent.n;
}

static bool relay_once(void *context)
{
    (void)context;
    struct bytes sent = BYTES_LIT("some bytes");
    struct relayed r = {.far = {-1, -1}, .near = {-1, -1}};
    int a[2], b[2];
    if (!unix_pair(a))
        return false;
    if (!unix_pair(b)) {
        (void)close(a[0]);
        (void)close(a[1]);
        return false;
    }
    r = (struct relayed){.far = {a[0], b[0]}, .near = {a[1], b[1]}};
    bool good = send(r.far[0], sent.p, sent.n, MSG_NOSIGNAL) == (ssize_t)sent.n;
    good = shutdown(r.far[0], SHUT_WR) == 0 && shutdown(r.far[1], SHUT_WR) == 0 && good;
    struct relay_options o = relayed_options(&r);
    o.idle_ms = IDLE_MS;
    bool started = loop_new(&r.loop) == Q_OK && relay_start(r.loop, &o, &r.relay) == Q_OK;
    if (started)
        (void)loop_until(r.loop, relayed_over, &r);
    else
        good = close(r.near[0]) == 0 && close(r.near[1]) == 0 && false;
    good = good && r.ended == 1 && r.result == Q_OK && delivered(&r, sent);
    if (started && r.ended == 0)
        good = false; // the loop itself failed
    relayed_close(&r);
    return good;
}

static void a_relay_ends_and_gives_everything_back_whatever_fails(void **state)
{
    (void)state;
    assert_true(relay_once(NULL));
    unsigned before = descriptors();
    assert_true(failing_each(FAILING_MEMORY, relay_once, NULL) > 4);
    for (unsigned way = 0; way < WAYS; way++) {
        failing_sockets_way(way);
        assert_true(failing_each(FAILING_SOCKETS, relay_once, NULL) > 5);
    }
    assert_int_equal(descriptors(), before);
    assert_true(relay_once(NULL));
}

struct stage {
    char folder[32], near[64];
    struct address far;
    int upstream;
};

struct ended {
    int client, upstream;
    struct relay_listener *listener;
    bool seen;
};

// The upstream end answers and closes; the client waits for its end.
static bool client_ended(void *context)
{
    struct ended *e = context;
    char text[16];
    int fd = accept(e->upstream, NULL, NULL);
    if (fd >= 0) {
        (void)send(fd, "answer", 6, MSG_NOSIGNAL);
        (void)close(fd);
    }
    ssize_t n = recv(e->client, text, sizeof text, MSG_DONTWAIT);
    if (n > 0) {
        assert_true(prefix_of(bytes_of(text, (size_t)n), BYTES_LIT("answer")));
        e->seen = n == 6;
        return true;
    }
    return n == 0 || errno != EAGAIN;
}

static bool listen_once(void *context)
{
    struct stage *s = context;
    struct loop *l = NULL;
    struct relay_room room = {.most = 2, .evict_ms = 60000};
    struct ended e = {.client = -1, .upstream = s->upstream};
    const struct relay_listener_options o = {
        .listen = {.kind = ADDRESS_UNIX, .path = s->near},
        .connect = s->far,
        .room = &room,
        .connect_ms = IDLE_MS,
        .idle_ms = IDLE_MS,
    };
    bool good = loop_new(&l) == Q_OK && relay_listener_start(l, &o, &e.listener) == Q_OK &&
                address_connect(&o.listen, &e.client) == Q_OK;
    if (good)
        good = loop_until(l, client_ended, &e) && e.seen;
    relay_listener_stop(&e.listener);
    assert_int_equal(room.used, 0);
    if (e.client >= 0)
        (void)close(e.client);
    loop_free(&l);
    int left;
    while ((left = accept(s->upstream, NULL, NULL)) >= 0)
        (void)close(left);
    (void)unlink(s->near);
    return good;
}

static void each_connection_ends_whatever_fails(struct stage *s)
{
    assert_true(listen_once(s));
    unsigned before = descriptors();
    assert_true(failing_each(FAILING_MEMORY, listen_once, s) > 4);
    for (unsigned way = 0; way < WAYS; way++) {
        failing_sockets_way(way);
        assert_true(failing_each(FAILING_SOCKETS, listen_once, s) > 8);
    }
    assert_int_equal(descriptors(), before);
    assert_true(listen_once(s));
}

static void a_listener_goes_on_whatever_fails(void **state)
{
    (void)state;
    struct stage s = {.folder = "/tmp/quorate-net-XXXXXX"};
    char far[64];
    assert_non_null(mkdtemp(s.folder));
    (void)snprintf(s.near, sizeof s.near, "%s/near", s.folder);
    (void)snprintf(far, sizeof far, "%s/far", s.folder);
    s.far = (struct address){.kind = ADDRESS_UNIX, .path = far};
    assert_ok(address_listen(&s.far, 16, &s.upstream));
    each_connection_ends_whatever_fails(&s);
    (void)close(s.upstream);
    s.far = (struct address){.kind = ADDRESS_TCP, .ip = INADDR_LOOPBACK};
    assert_ok(address_listen(&s.far, 16, &s.upstream));
    assert_ok(address_local_port(s.upstream, &s.far.port));
    each_connection_ends_whatever_fails(&s);
    (void)close(s.upstream);
    (void)unlink(far);
    assert_int_equal(rmdir(s.folder), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_relay_ends_and_gives_everything_back_whatever_fails),
        cmocka_unit_test(a_listener_goes_on_whatever_fails),
    };
    return cmocka_run_group_tests_name("net/relay_scarce", tests, NULL, NULL);
}
