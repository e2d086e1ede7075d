// One TCP connection to see whether a target answers (host/probe.h): it ends once, in time, and leaves nothing.
#include "../cmocka_setup.h"

#include "../failing/failing_calls.h"
#include "../net/loop_until.h"
#include "host/probe.h"
#include "net/listener.h"

#include <dirent.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

struct scene {
    struct loop *loop;
    struct listener *listener;
    struct address address;
    struct probe *probe;
    unsigned ends;
    enum q_err result;
    int64_t microseconds;
};

static bool take(void *context, int fd)
{
    (void)context;
    (void)close(fd);
    return true;
}

static void ended(void *context, enum q_err result, int64_t microseconds)
{
    struct scene *s = context;
    s->probe = NULL;
    s->ends++;
    s->result = result;
    s->microseconds = microseconds;
}

static bool has_ended(void *context)
{
    const struct scene *s = context;
    return s->ends > 0;
}

static bool ready(struct scene *s)
{
    s->address = (struct address){.kind = ADDRESS_TCP, .ip = INADDR_LOOPBACK};
    const struct listener_options o = {.address = s->address, .accepted = take, .context = s};
    return loop_new(&s->loop) == Q_OK && listener_start(s->loop, &o, &s->listener) == Q_OK &&
           listener_port(s->listener, &s->address.port) == Q_OK;
}

static void tidy_up(struct scene *s)
{
    probe_cancel(&s->probe);
    listener_stop(&s->listener);
    loop_free(&s->loop);
}

static bool probed(struct scene *s, const char *host, int64_t timeout_ms)
{
    struct egress_target target;
    return egress_target_of(bytes_str(host), (uint16_t)s->address.port, &target) == Q_OK &&
           probe_start(s->loop, &target, timeout_ms, ended, s, &s->probe) == Q_OK &&
           loop_until(s->loop, has_ended, s);
}

static void a_target_that_listens_answers(void **state)
{
    (void)state;
    static const char *const names[] = {"127.0.0.1", "localhost"};
    for (size_t i = 0; i < 2; i++) {
        struct scene s = {0};
        assert_true(ready(&s));
        assert_true(probed(&s, names[i], 5000));
        assert_ok(s.result);
        assert_int_equal(s.ends, 1);
        assert_in_range(s.microseconds, 0, 5000000);
        tidy_up(&s);
    }
}

static void a_target_that_does_not_listen_refuses(void **state)
{
    (void)state;
    struct scene s = {0};
    assert_true(ready(&s));
    listener_stop(&s.listener);
    assert_true(probed(&s, "127.0.0.1", 5000));
    assert_int_equal(s.result, Q_IO);
    assert_int_equal(s.ends, 1);
    tidy_up(&s);
}

// Its queue is full: the handshake is not answered.
static void a_silent_target_is_given_up_at_the_deadline(void **state)
{
    (void)state;
    struct scene s = {0};
    int waiting[8];
    uint32_t port;
    const struct address here = {.kind = ADDRESS_TCP, .ip = INADDR_LOOPBACK};
    int full = -1;
    assert_true(ready(&s));
    assert_ok(address_listen(&here, 0, &full));
    assert_ok(address_local_port(full, &port));
    s.address.port = port;
    for (size_t i = 0; i < 8; i++)
        assert_ok(address_connect(&s.address, &waiting[i]));
    assert_true(probed(&s, "127.0.0.1", 50));
    assert_int_equal(s.result, Q_TIMEOUT);
    assert_in_range(s.microseconds, 45000, 5000000);
    for (size_t i = 0; i < 8; i++)
        (void)close(waiting[i]);
    (void)close(full);
    tidy_up(&s);
}

static void a_cancelled_one_says_nothing_more(void **state)
{
    (void)state;
    struct scene s = {0};
    struct egress_target target;
    assert_true(ready(&s));
    assert_ok(egress_target_of(BYTES_LIT("localhost"), (uint16_t)s.address.port, &target));
    assert_ok(probe_start(s.loop, &target, 5000, ended, &s, &s.probe));
    probe_cancel(&s.probe);
    assert_null(s.probe);
    probe_cancel(&s.probe);
    assert_int_equal(s.ends, 0);
    tidy_up(&s);
}

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

static bool whole(void *context)
{
    (void)context;
    struct scene s = {0};
    bool good = ready(&s) && probed(&s, "127.0.0.1", 1000) && s.result == Q_OK;
    tidy_up(&s);
    return good;
}

static void whatever_fails_leaves_nothing(void **state)
{
    (void)state;
    unsigned before = descriptors();
    assert_true(failing_each(FAILING_MEMORY, whole, NULL) > 3);
    failing_sockets_way(0);
    assert_true(failing_each(FAILING_SOCKETS, whole, NULL) > 3);
    assert_true(whole(NULL));
    assert_int_equal(descriptors(), before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_target_that_listens_answers),
        cmocka_unit_test(a_target_that_does_not_listen_refuses),
        cmocka_unit_test(a_silent_target_is_given_up_at_the_deadline),
        cmocka_unit_test(a_cancelled_one_says_nothing_more),
        cmocka_unit_test(whatever_fails_leaves_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
