// The application's life, with shell scripts as applications: what it gets, what becomes of it, and that
// nothing of the enclave's comes along.
#include "../cmocka_setup.h"

#include "base/clock.h"
#include "base/file.h"
#include "enclave/supervisor.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define PATIENCE_MS 20000

struct stage {
    char folder[64], program[80], result[80];
    struct loop *loop;
    struct supervisor *supervisor;
    struct timer *poll, *patience;
    struct application application;
    char *arguments[8], *environment[4];
    bool (*done)(struct stage *s);
    bool reached;
    unsigned ends;
};

static void poll_due(void *context)
{
    struct stage *s = context;
    s->reached = s->done(s);
    if (s->reached)
        loop_stop(s->loop);
    else
        timer_set(s->poll, clock_monotonic_ms() + 5);
}

static void patience_due(void *context)
{
    struct stage *s = context;
    loop_stop(s->loop);
}

static int set_up(void **state)
{
    struct stage *s = calloc(1, sizeof *s);
    assert_non_null(s);
    strcpy(s->folder, "/tmp/quorate-test-XXXXXX");
    assert_non_null(mkdtemp(s->folder));
    assert_int_equal(chmod(s->folder, 0777), 0); // the application may have another uid
    (void)snprintf(s->program, sizeof s->program, "%s/program", s->folder);
    (void)snprintf(s->result, sizeof s->result, "%s/result", s->folder);
    assert_ok(loop_new(&s->loop));
    assert_ok(supervisor_new(s->loop, &s->supervisor));
    assert_ok(loop_timer(s->loop, poll_due, s, &s->poll));
    assert_ok(loop_timer(s->loop, patience_due, s, &s->patience));
    s->arguments[0] = s->program;
    s->arguments[1] = s->result;
    s->application = (struct application){.path = s->program,
                                          .arguments = s->arguments,
                                          .environment = s->environment,
                                          .uid = geteuid()};
    *state = s;
    return 0;
}

static int tear_down(void **state)
{
    struct stage *s = *state;
    supervisor_free(&s->supervisor);
    timer_end(&s->poll);
    timer_end(&s->patience);
    loop_free(&s->loop);
    (void)unlink(s->program);
    (void)unlink(s->result);
    (void)rmdir(s->folder);
    free(s);
    return 0;
}

static void program(struct stage *s, const char *text)
{
    BUF_AUTO script = {0};
    assert_ok(buf_printf(&script, "#!/bin/sh\n%s\n", text));
    assert_ok(file_write(s->program, buf_bytes(&script), 0555, FILE_REPLACE));
}

static void wait_until(struct stage *s, bool (*done)(struct stage *s))
{
    s->done = done;
    s->reached = false;
    timer_set(s->poll, clock_monotonic_ms());
    timer_set(s->patience, clock_monotonic_ms() + PATIENCE_MS);
    assert_ok(loop_run(s->loop));
    assert_true(s->reached);
}

static bool is_over(struct stage *s)
{
    return !supervisor_running(s->supervisor);
}

static size_t result_lines(struct stage *s, struct buf *out)
{
    buf_clear(out);
    if (!file_exists(s->result))
        return 0;
    assert_ok(file_read(s->result, 1 << 16, out));
    size_t n = 0;
    for (size_t i = 0; i < out->n; i++)
        n += out->p[i] == '\n';
    return n;
}

static bool ran_three_times(struct stage *s)
{
    BUF_AUTO result = {0};
    return result_lines(s, &result) >= 3;
}

static const char *result(struct stage *s, struct buf *out)
{
    (void)result_lines(s, out);
    return buf_text(out);
}

static void an_application_that_never_restarts_runs_once(void **state)
{
    struct stage *s = *state;
    BUF_AUTO text = {0};
    program(s, "echo ran >> $1; exit 3");
    supervisor_start(s->supervisor, &s->application);
    wait_until(s, is_over);
    assert_string_equal(result(s, &text), "ran\n");
}

static void an_application_that_always_restarts_comes_again_whatever_its_end(void **state)
{
    struct stage *s = *state;
    s->application.restart = true;
    program(s, "echo ran >> $1; kill -9 $$");
    int64_t begin = clock_monotonic_ms();
    supervisor_start(s->supervisor, &s->application);
    wait_until(s, ran_three_times);
    // Twice restarted: 50 ms and then 100 ms later.
    assert_true(clock_monotonic_ms() - begin >= RESTART_FIRST_MS + 2 * RESTART_FIRST_MS);
}

static void arguments_and_environment_are_the_manifests_and_nothing_else(void **state)
{
    struct stage *s = *state;
    BUF_AUTO text = {0};
    char one[] = "--name", two[] = "two words", variable[] = "COLOUR=blue green";
    s->arguments[2] = one;
    s->arguments[3] = two;
    s->environment[0] = variable;
    assert_int_equal(setenv("SECRET_OF_OURS", "1", 1), 0);
    program(s, "out=$1; shift; { for a in \"$@\"; do echo \"arg $a\"; done; "
               "tr '\\0' '\\n' < /proc/self/environ; } > $out");
    supervisor_start(s->supervisor, &s->application);
    wait_until(s, is_over);
    (void)result(s, &text);
    assert_non_null(strstr((const char *)text.p, "arg --name\narg two words\n"));
    assert_non_null(strstr((const char *)text.p, "COLOUR=blue green\n"));
    assert_null(strstr((const char *)text.p, "SECRET_OF_OURS"));
    assert_null(strstr((const char *)text.p, "HOME="));
}

static void descriptors_limits_and_privileges_are_the_applications_own(void **state)
{
    struct stage *s = *state;
    BUF_AUTO text = {0};
    int open_here = open("/dev/null", O_RDONLY); // not close-on-exec, on purpose
    assert_true(open_here >= 0);
    // A shell opens descriptors of its own from 10 on; ours would be below.
    program(s,
            "links=$(readlink /proc/$$/fd/0 /proc/$$/fd/1 /proc/$$/fd/2)\n"
            "{ for f in 3 4 5 6 7 8 9; do [ -e /proc/$$/fd/$f ] && echo leaked $f; done\n"
            "echo \"$links\"; ulimit -c; grep -E '^(NoNewPrivs|SigBlk|SigIgn)' /proc/self/status\n"
            "cut -d' ' -f1,5,6 /proc/$$/stat; } > $1");
    supervisor_start(s->supervisor, &s->application);
    wait_until(s, is_over);
    (void)close(open_here);
    (void)result(s, &text);
    const char *t = (const char *)text.p;
    assert_null(strstr(t, "leaked"));
    assert_non_null(strstr(t, "/dev/null\n/dev/null\n/dev/null\n0\n"));
    assert_non_null(strstr(t, "NoNewPrivs:\t1"));
    assert_non_null(strstr(t, "SigBlk:\t0000000000000000"));
    assert_non_null(strstr(t, "SigIgn:\t0000000000000000"));
    char *numbers = strchr(strstr(t, "NoNewPrivs"), '\n');
    long pid = strtol(numbers, &numbers, 10);
    long group = strtol(numbers, &numbers, 10), session = strtol(numbers, &numbers, 10);
    assert_true(pid > 1);
    assert_int_equal(group, pid);
    assert_int_equal(session, pid);
}

static int filter_mode(const char *status)
{
    const char *line = strstr(status, "Seccomp:");
    assert_non_null(line);
    return (int)strtol(line + sizeof "Seccomp:" - 1, NULL, 10);
}

// Of a run of the application, and of this test.
static int filter_mode_of_run(struct stage *s, int *own)
{
    BUF_AUTO text = {0}, status = {0};
    (void)unlink(s->result);
    program(s, "cat /proc/self/status >> $1");
    supervisor_start(s->supervisor, &s->application);
    wait_until(s, is_over);
    assert_ok(file_read("/proc/self/status", 65536, &status));
    *own = filter_mode(buf_text(&status));
    return filter_mode(result(s, &text));
}

static void system_calls_are_filtered_but_for_debug_and_when_told(void **state)
{
    struct stage *s = *state;
    int own;
    assert_int_equal(filter_mode_of_run(s, &own), 2);
    s->application.debug = true;
    assert_int_equal(filter_mode_of_run(s, &own), 2); // debug alone does not do
    supervisor_unfiltered_debug(s->supervisor);
    assert_int_equal(filter_mode_of_run(s, &own), own);
    s->application.debug = false;
    assert_int_equal(filter_mode_of_run(s, &own), 2); // nor being told alone
}

static void ended(void *context)
{
    struct stage *s = context;
    s->ends++;
}

static bool has_ended(struct stage *s)
{
    return s->ends > 0;
}

static void the_end_of_one_that_never_restarts_is_told_once(void **state)
{
    struct stage *s = *state;
    supervisor_on_end(s->supervisor, ended, s);
    program(s, "exit 3");
    supervisor_start(s->supervisor, &s->application);
    wait_until(s, has_ended);
    assert_false(supervisor_running(s->supervisor));
    assert_int_equal(s->ends, 1);
    // One that cannot even be started has ended too.
    (void)unlink(s->program);
    supervisor_start(s->supervisor, &s->application);
    assert_int_equal(s->ends, 2);
}

static void one_that_restarts_has_no_end(void **state)
{
    struct stage *s = *state;
    supervisor_on_end(s->supervisor, ended, s);
    s->application.restart = true;
    program(s, "echo ran >> $1");
    supervisor_start(s->supervisor, &s->application);
    wait_until(s, ran_three_times);
    assert_int_equal(s->ends, 0);
}

static void as_root_the_application_runs_under_its_own_uid_without_groups(void **state)
{
    struct stage *s = *state;
    if (geteuid() != 0) {
        print_message("skipped: only root can start processes under another uid\n");
        skip();
    }
    BUF_AUTO text = {0};
    s->application.uid = 65432;
    program(s, "{ grep -E '^(Uid|Gid|Groups|CapEff|CapPrm)' /proc/self/status; } > $1");
    supervisor_start(s->supervisor, &s->application);
    wait_until(s, is_over);
    const char *t = result(s, &text);
    assert_non_null(strstr(t, "Uid:\t65432\t65432\t65432\t65432"));
    assert_non_null(strstr(t, "Gid:\t65432\t65432\t65432\t65432"));
    assert_non_null(strstr(t, "Groups:\t \n"));
    assert_non_null(strstr(t, "CapPrm:\t0000000000000000"));
    assert_non_null(strstr(t, "CapEff:\t0000000000000000"));
}

static void a_program_that_cannot_be_executed_does_not_run(void **state)
{
    struct stage *s = *state;
    supervisor_start(s->supervisor, &s->application); // there is no such file
    assert_false(supervisor_running(s->supervisor));
    assert_non_null(strstr(err_text(), "execute: No such file"));
    // Once it is there, the restart policy finds it.
    s->application.restart = true;
    supervisor_start(s->supervisor, &s->application);
    assert_false(supervisor_running(s->supervisor));
    program(s, "for i in 1 2 3; do echo $i >> $1; done; read never < /dev/tty");
    wait_until(s, ran_three_times);
}

static bool is_running(struct stage *s)
{
    BUF_AUTO text = {0};
    return supervisor_running(s->supervisor) && result_lines(s, &text) >= 1;
}

static void stopped(void *context)
{
    struct stage *s = context;
    s->reached = true;
    loop_stop(s->loop);
}

static void stopping_asks_first(void **state)
{
    struct stage *s = *state;
    BUF_AUTO text = {0};
    s->application.restart = true;
    program(s, "trap 'echo asked >> $1; exit 0' TERM; echo up >> $1; while :; do sleep 0.01; done");
    supervisor_start(s->supervisor, &s->application);
    wait_until(s, is_running);
    s->reached = false;
    timer_set(s->patience, clock_monotonic_ms() + PATIENCE_MS);
    supervisor_stop(s->supervisor, stopped, s);
    assert_ok(loop_run(s->loop));
    assert_true(s->reached);
    assert_string_equal(result(s, &text), "up\nasked\n");
    assert_false(supervisor_running(s->supervisor));
}

static void stopping_does_not_wait_for_one_that_will_not_end(void **state)
{
    struct stage *s = *state;
    program(s, "trap '' TERM; echo up >> $1; while :; do sleep 0.01; done");
    supervisor_start(s->supervisor, &s->application);
    wait_until(s, is_running);
    s->reached = false;
    timer_set(s->patience, clock_monotonic_ms() + PATIENCE_MS);
    supervisor_stop(s->supervisor, stopped, s);
    assert_ok(loop_run(s->loop));
    assert_true(s->reached);
    assert_false(supervisor_running(s->supervisor));
}

static void stopping_without_an_application_is_immediate(void **state)
{
    struct stage *s = *state;
    supervisor_stop(s->supervisor, stopped, s);
    assert_true(s->reached);
}

// Redirects our stdout to the result file while the application talks in debug mode.
static void debug_output_is_shown_line_by_line_and_else_not(void **state)
{
    struct stage *s = *state;
    BUF_AUTO text = {0};
    program(s, "echo one; echo two >&2; printf 'bell\\007'; exit 0");
    (void)fflush(stdout);
    int saved = dup(STDOUT_FILENO);
    int out = open(s->result, O_WRONLY | O_CREAT | O_TRUNC, 0666);
    assert_int_equal(dup2(out, STDOUT_FILENO), STDOUT_FILENO);
    supervisor_start(s->supervisor, &s->application);
    wait_until(s, is_over);
    s->application.debug = true;
    supervisor_start(s->supervisor, &s->application);
    wait_until(s, is_over);
    assert_int_equal(dup2(saved, STDOUT_FILENO), STDOUT_FILENO);
    (void)close(saved);
    (void)close(out);
    const char *t = result(s, &text);
    assert_non_null(strstr(t, "PIVOT[OUT]: one\n"));
    assert_non_null(strstr(t, "PIVOT[ERR]: two\n"));
    assert_non_null(strstr(t, "PIVOT[OUT]: bell\\u{7}\n"));
    assert_int_equal(result_lines(s, &text), 3);
}

static bool has_no_children(struct stage *s)
{
    char path[64];
    BUF_AUTO children = {0};
    (void)snprintf(path, sizeof path, "/proc/self/task/%d/children", (int)getpid());
    assert_ok(file_read(path, 4096, &children));
    return children.n == 0 && is_over(s);
}

static void orphans_are_reaped(void **state)
{
    struct stage *s = *state;
    program(s, "(sleep 0.05; echo orphan >> $1) & exit 0");
    supervisor_start(s->supervisor, &s->application);
    wait_until(s, has_no_children);
    BUF_AUTO text = {0};
    assert_string_equal(result(s, &text), "orphan\n"); // it was left to end by itself
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_application_that_never_restarts_runs_once),
        TEST(an_application_that_always_restarts_comes_again_whatever_its_end),
        TEST(arguments_and_environment_are_the_manifests_and_nothing_else),
        TEST(descriptors_limits_and_privileges_are_the_applications_own),
        TEST(system_calls_are_filtered_but_for_debug_and_when_told),
        TEST(the_end_of_one_that_never_restarts_is_told_once),
        TEST(one_that_restarts_has_no_end),
        TEST(as_root_the_application_runs_under_its_own_uid_without_groups),
        TEST(a_program_that_cannot_be_executed_does_not_run),
        TEST(stopping_asks_first),
        TEST(stopping_does_not_wait_for_one_that_will_not_end),
        TEST(stopping_without_an_application_is_immediate),
        TEST(debug_output_is_shown_line_by_line_and_else_not),
        TEST(orphans_are_reaped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
