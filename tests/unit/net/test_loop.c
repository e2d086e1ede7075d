// The event loop: order of timers, removal of anything from within callbacks, signals.
#include "../cmocka_setup.h"

#include "loop_until.h"

#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

static int make_loop(void **state)
{
    return loop_new((struct loop **)state) == Q_OK ? 0 : -1;
}

static int free_loop(void **state)
{
    loop_free((struct loop **)state);
    return 0;
}

struct mark {
    struct loop *loop;
    char *log;
    struct timer *timer, **victim;
    char name;
    bool last;
};

static void note(void *context)
{
    struct mark *m = context;
    m->log[strlen(m->log)] = m->name;
    if (m->victim != NULL)
        timer_end(m->victim);
    if (m->last)
        loop_stop(m->loop);
}

static void timers_come_in_order_of_time_and_then_of_setting(void **state)
{
    struct loop *l = *state;
    char log[16] = "";
    struct mark marks[] = {{.loop = l, .name = 'd', .log = log, .last = true},
                           {.loop = l, .name = 'b', .log = log},
                           {.loop = l, .name = 'a', .log = log},
                           {.loop = l, .name = 'c', .log = log}};
    const int64_t after[] = {4, 2, 1, 2};
    int64_t now = loop_now_ms(l);
    for (int i = 0; i < 4; i++) {
        assert_ok(loop_timer(l, note, &marks[i], &marks[i].timer));
        timer_set(marks[i].timer, now + after[i]);
    }
    assert_ok(loop_run(l));
    assert_string_equal(log, "abcd");
    for (int i = 0; i < 4; i++)
        timer_end(&marks[i].timer);
}

static void many_timers_stay_ordered_when_some_are_cancelled_and_set_again(void **state)
{
    enum { COUNT = 200 };
    struct loop *l = *state;
    static struct mark marks[COUNT];
    static char log[COUNT + 1];
    memset(log, 0, sizeof log);
    int64_t now = loop_now_ms(l);
    for (int i = 0; i < COUNT; i++) {
        marks[i] = (struct mark){.loop = l, .name = (char)(i + 1), .log = log};
        assert_ok(loop_timer(l, note, &marks[i], &marks[i].timer));
        timer_set(marks[i].timer, now - i);
    }
    for (int i = 0; i < COUNT; i += 3)
        timer_cancel(marks[i].timer);
    for (int i = 1; i < COUNT; i += 3)
        timer_set(marks[i].timer, now - 1000 + i);
    struct mark end = {.loop = l, .log = log, .last = true};
    assert_ok(loop_timer(l, note, &end, &end.timer));
    timer_set(end.timer, now);
    assert_ok(loop_run(l));
    // First those set again (1, 4, ...) upward, then the rest (2, 5, ...) downward.
    size_t n = strlen(log);
    assert_int_equal(n, COUNT - (COUNT + 2) / 3);
    size_t again = 0;
    for (int i = 1; i < COUNT; i += 3, again++)
        assert_int_equal((uint8_t)log[again], i + 1);
    for (size_t i = again + 1; i < n; i++)
        assert_true((uint8_t)log[i] < (uint8_t)log[i - 1]);
    for (int i = 0; i < COUNT; i++)
        timer_end(&marks[i].timer);
    timer_end(&end.timer);
}

static void a_timer_may_end_itself_and_another_that_is_due(void **state)
{
    struct loop *l = *state;
    char log[16] = "";
    struct mark second = {.loop = l, .name = 'x', .log = log};
    struct mark first = {.loop = l, .name = 'a', .log = log, .victim = &second.timer};
    struct mark itself = {
        .loop = l, .name = 'b', .log = log, .last = true, .victim = &itself.timer};
    assert_ok(loop_timer(l, note, &first, &first.timer));
    assert_ok(loop_timer(l, note, &second, &second.timer));
    assert_ok(loop_timer(l, note, &itself, &itself.timer));
    timer_set(first.timer, loop_now_ms(l));
    timer_set(second.timer, loop_now_ms(l));
    timer_set(itself.timer, loop_now_ms(l));
    assert_ok(loop_run(l));
    assert_string_equal(log, "ab");
    assert_null(second.timer);
    assert_null(itself.timer);
    timer_end(&first.timer);
}

struct again {
    struct loop *loop;
    struct timer *timer;
    int fd[2];
    struct watch *watch;
    int times;
    bool read;
};

static void set_again(void *context)
{
    struct again *a = context;
    a->times++;
    timer_set(a->timer, loop_now_ms(a->loop));
}

static void readable(void *context, unsigned events)
{
    struct again *a = context;
    assert_true((events & LOOP_READ) != 0);
    a->read = true;
    loop_stop(a->loop);
}

static void a_timer_that_is_always_due_does_not_starve_descriptors(void **state)
{
    struct again a = {.loop = *state};
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, a.fd), 0);
    assert_ok(loop_timer(a.loop, set_again, &a, &a.timer));
    assert_ok(loop_watch(a.loop, a.fd[0], LOOP_READ, readable, &a, &a.watch));
    timer_set(a.timer, loop_now_ms(a.loop));
    assert_int_equal(write(a.fd[1], "x", 1), 1);
    assert_ok(loop_run(a.loop));
    assert_true(a.read);
    assert_true(a.times <= 2);
    watch_end(&a.watch);
    timer_end(&a.timer);
    (void)close(a.fd[0]);
    (void)close(a.fd[1]);
}

struct pair {
    struct loop *loop;
    struct watch *watch[2];
    int calls;
};

static void end_both(void *context, unsigned events)
{
    struct pair *p = context;
    (void)events;
    p->calls++;
    watch_end(&p->watch[0]);
    watch_end(&p->watch[1]);
    loop_stop(p->loop);
}

static void a_watch_may_end_itself_and_another_that_is_ready(void **state)
{
    struct pair p = {.loop = *state};
    int a[2], b[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, a), 0);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, b), 0);
    assert_ok(loop_watch(p.loop, a[0], LOOP_WRITE, end_both, &p, &p.watch[0]));
    assert_ok(loop_watch(p.loop, b[0], LOOP_WRITE, end_both, &p, &p.watch[1]));
    assert_ok(loop_run(p.loop));
    assert_int_equal(p.calls, 1);
    for (int i = 0; i < 2; i++) {
        (void)close(a[i]);
        (void)close(b[i]);
    }
}

static void hangup(void *context, unsigned events)
{
    struct pair *p = context;
    assert_true((events & LOOP_HANGUP) != 0);
    end_both(context, 0);
    (void)p;
}

static void a_hangup_is_told_though_nothing_was_asked(void **state)
{
    struct pair p = {.loop = *state};
    int fd[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fd), 0);
    assert_ok(loop_watch(p.loop, fd[0], 0, hangup, &p, &p.watch[0]));
    (void)close(fd[1]);
    assert_ok(loop_run(p.loop));
    assert_int_equal(p.calls, 1);
    (void)close(fd[0]);
}

struct signals {
    struct loop *loop;
    int came[2];
};

static void signal_noted(void *context, int signal)
{
    struct signals *s = context;
    s->came[signal == SIGUSR1 ? 0 : 1]++;
    if (s->came[0] > 0 && s->came[1] > 0)
        loop_stop(s->loop);
}

static void signals_come_through_the_loop(void **state)
{
    struct signals s = {.loop = *state};
    assert_ok(loop_signal(s.loop, SIGUSR1, signal_noted, &s));
    assert_ok(loop_signal(s.loop, SIGUSR2, signal_noted, &s));
    assert_int_equal(raise(SIGUSR1), 0);
    assert_int_equal(raise(SIGUSR2), 0);
    assert_ok(loop_run(s.loop));
    assert_int_equal(s.came[0], 1);
    assert_int_equal(s.came[1], 1);
}

static void watching_a_closed_descriptor_is_an_error(void **state)
{
    struct pair p = {.loop = *state};
    assert_refused(loop_watch(p.loop, 9999, LOOP_READ, end_both, &p, &p.watch[0]), Q_IO, "9999");
    assert_null(p.watch[0]);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, make_loop, free_loop)
    const struct CMUnitTest tests[] = {
        TEST(timers_come_in_order_of_time_and_then_of_setting),
        TEST(many_timers_stay_ordered_when_some_are_cancelled_and_set_again),
        TEST(a_timer_may_end_itself_and_another_that_is_due),
        TEST(a_timer_that_is_always_due_does_not_starve_descriptors),
        TEST(a_watch_may_end_itself_and_another_that_is_ready),
        TEST(a_hangup_is_told_though_nothing_was_asked),
        TEST(signals_come_through_the_loop),
        TEST(watching_a_closed_descriptor_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
