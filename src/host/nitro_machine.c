// The enclave as nitro-cli runs it: run-enclave, describe-enclaves, console, terminate-enclave (see
// enclave_machine.h).
#include "host/child.h"
#include "host/enclave_machine.h"
#include "host/nitro_cli.h"

#include <stdio.h>
#include <stdlib.h>

#define RUN_MS 180000 // a large image on a small machine
#define NUMBER_SIZE 11

struct nitro {
    struct loop *loop;
    const struct launcher_settings *settings;
    struct machine_events events;
    struct child *job; // run-enclave, then terminate-enclave
    struct child *asking, *console;
    char id[ENCLAVE_ID_SIZE];
};

// A failure says what nitro-cli said, the sentence first.
static enum q_err verdict(const char *command, const struct child_result *r)
{
    char sentence[Q_ERR_TEXT_SIZE];
    BUF_AUTO said = {0};
    enum q_err result = child_verdict(command, r);
    if (result == Q_OK)
        return Q_OK;
    (void)snprintf(sentence, sizeof sentence, "%s", err_text());
    TRY(nitro_error_text(r->err.n > 0 ? r->err : r->out, &said));
    const char *text = buf_text(&said);
    return fail(result, "%s: %s", sentence, text == NULL ? "" : text);
}

static void console_ended(void *context, const struct child_result *r)
{
    struct nitro *n = context;
    if (verdict("nitro-cli console", r) != Q_OK)
        log_warn("the enclave's console is lost: %s", err_text());
    else
        log_info("the enclave's console has ended");
    child_free(&n->console);
}

static void console_line(void *context, struct bytes line)
{
    const struct nitro *n = context;
    n->events.console(n->events.context, line);
}

static void open_console(struct nitro *n)
{
    const char *const argv[] = {n->settings->nitro_cli, "console", "--enclave-id", n->id, NULL};
    const struct child_options o = {
        .argv = argv, .line = console_line, .ended = console_ended, .context = n};
    if (child_start(n->loop, &o, &n->console) != Q_OK)
        log_warn("the enclave's console cannot be read: %s", err_text());
}

static enum q_err take_started(struct nitro *n, const struct child_result *r)
{
    TRY(verdict("nitro-cli run-enclave", r));
    return nitro_read_started(r->out, n->id);
}

static void run_ended(void *context, const struct child_result *r)
{
    struct nitro *n = context;
    enum q_err result = take_started(n, r);
    child_free(&n->job);
    if (result != Q_OK) {
        n->events.failed(n->events.context);
        return;
    }
    log_info("enclave %s, name %s, CID %u: started", n->id, n->settings->name, n->settings->cid);
    if (n->settings->logs)
        open_console(n);
    n->events.started(n->events.context);
}

static enum q_err run_enclave(struct nitro *n)
{
    const struct launcher_settings *s = n->settings;
    char cid[NUMBER_SIZE], memory[NUMBER_SIZE], cpus[NUMBER_SIZE];
    (void)snprintf(cid, sizeof cid, "%u", s->cid);
    (void)snprintf(memory, sizeof memory, "%u", s->memory_mib);
    (void)snprintf(cpus, sizeof cpus, "%u", s->cpu_count);
    const char *const argv[] = {s->nitro_cli,
                                "run-enclave",
                                "--eif-path",
                                s->eif_path,
                                "--enclave-cid",
                                cid,
                                "--memory",
                                memory,
                                "--cpu-count",
                                cpus,
                                "--enclave-name",
                                s->name,
                                s->debug ? "--debug-mode" : NULL,
                                NULL};
    const struct child_options o = {
        .argv = argv, .deadline_ms = RUN_MS, .ended = run_ended, .context = n};
    return child_start(n->loop, &o, &n->job);
}

static void free_nitro(void *machine)
{
    struct nitro *n = machine;
    child_free(&n->job);
    child_free(&n->asking);
    child_free(&n->console);
    free(n);
}

static enum q_err start(struct loop *l, const struct launcher_settings *s,
                        const struct machine_events *events, void **machine)
{
    struct nitro *n = calloc(1, sizeof *n);
    if (n == NULL)
        return fail(Q_NOMEM, "enclave: no memory");
    *n = (struct nitro){.loop = l, .settings = s, .events = *events};
    enum q_err result = run_enclave(n);
    if (result == Q_OK)
        *machine = n;
    else
        free_nitro(n);
    return result;
}

static enum q_err take_described(const struct nitro *n, const struct child_result *r, bool *running)
{
    *running = false;
    TRY(verdict("nitro-cli describe-enclaves", r));
    return nitro_read_running(r->out, n->id, running);
}

static void ask_ended(void *context, const struct child_result *r)
{
    struct nitro *n = context;
    bool running;
    if (take_described(n, r, &running) != Q_OK)
        log_warn("whether the enclave runs is unknown: %s", err_text());
    child_free(&n->asking);
    n->events.running(n->events.context, running);
}

static enum q_err ask(void *machine)
{
    struct nitro *n = machine;
    const char *const argv[] = {n->settings->nitro_cli, "describe-enclaves", NULL};
    const struct child_options o = {
        .argv = argv, .deadline_ms = n->settings->ask_ms, .ended = ask_ended, .context = n};
    return child_start(n->loop, &o, &n->asking);
}

static void stop_ended(void *context, const struct child_result *r)
{
    struct nitro *n = context;
    if (verdict("nitro-cli terminate-enclave", r) != Q_OK)
        log_error("%s", err_text());
    else
        log_info("enclave %s: terminated", n->id);
    child_free(&n->job);
    n->events.stopped(n->events.context);
}

static enum q_err stop(void *machine)
{
    struct nitro *n = machine;
    const char *const argv[] = {n->settings->nitro_cli, "terminate-enclave", "--enclave-id", n->id,
                                NULL};
    const struct child_options o = {
        .argv = argv, .ended = stop_ended, .context = n}; // whoever asked has a deadline
    return child_start(n->loop, &o, &n->job);
}

const struct machine_type machine_nitro = {start, ask, stop, free_nitro};
