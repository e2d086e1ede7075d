// fork and exec of the application (see launch.h).
#include "enclave/launch.h"

#include "enclave/syscall_filter.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <linux/close_range.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define APP_OPEN_FILES 65536

enum step {
    STEP_SESSION,
    STEP_SIGNALS,
    STEP_STREAMS,
    STEP_LIMITS,
    STEP_IDENTITY,
    STEP_PRIVILEGES,
    STEP_DESCRIPTORS,
    STEP_FILTER,
    STEP_EXECUTE,
};

static const char *const step_names[] = {
    [STEP_SESSION] = "its own session",
    [STEP_SIGNALS] = "default signals",
    [STEP_STREAMS] = "standard streams",
    [STEP_LIMITS] = "resource limits",
    [STEP_IDENTITY] = "its own uid",
    [STEP_PRIVILEGES] = "no new privileges",
    [STEP_DESCRIPTORS] = "close descriptors",
    [STEP_FILTER] = "its system call filter",
    [STEP_EXECUTE] = "execute",
};

// What the child tells when a step fails; an empty pipe means that the program runs.
struct report {
    enum step step;
    int os_error;
};

struct pipes {
    int report[2], out[2], err[2];
};

static void close_one(int *fd)
{
    if (*fd >= 0)
        (void)close(*fd);
    *fd = -1;
}

static void pipes_close(struct pipes *p)
{
    int *all[] = {&p->report[0], &p->report[1], &p->out[0], &p->out[1], &p->err[0], &p->err[1]};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        close_one(all[i]);
}

static enum q_err pipes_open(bool debug, struct pipes *p)
{
    if (pipe2(p->report, O_CLOEXEC) != 0)
        return fail_os(errno, "application: no pipe");
    if (!debug)
        return Q_OK;
    if (pipe2(p->out, O_CLOEXEC) != 0 || pipe2(p->err, O_CLOEXEC) != 0 ||
        fcntl(p->out[0], F_SETFL, O_NONBLOCK) != 0 || fcntl(p->err[0], F_SETFL, O_NONBLOCK) != 0)
        return fail_os(errno, "application: no pipes for its output");
    return Q_OK;
}

// From here to launch(): runs in the child, between fork and exec; system calls only.

static bool default_signals(void)
{
    for (int number = 1; number < NSIG; number++)
        (void)signal(number, SIG_DFL); // some cannot be set, and need not be
    sigset_t none;
    (void)sigemptyset(&none);
    return sigprocmask(SIG_SETMASK, &none, NULL) == 0;
}

static bool streams(const struct pipes *p)
{
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    int out = p->out[1] >= 0 ? p->out[1] : null, err = p->err[1] >= 0 ? p->err[1] : null;
    return null >= 0 && dup2(null, STDIN_FILENO) >= 0 && dup2(out, STDOUT_FILENO) >= 0 &&
           dup2(err, STDERR_FILENO) >= 0;
}

static bool limits(void)
{
    const struct rlimit no_core = {0, 0};
    struct rlimit files;
    if (setrlimit(RLIMIT_CORE, &no_core) != 0 || getrlimit(RLIMIT_NOFILE, &files) != 0)
        return false;
    if (files.rlim_max > APP_OPEN_FILES)
        files.rlim_max = APP_OPEN_FILES;
    files.rlim_cur = files.rlim_max;
    return setrlimit(RLIMIT_NOFILE, &files) == 0;
}

static bool identity(uid_t uid)
{
    if (uid == geteuid())
        return true;
    return setgroups(0, NULL) == 0 && setresgid(uid, uid, uid) == 0 &&
           setresuid(uid, uid, uid) == 0;
}

// After the change of uid, which would undo the parent-death signal.
static bool privileges(pid_t parent)
{
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 &&
           getppid() == parent;
}

static enum step become(const struct application *a, const struct pipes *p, pid_t parent)
{
    if (setsid() < 0)
        return STEP_SESSION;
    if (!default_signals())
        return STEP_SIGNALS;
    if (!streams(p))
        return STEP_STREAMS;
    if (!limits())
        return STEP_LIMITS;
    if (!identity(a->uid))
        return STEP_IDENTITY;
    if (!privileges(parent))
        return STEP_PRIVILEGES;
    if (close_range(STDERR_FILENO + 1, UINT_MAX, CLOSE_RANGE_CLOEXEC) != 0)
        return STEP_DESCRIPTORS;
    if (a->filter.p != NULL && !syscall_filter_install(a->filter))
        return STEP_FILTER;
    (void)execve(a->path, a->arguments, a->environment);
    return STEP_EXECUTE;
}

_Noreturn static void child(const struct application *a, const struct pipes *p, pid_t parent)
{
    struct report failed = {.step = become(a, p, parent), .os_error = errno};
    ssize_t written = write(p->report[1], &failed, sizeof failed);
    _exit(written == (ssize_t)sizeof failed ? 127 : 126);
}

// Waits until the program is executed or a step has failed.
static enum q_err await_exec(const struct application *a, int report, pid_t pid)
{
    struct report failed;
    ssize_t n;
    do
        n = read(report, &failed, sizeof failed);
    while (n < 0 && errno == EINTR);
    if (n == 0)
        return Q_OK;
    (void)waitpid(pid, NULL, 0);
    if (n != (ssize_t)sizeof failed ||
        (size_t)failed.step >= sizeof step_names / sizeof *step_names)
        return fail(Q_IO, "%s: cannot be started", a->path);
    return fail_os(failed.os_error, "%s: cannot be started: %s", a->path, step_names[failed.step]);
}

static enum q_err start(const struct application *a, struct pipes *p, pid_t *pid)
{
    TRY(pipes_open(a->debug, p));
    pid_t parent = getpid();
    *pid = fork();
    if (*pid < 0)
        return fail_os(errno, "%s: cannot be started: fork", a->path);
    if (*pid == 0)
        child(a, p, parent);
    close_one(&p->report[1]);
    return await_exec(a, p->report[0], *pid);
}

enum q_err launch(const struct application *a, struct launched *out)
{
    struct pipes p = {{-1, -1}, {-1, -1}, {-1, -1}};
    *out = (struct launched){.pid = -1, .out = -1, .err = -1};
    enum q_err err = start(a, &p, &out->pid);
    if (err == Q_OK) {
        out->out = p.out[0];
        out->err = p.err[0];
        p.out[0] = p.err[0] = -1;
    }
    pipes_close(&p);
    return err;
}
