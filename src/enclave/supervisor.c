// The application's life (see supervisor.h).
#include "enclave/supervisor.h"

#include "base/clock.h"
#include "base/log.h"
#include "enclave/bridges.h"
#include "enclave/egress.h"
#include "enclave/launch.h"
#include "enclave/console.h"
#include "enclave/syscall_filter.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>

struct supervisor {
    struct loop *loop;
    struct timer *restart, *kill;
    struct console *out, *err;
    struct bridges *bridges;
    struct egress *egress;
    struct application application;
    struct buf filter;
    bool unfiltered_debug;
    pid_t pid; // of the running application, 0: none
    int64_t started_ms, delay_ms;
    bool stopping;
    void (*stopped)(void *context);
    void *stopped_context;
    void (*ended)(void *context);
    void *ended_context;
};

static void schedule_restart(struct supervisor *s)
{
    if (clock_monotonic_ms() - s->started_ms >= RESTART_PROVEN_MS)
        s->delay_ms = RESTART_FIRST_MS;
    log_info("application: restarts in %lld ms", (long long)s->delay_ms);
    timer_set(s->restart, clock_monotonic_ms() + s->delay_ms);
    s->delay_ms = s->delay_ms * 2 < RESTART_LONGEST_MS ? s->delay_ms * 2 : RESTART_LONGEST_MS;
}

static void show_output(struct supervisor *s, const struct launched *l)
{
    console_free(&s->out);
    console_free(&s->err);
    if (l->out >= 0 && console_new(s->loop, l->out, "PIVOT[OUT]", &s->out) != Q_OK)
        log_error("%s", err_text());
    if (l->err >= 0 && console_new(s->loop, l->err, "PIVOT[ERR]", &s->err) != Q_OK)
        log_error("%s", err_text());
}

// Another start, or the end.
static void go_on(struct supervisor *s)
{
    if (s->application.restart)
        schedule_restart(s);
    else if (s->ended != NULL)
        s->ended(s->ended_context);
}

static void run(struct supervisor *s)
{
    struct launched launched;
    s->started_ms = clock_monotonic_ms();
    if (launch(&s->application, &launched) != Q_OK) {
        log_error("%s", err_text());
        go_on(s);
        return;
    }
    s->pid = launched.pid;
    show_output(s, &launched);
    log_info("application: started as process %d, uid %u", (int)s->pid,
             (unsigned)s->application.uid);
}

static void restart_due(void *context)
{
    struct supervisor *s = context;
    if (!s->stopping)
        run(s);
}

static void signal_group(const struct supervisor *s, int number)
{
    if (s->pid > 0)
        (void)kill(-s->pid, number); // it leads its own session and so its own group
}

static void kill_due(void *context)
{
    signal_group(context, SIGKILL);
}

static void tell_stopped(struct supervisor *s)
{
    void (*stopped)(void *) = s->stopped;
    s->stopped = NULL;
    if (stopped != NULL)
        stopped(s->stopped_context);
}

static void application_ended(struct supervisor *s, int status)
{
    if (WIFSIGNALED(status))
        log_warn("application: ended by signal %d", WTERMSIG(status));
    else
        log_info("application: exited with status %d", WEXITSTATUS(status));
    s->pid = 0;
    console_free(&s->out);
    console_free(&s->err);
    timer_cancel(s->kill);
    if (s->stopping)
        tell_stopped(s);
    else
        go_on(s);
}

// What the application leaves behind in its process group goes before its place is taken again. Called while
// the process is not reaped yet, so that the group's number cannot belong to anybody else.
static void clear_group(const struct supervisor *s)
{
    if (s->stopping || s->application.restart)
        signal_group(s, SIGKILL);
}

// Reaps the application and every orphan that became ours.
static void child_ended(void *context, int number)
{
    (void)number;
    struct supervisor *s = context;
    siginfo_t ended = {0};
    int status;
    while (waitid(P_ALL, 0, &ended, WEXITED | WNOHANG | WNOWAIT) == 0 && ended.si_pid > 0) {
        bool is_application = ended.si_pid == s->pid;
        if (is_application)
            clear_group(s);
        if (waitpid(ended.si_pid, &status, 0) == s->pid && is_application)
            application_ended(s, status);
        ended.si_pid = 0;
    }
}

static enum q_err prepare(struct supervisor *s)
{
    TRY(syscall_filter_build(&s->filter));
    TRY(loop_timer(s->loop, restart_due, s, &s->restart));
    TRY(loop_timer(s->loop, kill_due, s, &s->kill));
    if (prctl(PR_SET_CHILD_SUBREAPER, 1) != 0)
        return fail_os(errno, "application: its orphans cannot be adopted");
    return loop_signal(s->loop, SIGCHLD, child_ended, s);
}

enum q_err supervisor_new(struct loop *l, struct supervisor **out)
{
    struct supervisor *s = calloc(1, sizeof *s);
    if (s == NULL)
        return fail(Q_NOMEM, "supervisor: no memory");
    s->loop = l;
    s->delay_ms = RESTART_FIRST_MS;
    enum q_err err = prepare(s);
    if (err != Q_OK) {
        supervisor_free(&s);
        return err;
    }
    *out = s;
    return Q_OK;
}

void supervisor_bridge(struct supervisor *s, struct bridges *b)
{
    s->bridges = b;
}

void supervisor_egress(struct supervisor *s, struct egress *e)
{
    s->egress = e;
}

void supervisor_unfiltered_debug(struct supervisor *s)
{
    s->unfiltered_debug = true;
}

void supervisor_on_end(struct supervisor *s, void (*ended)(void *context), void *context)
{
    s->ended = ended;
    s->ended_context = context;
}

void supervisor_start(struct supervisor *s, const struct application *a)
{
    s->application = *a;
    if (s->unfiltered_debug && a->debug)
        log_warn("application: its system calls are not filtered");
    else
        s->application.filter = buf_bytes(&s->filter);
    if (s->bridges != NULL)
        bridges_open(s->bridges, a->served, a->served_n);
    if (s->egress != NULL)
        egress_serve(s->egress, &a->outgoing);
    run(s);
}

bool supervisor_running(const struct supervisor *s)
{
    return s->pid > 0;
}

void supervisor_stop(struct supervisor *s, void (*stopped)(void *context), void *context)
{
    bool again = s->stopping;
    s->stopping = true;
    s->stopped = stopped;
    s->stopped_context = context;
    timer_cancel(s->restart);
    if (s->pid == 0) {
        tell_stopped(s);
        return;
    }
    signal_group(s, again ? SIGKILL : SIGTERM);
    timer_set(s->kill, clock_monotonic_ms() + STOP_GRACE_MS);
}

void supervisor_free(struct supervisor **s)
{
    if (*s == NULL)
        return;
    if ((*s)->pid > 0) {
        signal_group(*s, SIGKILL);
        (void)waitpid((*s)->pid, NULL, 0);
    }
    console_free(&(*s)->out);
    console_free(&(*s)->err);
    timer_end(&(*s)->restart);
    timer_end(&(*s)->kill);
    buf_free(&(*s)->filter);
    free(*s);
    *s = NULL;
}
