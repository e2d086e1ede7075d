// qos_enclave from its settings to its end (see launcher.h): one enclave, the health service, signals.
#include "host/launcher.h"

#include "base/bytes.h"
#include "base/file.h"
#include "base/version.h"
#include "codec/json.h"
#include "host/enclave_machine.h"
#include "host/health.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define VERSION_TEXT "version: 0.13.0\nquorate " QUORATE_VERSION " (" QUORATE_GIT ")\n"

// However often it is asked, it looks no more often than this.
#define FRESH_MS 500
#define EIF_MAGIC ".eif"

enum stage { STARTING, UP, STOPPING };

struct launcher {
    struct launcher_settings settings;
    struct loop *loop;
    struct health *health;
    struct timer *stop_due;
    const struct machine_type *type;
    void *machine;
    enum stage stage;
    bool is_up; // as far as is known: run-enclave has said so
    bool asking, known, running;
    int64_t asked_ms;
    uint64_t lines_dropped;
    enum q_err result;
    char why[Q_ERR_TEXT_SIZE];
};

static void end_with_error(struct launcher *l, enum q_err result)
{
    l->result = result;
    (void)snprintf(l->why, sizeof l->why, "%s", err_text());
    loop_stop(l->loop);
}

// Only what changes is said: health may be asked many times a minute.
static void running_known(struct launcher *l, bool running)
{
    if (!l->known || l->running != running)
        log_line(running ? LOG_INFO : LOG_ERROR, "the enclave %s",
                 running ? "is running" : "is not running: restart qos_enclave to start it again");
    l->known = true;
    l->running = running;
    health_answer(l->health, running);
}

static void running_told(void *context, bool running)
{
    struct launcher *l = context;
    l->asking = false;
    l->asked_ms = loop_now_ms(l->loop);
    running_known(l, running);
}

static void health_asked(void *context)
{
    struct launcher *l = context;
    if (l->asking)
        return;
    if (l->stage != UP) {
        health_answer(l->health, false);
    } else if (l->known && loop_now_ms(l->loop) - l->asked_ms < FRESH_MS) {
        health_answer(l->health, l->running);
    } else if (l->type->ask(l->machine) == Q_OK) {
        l->asking = true;
    } else {
        log_warn("whether the enclave runs is unknown: %s", err_text());
        running_known(l, false);
    }
}

static void machine_stopped(void *context)
{
    const struct launcher *l = context;
    loop_stop(l->loop);
}

static void stop_machine(struct launcher *l)
{
    if (l->type->stop(l->machine) == Q_OK)
        return;
    log_error("the enclave cannot be terminated: %s", err_text());
    loop_stop(l->loop);
}

static void machine_started(void *context)
{
    struct launcher *l = context;
    l->is_up = true;
    if (l->stage == STOPPING)
        stop_machine(l);
    else
        l->stage = UP;
}

static void machine_failed(void *context)
{
    struct launcher *l = context;
    if (l->stage != STOPPING) {
        end_with_error(l, Q_TEE);
        return;
    }
    log_warn("%s", err_text()); // it was to end anyway
    loop_stop(l->loop);
}

static void console_line(void *context, struct bytes line)
{
    struct launcher *l = context;
    if (!log_foreign("console", line)) {
        l->lines_dropped++;
        return;
    }
    if (l->lines_dropped > 0)
        log_warn("%llu lines of the console were dropped, for nobody read this log",
                 (unsigned long long)l->lines_dropped);
    l->lines_dropped = 0;
}

static void told_to_stop(void *context, int signal)
{
    struct launcher *l = context;
    if (l->stage == STOPPING)
        return;
    log_info("signal %d: terminating the enclave", signal);
    l->stage = STOPPING;
    timer_set(l->stop_due, loop_now_ms(l->loop) + l->settings.stop_ms);
    if (l->is_up)
        stop_machine(l);
}

static void stop_took_too_long(void *context)
{
    const struct launcher *l = context;
    log_error("the enclave \"%s\" did not end in time and may still run", l->settings.name);
    loop_stop(l->loop);
}

// Early, for later it is nitro-cli that says it, in more words.
static enum q_err check_image(const char *path)
{
    char magic[sizeof EIF_MAGIC - 1] = {0};
    struct stat about;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return fail_os(errno, "EIF_PATH: %s", path);
    bool regular = fstat(fd, &about) == 0 && S_ISREG(about.st_mode);
    ssize_t n = regular ? read(fd, magic, sizeof magic) : 0;
    (void)close(fd);
    if (n != (ssize_t)sizeof magic || memcmp(magic, EIF_MAGIC, sizeof magic) != 0)
        return fail(Q_BAD_INPUT,
                    "EIF_PATH: %s: expected an enclave image, which begins with \"" EIF_MAGIC
                    "\", found %s",
                    path, regular ? "another file" : "no regular file");
    return Q_OK;
}

static enum q_err make_run_folder(const char *path)
{
    if (mkdir(path, 0775) != 0 && errno != EEXIST)
        return fail_os(errno, "%s: cannot be made", path);
    return Q_OK;
}

static void warn_of_debug(const struct launcher_settings *s)
{
    if (s->debug) {
        log_warn("DEBUG=true: PCR0, PCR1 and PCR2 OF THIS ENCLAVE ARE ZERO: its attestation proves "
                 "nothing about what runs in it, and its operator can read its console");
        log_warn("DEBUG=true: members' clients will refuse this enclave (unless told "
                 "--unsafe-allow-debug): never give it a real share");
    }
    if (s->machine == MACHINE_QEMU)
        log_warn("QUORATE_LAUNCHER=qemu: FOR DEVELOPMENT: whoever runs QEMU reads the enclave's "
                 "memory, and nobody signs its attestation");
    if (s->logs && !s->debug)
        log_warn("LOGS=true has no effect: only an enclave with DEBUG=true has a console");
}

static enum q_err start(struct launcher *l)
{
    const struct machine_events events = {machine_started, machine_failed,  running_told,
                                          console_line,    machine_stopped, l};
    const struct launcher_settings *s = &l->settings;
    uint32_t port;
    TRY(loop_timer(l->loop, stop_took_too_long, l, &l->stop_due));
    TRY(loop_signal(l->loop, SIGTERM, told_to_stop, l));
    TRY(loop_signal(l->loop, SIGINT, told_to_stop, l));
    // First, so that a second launcher ends here and not with half an enclave.
    TRY(health_start(l->loop, &s->health, health_asked, l, &l->health));
    TRY(health_port(l->health, &port));
    log_info("health service on port %u", port);
    TRY(check_image(s->eif_path));
    TRY(make_run_folder(s->run_folder));
    warn_of_debug(s);
    l->settings.logs = s->logs && s->debug;
    log_info("starting %s: CID %u, %u MiB, %u CPUs", s->eif_path, s->cid, s->memory_mib,
             s->cpu_count);
    l->type = s->machine == MACHINE_QEMU ? &machine_qemu : &machine_nitro;
    return l->type->start(l->loop, &l->settings, &events, &l->machine);
}

static void release(struct launcher *l)
{
    if (l->machine != NULL)
        l->type->free(l->machine);
    health_stop(&l->health);
    timer_end(&l->stop_due);
    loop_free(&l->loop);
}

static enum q_err serve(struct launcher *l)
{
    TRY(json_start());
    TRY(loop_new(&l->loop));
    enum q_err result = start(l);
    if (result == Q_OK)
        result = loop_run(l->loop);
    release(l);
    TRY(result);
    return l->result == Q_OK ? Q_OK : fail(l->result, "%s", l->why);
}

static enum q_err print(const char *text)
{
    if (text == NULL)
        return fail(Q_NOMEM, "no memory");
    if (fputs(text, stdout) < 0 || fflush(stdout) != 0)
        return fail_os(errno, "standard output");
    return Q_OK;
}

enum q_err launcher_run(int words_count, char *const *words)
{
    struct launcher l = {0};
    BUF_AUTO help = {0};
    TRY(launcher_settings_read(words_count, words, getenv, &l.settings));
    if (l.settings.version)
        return print(VERSION_TEXT);
    if (l.settings.help) {
        TRY(launcher_settings_help(&help));
        return print(buf_text(&help));
    }
    log_start_json("qos_enclave", l.settings.log_level);
    return serve(&l);
}
