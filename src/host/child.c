// A program run as a child, on the event loop (see child.h). Its end is seen through a pidfd and not by
// the end of its output, for what it started may hold on to that.
#include "host/child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

#define READ_SIZE 4096
#define READS_PER_TURN 16
#define READS_AT_THE_END 512

struct stream {
    struct child *child;
    int fd;
    struct watch *watch;
    struct buf text;
    bool lines; // handed out as they come
};

struct child {
    struct loop *loop;
    struct child_options options;
    pid_t pid; // 0: not started, or waited for
    int pidfd;
    struct watch *end;
    struct timer *deadline;
    struct stream out, err;
    enum child_fate fate;
};

static void stream_close(struct stream *s)
{
    watch_end(&s->watch);
    if (s->fd >= 0)
        (void)close(s->fd);
    s->fd = -1;
}

static void kill_group(const struct child *c, int signal)
{
    if (c->pid > 0)
        (void)kill(-c->pid, signal);
}

static void give_up(struct child *c, enum child_fate why)
{
    if (c->fate == CHILD_EXITED)
        c->fate = why;
    kill_group(c, SIGKILL);
}

// Hands out whole lines, and pieces of one that grew too long; keeps the rest.
static void hand_out(struct stream *s, bool all)
{
    const struct child *c = s->child;
    size_t at = 0;
    while (at < s->text.n) {
        struct bytes rest = {s->text.p + at, s->text.n - at};
        const uint8_t *stop = memchr(rest.p, '\n', rest.n);
        size_t n = stop != NULL ? (size_t)(stop - rest.p) : rest.n;
        if (stop == NULL && n < CHILD_LINE_MAX && !all)
            break;
        bool cut = n > CHILD_LINE_MAX;
        n = cut ? CHILD_LINE_MAX : n;
        struct bytes line = {rest.p, n};
        at += n + (stop != NULL && !cut ? 1 : 0);
        if (line.n > 0 && line.p[line.n - 1] == '\r')
            line.n--;
        c->options.line(c->options.context, line);
    }
    size_t left = s->text.n - at;
    if (at > 0 && left > 0)
        memmove(s->text.p, s->text.p + at, left);
    s->text.n = left;
}

static void take(struct stream *s, struct bytes got)
{
    struct child *c = s->child;
    bool is_err = s == &c->err;
    if (is_err && got.n > CHILD_ERROR_MAX - s->text.n)
        got.n = CHILD_ERROR_MAX - s->text.n; // its beginning says why
    if (buf_append(&s->text, got) != Q_OK)
        give_up(c, CHILD_TOO_MUCH);
    else if (s->lines)
        hand_out(s, false);
}

// False: there is no more, now or ever.
static bool read_once(struct stream *s)
{
    uint8_t room[READ_SIZE];
    ssize_t n = s->fd < 0 ? 0 : read(s->fd, room, sizeof room);
    if (n > 0)
        take(s, bytes_of(room, (size_t)n));
    else if (n == 0 || (errno != EAGAIN && errno != EINTR))
        stream_close(s);
    return n > 0;
}

static void readable(void *context, unsigned events)
{
    (void)events;
    for (int i = 0; i < READS_PER_TURN && read_once(context); i++)
        continue;
}

static void drain(struct stream *s)
{
    for (int i = 0; i < READS_AT_THE_END && read_once(s); i++)
        continue;
    if (s->lines)
        hand_out(s, true);
    stream_close(s);
}

static void ended(void *context, unsigned events)
{
    struct child *c = context;
    siginfo_t info = {0};
    (void)events;
    if (waitid(P_PIDFD, (id_t)c->pidfd, &info, WEXITED | WNOHANG) != 0 || info.si_pid == 0)
        return;
    // From here on the number may be another process's.
    c->pid = 0;
    watch_end(&c->end);
    timer_cancel(c->deadline);
    drain(&c->out);
    drain(&c->err);
    if (c->fate == CHILD_EXITED && info.si_code != CLD_EXITED)
        c->fate = CHILD_KILLED;
    struct child_result r = {.fate = c->fate,
                             .code = info.si_status,
                             .out = buf_bytes(&c->out.text),
                             .err = buf_bytes(&c->err.text)};
    c->options.ended(c->options.context, &r);
}

static void too_slow(void *context)
{
    give_up(context, CHILD_TOO_SLOW);
}

// The child's end of the pipe goes to *theirs.
static enum q_err stream_open(struct stream *s, int *theirs)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0)
        return fail_os(errno, "pipe");
    s->fd = ends[0];
    *theirs = ends[1];
    if (fcntl(s->fd, F_SETFL, O_NONBLOCK) != 0)
        return fail_os(errno, "pipe");
    return loop_watch(s->child->loop, s->fd, LOOP_READ, readable, s, &s->watch);
}

// No signal of ours blocked or ignored; a group of its own, so that a terminal's ^C does not reach it.
static int set_attributes(posix_spawnattr_t *a)
{
    sigset_t none, defaults;
    (void)sigemptyset(&none);
    (void)sigemptyset(&defaults);
    (void)sigaddset(&defaults, SIGPIPE);
    int why = posix_spawnattr_setsigmask(a, &none);
    if (why == 0)
        why = posix_spawnattr_setsigdefault(a, &defaults);
    if (why == 0)
        why = posix_spawnattr_setpgroup(a, 0);
    short flags = POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP;
    return why != 0 ? why : posix_spawnattr_setflags(a, flags);
}

static int set_files(posix_spawn_file_actions_t *f, int out, int err)
{
    int why = posix_spawn_file_actions_addopen(f, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    if (why == 0)
        why = posix_spawn_file_actions_adddup2(f, out, STDOUT_FILENO);
    return why != 0 ? why : posix_spawn_file_actions_adddup2(f, err, STDERR_FILENO);
}

static int spawn(const char *const *argv, int out, int err, pid_t *pid)
{
    posix_spawnattr_t a;
    posix_spawn_file_actions_t f;
    int why = posix_spawnattr_init(&a);
    if (why != 0)
        return why;
    why = posix_spawn_file_actions_init(&f);
    if (why == 0) {
        why = set_attributes(&a);
        if (why == 0)
            why = set_files(&f, out, err);
        if (why == 0)
            why = posix_spawnp(pid, argv[0], &f, &a, (char *const *)(uintptr_t)argv, environ);
        (void)posix_spawn_file_actions_destroy(&f);
    }
    (void)posix_spawnattr_destroy(&a);
    return why;
}

static enum q_err start_program(struct child *c)
{
    int out = -1, err = -1;
    enum q_err result = stream_open(&c->out, &out);
    if (result == Q_OK)
        result = stream_open(&c->err, &err);
    int why = result == Q_OK ? spawn(c->options.argv, out, err, &c->pid) : 0;
    if (out >= 0)
        (void)close(out);
    if (err >= 0)
        (void)close(err);
    TRY(result);
    if (why != 0) {
        c->pid = 0;
        return fail_os(why, "%s: cannot be started", c->options.argv[0]);
    }
    c->pidfd = pidfd_open(c->pid, 0);
    if (c->pidfd < 0)
        return fail_os(errno, "%s: pidfd_open", c->options.argv[0]);
    return loop_watch(c->loop, c->pidfd, LOOP_READ, ended, c, &c->end);
}

static enum q_err start(struct child *c)
{
    TRY(loop_timer(c->loop, too_slow, c, &c->deadline));
    TRY(start_program(c));
    if (c->options.deadline_ms > 0)
        timer_set(c->deadline, loop_now_ms(c->loop) + c->options.deadline_ms);
    return Q_OK;
}

enum q_err child_start(struct loop *l, const struct child_options *o, struct child **out)
{
    struct child *c = calloc(1, sizeof *c);
    if (c == NULL)
        return fail(Q_NOMEM, "child: no memory");
    *c = (struct child){.loop = l, .options = *o, .pidfd = -1};
    c->out = (struct stream){.child = c, .fd = -1, .lines = o->line != NULL};
    c->out.text.limit = CHILD_OUTPUT_MAX;
    c->err = (struct stream){.child = c, .fd = -1};
    enum q_err result = start(c);
    if (result == Q_OK)
        *out = c;
    else
        child_free(&c);
    return result;
}

void child_signal(const struct child *c, int signal)
{
    kill_group(c, signal);
}

void child_free(struct child **child)
{
    struct child *c = *child;
    if (c == NULL)
        return;
    watch_end(&c->end);
    timer_end(&c->deadline);
    kill_group(c, SIGKILL);
    // Not waited for: one that hangs in the kernel must not hang this program too.
    if (c->pid > 0)
        (void)waitpid(c->pid, NULL, WNOHANG);
    if (c->pidfd >= 0)
        (void)close(c->pidfd);
    stream_close(&c->out);
    stream_close(&c->err);
    buf_free(&c->out.text);
    buf_free(&c->err.text);
    free(c);
    *child = NULL;
}

enum q_err child_verdict(const char *what, const struct child_result *r)
{
    switch (r->fate) {
    case CHILD_KILLED:
        return fail(Q_TEE, "%s: expected it to exit, found it ended by signal %d", what, r->code);
    case CHILD_TOO_SLOW:
        return fail(Q_TIMEOUT, "%s: expected an end within its time, found it running: killed",
                    what);
    case CHILD_TOO_MUCH:
        return fail(Q_LIMIT, "%s: expected at most %zu bytes of output, found more: killed", what,
                    CHILD_OUTPUT_MAX);
    case CHILD_EXITED:
    default:
        break;
    }
    if (r->code == 0)
        return Q_OK;
    return fail(Q_TEE, "%s: expected exit status 0, found %d", what, r->code);
}
