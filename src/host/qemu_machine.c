// The enclave in QEMU's nitro-enclave machine, for development (see enclave_machine.h; nitro.md 3): beside
// it vhost-device-vsock, whose unix sockets stand for vsock, and an answer to the image's heartbeat.
#include "base/file.h"
#include "host/child.h"
#include "host/enclave_machine.h"
#include "net/listener.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define SOCKET_MS 5000 // until vhost-device-vsock has its socket
#define LOOK_MS 20
#define ARGUMENT_SIZE 512
#define HEARTBEAT 0xB7
#define HEARTBEAT_PORT "9000"

struct qemu {
    struct loop *loop;
    const struct launcher_settings *settings;
    struct machine_events events;
    struct child *vsock, *machine;
    struct listener *heartbeat;
    int heart; // the one connection that is waited on, or -1
    struct watch *beat;
    struct timer *look, *reply;
    int64_t deadline_ms;
    bool stopping, asked;
    char base[ADDRESS_PATH_SIZE], socket[ADDRESS_PATH_SIZE], heart_path[ADDRESS_PATH_SIZE];
};

static void machine_ended(void *context, const struct child_result *r)
{
    struct qemu *q = context;
    if (!q->stopping && child_verdict("qemu", r) != Q_OK)
        log_error("%s: %.*s", err_text(), (int)r->err.n, (const char *)r->err.p);
    child_free(&q->machine);
    if (q->stopping)
        q->events.stopped(q->events.context);
}

static void console_line(void *context, struct bytes line)
{
    const struct qemu *q = context;
    if (q->settings->logs)
        q->events.console(q->events.context, line);
}

static enum q_err start_machine(struct qemu *q)
{
    char chardev[ARGUMENT_SIZE], memory[16], cpus[16];
    const char *const argv[] = {q->settings->qemu,
                                "-L",
                                "/usr/share/seabios",
                                "-L",
                                "/usr/share/qemu",
                                "-M",
                                "nitro-enclave,vsock=c,accel=tcg",
                                "-chardev",
                                chardev,
                                "-kernel",
                                q->settings->eif_path,
                                "-m",
                                memory,
                                "-smp",
                                cpus,
                                "-nographic",
                                "-no-reboot",
                                "-append",
                                "reboot=t",
                                NULL};
    const struct child_options o = {
        .argv = argv, .line = console_line, .ended = machine_ended, .context = q};
    (void)snprintf(chardev, sizeof chardev, "socket,id=c,path=%s", q->socket);
    (void)snprintf(memory, sizeof memory, "%uM", q->settings->memory_mib);
    (void)snprintf(cpus, sizeof cpus, "%u", q->settings->cpu_count);
    return child_start(q->loop, &o, &q->machine);
}

static void vsock_ended(void *context, const struct child_result *r)
{
    struct qemu *q = context;
    bool starting = q->deadline_ms != 0;
    if (child_verdict("vhost-device-vsock", r) == Q_OK)
        (void)fail(Q_TEE, "vhost-device-vsock: expected it to run on, found it ended");
    child_free(&q->vsock);
    timer_cancel(q->look);
    if (starting)
        q->events.failed(q->events.context);
    else if (!q->stopping)
        log_error("%s", err_text());
}

static void look_for_socket(void *context)
{
    struct qemu *q = context;
    if (!file_exists(q->socket) && loop_now_ms(q->loop) < q->deadline_ms) {
        timer_set(q->look, loop_now_ms(q->loop) + LOOK_MS);
        return;
    }
    q->deadline_ms = 0;
    enum q_err result = file_exists(q->socket)
                            ? start_machine(q)
                            : fail(Q_TIMEOUT,
                                   "vhost-device-vsock: expected it to make %s within %d ms, found "
                                   "none",
                                   q->socket, SOCKET_MS);
    if (result == Q_OK)
        q->events.started(q->events.context);
    else
        q->events.failed(q->events.context);
}

static void heart_end(struct qemu *q)
{
    watch_end(&q->beat);
    if (q->heart >= 0)
        (void)close(q->heart);
    q->heart = -1;
}

static void heart_beats(void *context, unsigned events)
{
    struct qemu *q = context;
    uint8_t byte = 0;
    (void)events;
    ssize_t n = recv(q->heart, &byte, 1, 0);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n == 1 && byte == HEARTBEAT && send(q->heart, &byte, 1, MSG_NOSIGNAL) == 1)
        log_info("the image has started");
    heart_end(q);
}

// The newest counts: an older one that says nothing belongs to nobody.
static bool heart_came(void *context, int fd)
{
    struct qemu *q = context;
    heart_end(q);
    q->heart = fd;
    if (loop_watch(q->loop, fd, LOOP_READ, heart_beats, q, &q->beat) != Q_OK)
        heart_end(q);
    return true;
}

static enum q_err name_file(const struct qemu *q, const char *end,
                            char out[static ADDRESS_PATH_SIZE])
{
    int n = snprintf(out, ADDRESS_PATH_SIZE, "%s/%s.%s", q->settings->run_folder, q->settings->name,
                     end);
    if (n < 0 || n >= ADDRESS_PATH_SIZE || strpbrk(out, ",=") != NULL)
        return fail(Q_LIMIT,
                    "--run-folder and ENCLAVE_NAME: expected a path of at most %d bytes without "
                    "commas and equals signs, found %s",
                    ADDRESS_PATH_SIZE - 1, out);
    return Q_OK;
}

// Both programs refuse or misread sockets that an earlier run has left.
static enum q_err make_room(const struct qemu *q)
{
    TRY(file_remove(q->base));
    return file_remove(q->socket);
}

static enum q_err start_vsock(struct qemu *q)
{
    char vm[ARGUMENT_SIZE];
    const char *const argv[] = {q->settings->vsock_device, "--vm", vm, NULL};
    const struct child_options o = {.argv = argv, .ended = vsock_ended, .context = q};
    (void)snprintf(vm, sizeof vm, "guest-cid=%u,socket=%s,uds-path=%s", q->settings->cid, q->socket,
                   q->base);
    TRY(child_start(q->loop, &o, &q->vsock));
    q->deadline_ms = loop_now_ms(q->loop) + SOCKET_MS;
    timer_set(q->look, loop_now_ms(q->loop));
    return Q_OK;
}

static void reply_due(void *context)
{
    struct qemu *q = context;
    if (q->asked) {
        q->asked = false;
        q->events.running(q->events.context, q->machine != NULL);
    }
    if (q->stopping && q->machine == NULL)
        q->events.stopped(q->events.context);
}

static enum q_err start_all(struct qemu *q)
{
    struct listener_options o = {.address = {.kind = ADDRESS_UNIX, .path = q->heart_path},
                                 .accepted = heart_came,
                                 .context = q};
    TRY(name_file(q, "vsock", q->base));
    TRY(name_file(q, "vhost", q->socket));
    TRY(name_file(q, "vsock_" HEARTBEAT_PORT, q->heart_path));
    TRY(make_room(q));
    TRY(loop_timer(q->loop, look_for_socket, q, &q->look));
    TRY(loop_timer(q->loop, reply_due, q, &q->reply));
    TRY(listener_start(q->loop, &o, &q->heartbeat));
    return start_vsock(q);
}

static void free_qemu(void *machine)
{
    struct qemu *q = machine;
    child_free(&q->machine);
    child_free(&q->vsock);
    heart_end(q);
    listener_stop(&q->heartbeat);
    timer_end(&q->look);
    timer_end(&q->reply);
    (void)make_room(q);
    free(q);
}

static enum q_err start(struct loop *l, const struct launcher_settings *s,
                        const struct machine_events *events, void **machine)
{
    struct qemu *q = calloc(1, sizeof *q);
    if (q == NULL)
        return fail(Q_NOMEM, "enclave: no memory");
    *q = (struct qemu){.loop = l, .settings = s, .events = *events, .heart = -1};
    enum q_err result = start_all(q);
    if (result == Q_OK)
        *machine = q;
    else
        free_qemu(q);
    return result;
}

static enum q_err ask(void *machine)
{
    struct qemu *q = machine;
    q->asked = true;
    timer_set(q->reply, loop_now_ms(q->loop));
    return Q_OK;
}

static enum q_err stop(void *machine)
{
    struct qemu *q = machine;
    q->stopping = true;
    if (q->machine != NULL)
        child_signal(q->machine, SIGTERM);
    else
        timer_set(q->reply, loop_now_ms(q->loop));
    return Q_OK;
}

const struct machine_type machine_qemu = {start, ask, stop, free_qemu};
