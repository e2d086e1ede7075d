// Listeners: what they accept, when they wait, what they leave behind.
#include "../cmocka_setup.h"

#include "../failing/failing_calls.h"
#include "loop_until.h"
#include "net/listener.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <unistd.h>

#define HELD_MAX 64

struct place {
    struct loop *loop;
    struct listener *listener;
    struct listener_options options;
    char folder[32], path[64];
    unsigned most, n;
    int held[HELD_MAX];
};

static bool take(void *context, int fd)
{
    struct place *p = context;
    p->held[p->n++] = fd;
    return p->n < p->most;
}

static int setup(void **state)
{
    struct place *p = calloc(1, sizeof *p);
    if (p == NULL || loop_new(&p->loop) != Q_OK)
        return -1;
    memcpy(p->folder, "/tmp/quorate-net-XXXXXX", sizeof "/tmp/quorate-net-XXXXXX");
    if (mkdtemp(p->folder) == NULL)
        return -1;
    (void)snprintf(p->path, sizeof p->path, "%s/s", p->folder);
    p->most = HELD_MAX;
    p->options = (struct listener_options){
        .address = {.kind = ADDRESS_UNIX, .path = p->path}, .accepted = take, .context = p};
    *state = p;
    return 0;
}

static int teardown(void **state)
{
    struct place *p = *state;
    listener_stop(&p->listener);
    loop_free(&p->loop);
    for (unsigned i = 0; i < p->n; i++)
        (void)close(p->held[i]);
    (void)unlink(p->path);
    (void)rmdir(p->folder);
    free(p);
    return 0;
}

static void dial(const struct place *p, unsigned n, int *fds)
{
    for (unsigned i = 0; i < n; i++)
        assert_ok(address_connect(&p->options.address, &fds[i]));
}

static void hang_up(unsigned n, const int *fds)
{
    for (unsigned i = 0; i < n; i++)
        (void)close(fds[i]);
}

static bool all_held(void *context)
{
    const struct place *p = context;
    return p->n == 40;
}

static bool some_held(void *context)
{
    const struct place *p = context;
    return p->n >= 3;
}

static void all_that_connect_are_handed_out(void **state)
{
    struct place *p = *state;
    int fds[40];
    assert_ok(listener_start(p->loop, &p->options, &p->listener));
    dial(p, 40, fds);
    assert_true(loop_until(p->loop, all_held, p));
    hang_up(40, fds);
}

static void a_full_owner_gets_no_more_until_it_asks(void **state)
{
    struct place *p = *state;
    int fds[40];
    p->most = 3;
    assert_ok(listener_start(p->loop, &p->options, &p->listener));
    dial(p, 40, fds);
    assert_true(loop_until(p->loop, some_held, p));
    assert_int_equal(p->n, 3);
    listener_resume(p->listener);
    p->most = HELD_MAX;
    assert_true(loop_until(p->loop, all_held, p));
    hang_up(40, fds);
}

static void without_descriptors_it_waits_and_goes_on(void **state)
{
    struct place *p = *state;
    int fds[3];
    assert_ok(listener_start(p->loop, &p->options, &p->listener));
    dial(p, 3, fds);
    failing_sockets_way(4);         // EMFILE
    failing_at(FAILING_SOCKETS, 2); // after epoll_wait: accept4
    assert_true(loop_until(p->loop, some_held, p));
    assert_true(failing_stop());
    hang_up(3, fds);
}

static void its_path_goes_with_it_unless_somebody_else_has_it(void **state)
{
    struct place *p = *state;
    assert_ok(listener_start(p->loop, &p->options, &p->listener));
    assert_int_equal(access(p->path, F_OK), 0);
    listener_stop(&p->listener);
    assert_int_not_equal(access(p->path, F_OK), 0);
    assert_ok(listener_start(p->loop, &p->options, &p->listener));
    assert_int_equal(unlink(p->path), 0);
    struct listener *other;
    assert_ok(listener_start(p->loop, &p->options, &other));
    listener_stop(&p->listener);
    assert_int_equal(access(p->path, F_OK), 0);
    listener_stop(&other);
    listener_stop(&other);
}

static void tcp_tells_its_port(void **state)
{
    struct place *p = *state;
    uint32_t port;
    p->options.address = (struct address){.kind = ADDRESS_TCP, .ip = INADDR_LOOPBACK};
    assert_ok(listener_start(p->loop, &p->options, &p->listener));
    assert_ok(listener_port(p->listener, &port));
    assert_true(port > 0);
}

static bool starts(void *context)
{
    struct place *p = context;
    bool good = listener_start(p->loop, &p->options, &p->listener) == Q_OK;
    assert_true(good == (p->listener != NULL));
    listener_stop(&p->listener);
    assert_true(!good || access(p->path, F_OK) != 0);
    return good;
}

static void what_fails_at_the_start_leaves_no_listener(void **state)
{
    struct place *p = *state;
    failing_sockets_way(0);
    assert_true(failing_each(FAILING_MEMORY, starts, p) >= 2);
    assert_true(failing_each(FAILING_SOCKETS, starts, p) >= 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(all_that_connect_are_handed_out, setup, teardown),
        cmocka_unit_test_setup_teardown(a_full_owner_gets_no_more_until_it_asks, setup, teardown),
        cmocka_unit_test_setup_teardown(without_descriptors_it_waits_and_goes_on, setup, teardown),
        cmocka_unit_test_setup_teardown(its_path_goes_with_it_unless_somebody_else_has_it, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(tcp_tells_its_port, setup, teardown),
        cmocka_unit_test_setup_teardown(what_fails_at_the_start_leaves_no_listener, setup,
                                        teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
