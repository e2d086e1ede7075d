// The application's system call filter: each call of the list is refused in a process that has it,
// with the error a caller can live with; what applications need still works.
#include "../cmocka_setup.h"

#include "base/file.h"
#include "enclave/syscall_filter.h"

#include <errno.h>
#include <linux/sched.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

// Runs act in a child that has the filter; what it returns (0 to 255), or 1000 + its signal.
static int filtered(int (*act)(long number), long number)
{
    BUF_AUTO filter = {0};
    assert_ok(syscall_filter_build(&filter));
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        bool ready = prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
                     syscall_filter_install(buf_bytes(&filter));
        _exit(ready ? act(number) : 255);
    }
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

// With arguments that no call of the list could do anything with.
static int call_number(long number)
{
    errno = 0;
    return syscall(number, -1, -1, -1, -1, -1, -1) == -1 ? errno : 254;
}

static void every_call_of_the_list_is_refused(void **state)
{
    (void)state;
    size_t n = 0;
    for (; syscall_filter_names[n] != NULL; n++) {
        const char *name = syscall_filter_names[n];
        if (n > 0)
            assert_true(strcmp(syscall_filter_names[n - 1], name) < 0);
        int number = seccomp_syscall_resolve_name(name);
        assert_int_not_equal(number, __NR_SCMP_ERROR);
        if (number < 0)
            continue; // not on this processor
        int got = filtered(call_number, number);
        if (got != EPERM)
            fail_msg("%s: expected EPERM, got %d", name, got);
    }
    assert_true(n >= 40);
}

static int new_user_namespace(long number)
{
    (void)number;
    errno = 0;
    long pid = syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, 0, 0, 0, 0);
    if (pid == 0)
        _exit(0);
    return pid == -1 ? errno : 254;
}

static void user_namespaces_cannot_be_made(void **state)
{
    (void)state;
    assert_int_equal(filtered(new_user_namespace, 0), EPERM);
    assert_int_equal(filtered(call_number, SYS_clone3), ENOSYS); // libraries then use clone
}

static int ordinary_work(long number)
{
    (void)number;
    int fds[2];
    char byte = 0;
    if (pipe(fds) != 0)
        return 1;
    pid_t pid = fork();
    if (pid == 0)
        _exit(write(fds[1], "x", 1) == 1 ? 0 : 1);
    int status;
    if (pid < 0 || waitpid(pid, &status, 0) != pid || status != 0)
        return 2;
    if (read(fds[0], &byte, 1) != 1 || byte != 'x')
        return 3;
    if (socket(AF_UNIX, SOCK_STREAM, 0) < 0)
        return 4;
    char name[] = "true";
    char *const arguments[] = {name, NULL}, *const environment[] = {NULL};
    (void)execve("/bin/true", arguments, environment);
    return 5;
}

static void ordinary_work_goes_on(void **state)
{
    (void)state;
    assert_int_equal(filtered(ordinary_work, 0), 0);
}

#ifdef __x86_64__
#define X32 0x40000000

static int x32_getpid(long number)
{
    (void)number;
    (void)syscall(X32 | SYS_getpid);
    return 0;
}

// The same calls have other numbers there: nobody gets round the list.
static void calls_by_the_other_numbers_of_the_processor_end_the_process(void **state)
{
    (void)state;
    assert_int_equal(filtered(x32_getpid, 0), 1000 + SIGSYS);
}
#endif

static void nothing_is_installed_from_what_is_no_filter(void **state)
{
    (void)state;
    static const uint8_t much[8 * 70000];
    assert_false(syscall_filter_install(BYTES_LIT("")));
    assert_false(syscall_filter_install(BYTES_LIT("7 bytes")));
    assert_false(syscall_filter_install(BYTES_OF(much)));
}

// What is documented is what is done.
static void the_documented_list_is_the_list(void **state)
{
    (void)state;
    BUF_AUTO page = {0}, list = {0};
    assert_ok(file_read(SOURCE_ROOT "/docs/nitro.md", 1 << 20, &page));
    for (size_t i = 0; syscall_filter_names[i] != NULL; i++)
        assert_ok(buf_printf(&list, "%s%s", i == 0 ? "" : " ", syscall_filter_names[i]));
    // Line breaks of the page are spaces.
    for (size_t i = 0; i < page.n; i++)
        page.p[i] = page.p[i] == '\n' ? ' ' : page.p[i];
    if (memmem(page.p, page.n, list.p, list.n) == NULL)
        fail_msg("docs/nitro.md: expected the list %s", buf_text(&list));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_call_of_the_list_is_refused),
        cmocka_unit_test(user_namespaces_cannot_be_made),
        cmocka_unit_test(ordinary_work_goes_on),
#ifdef __x86_64__
        cmocka_unit_test(calls_by_the_other_numbers_of_the_processor_end_the_process),
#endif
        cmocka_unit_test(nothing_is_installed_from_what_is_no_filter),
        cmocka_unit_test(the_documented_list_is_the_list),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
