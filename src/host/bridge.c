// qos_bridge from its options to its end (see bridge.h): polls, opens and closes listeners, signals.
#include "host/bridge.h"

#include "base/log.h"
#include "base/version.h"
#include "codec/json.h"
#include "host/bridge_egress.h"
#include "host/bridge_plan.h"
#include "host/http_get.h"
#include "net/relay_listener.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#define VERSION_TEXT "version: 0.13.0\nquorate " QUORATE_VERSION " (" QUORATE_GIT ")\n"
#define RUNNING_TEXT "qos_bridge: bridge running, press ctrl+c to quit\n"

#define CONNECTIONS_MAX 4096 // of all listeners together
#define CONNECT_MS 5000      // to the enclave
#define IDLE_MS 3600000      // of a connection without a byte in either direction
#define POLL_TIMEOUT_MS 1000

// One address that is served, or will be once it is free.
struct served {
    bool used, warned;
    struct bridge_entry entry;
    char path[ADDRESS_PATH_SIZE];
    struct relay_listener *listener; // NULL: not open
};

struct ingress {
    struct bridge_options options;
    struct loop *loop;
    struct http_get *poll;
    struct timer *next;
    struct relay_room room;
    struct bridge_plan plan; // the one that is served
    struct served served[BRIDGES_MAX];
    struct bridge_egress egress;
    bool announced; // that it runs
    bool failing;   // the last poll
    bool waiting;   // there was no manifest, and the log says so
};

static struct address listen_address(const struct bridge_entry *e)
{
    return (struct address){.kind = ADDRESS_TCP, .ip = e->ip, .port = e->listen_port};
}

static enum q_err open_one(struct ingress *b, struct served *s)
{
    struct relay_listener_options o = {.listen = listen_address(&s->entry),
                                       .room = &b->room,
                                       .connect_ms = CONNECT_MS,
                                       .idle_ms = IDLE_MS};
    TRY(address_of_bridge(&b->options.enclave, s->entry.port, s->path, &o.connect));
    return relay_listener_start(b->loop, &o, &s->listener);
}

static void say_served(const struct served *s, const char *what)
{
    BUF_AUTO where = {0};
    struct address a = listen_address(&s->entry);
    if (address_display(&a, &where) == Q_OK && buf_text(&where) != NULL)
        log_info("port %u: %s %s", s->entry.port, what, (const char *)where.p);
}

// What cannot be opened is said once, and tried again at the next poll.
static void try_open(struct ingress *b, struct served *s)
{
    if (!s->used || s->listener != NULL)
        return;
    if (open_one(b, s) == Q_OK) {
        s->warned = false;
        say_served(s, "listening on");
        return;
    }
    if (!s->warned)
        log_error("port %u: cannot be served, trying again: %s", s->entry.port, err_text());
    s->warned = true;
}

static bool same_entry(const struct bridge_entry *a, const struct bridge_entry *b)
{
    return a->ip == b->ip && a->port == b->port && a->listen_port == b->listen_port;
}

static bool planned(const struct bridge_plan *p, const struct bridge_entry *e)
{
    for (size_t i = 0; i < p->n; i++) {
        if (same_entry(&p->entries[i], e))
            return true;
    }
    return false;
}

static bool is_served(const struct ingress *b, const struct bridge_entry *e)
{
    for (size_t i = 0; i < BRIDGES_MAX; i++) {
        if (b->served[i].used && same_entry(&b->served[i].entry, e))
            return true;
    }
    return false;
}

// Its connections end with it: they belonged to an application that is no more.
static void close_one(struct served *s)
{
    say_served(s, "no longer served on");
    relay_listener_stop(&s->listener);
    *s = (struct served){0};
}

static struct served *free_place(struct ingress *b)
{
    struct served *s = b->served;
    while (s->used) // a plan has at most as many entries as there are places
        s++;
    return s;
}

static void log_notes(const struct bridge_plan *p)
{
    const char *line = (const char *)buf_bytes(&p->notes).p, *end = line + p->notes.n;
    while (line < end) {
        const char *stop = memchr(line, '\n', (size_t)(end - line));
        log_warn("%.*s", (int)((stop != NULL ? stop : end) - line), line);
        line = stop != NULL ? stop + 1 : end;
    }
}

// Takes the plan over.
static void change_plan(struct ingress *b, struct bridge_plan *next)
{
    log_notes(next);
    for (size_t i = 0; i < BRIDGES_MAX; i++) {
        if (b->served[i].used && !planned(next, &b->served[i].entry))
            close_one(&b->served[i]);
    }
    for (size_t i = 0; i < next->n; i++) {
        if (!is_served(b, &next->entries[i]))
            *free_place(b) = (struct served){.used = true, .entry = next->entries[i]};
    }
    if (!bridge_plan_same_outgoing(&b->plan, next))
        bridge_egress_close(&b->egress);
    bridge_plan_free(&b->plan);
    b->plan = *next;
    *next = (struct bridge_plan){0};
}

static void announce(struct ingress *b)
{
    if (!b->plan.booted && !b->waiting)
        log_info("%s: no manifest yet, waiting for one", b->options.url);
    b->waiting = !b->plan.booted;
    if (b->announced || !b->plan.booted)
        return;
    b->announced = true;
    if (fputs(RUNNING_TEXT, stdout) < 0 || fflush(stdout) != 0)
        log_warn("standard output: %s", strerror(errno));
}

static enum q_err take_info(struct ingress *b, enum q_err result, struct bytes body)
{
    TRY(result);
    BRIDGE_PLAN_AUTO next = {0};
    TRY(bridge_plan_read(body, b->options.port_override, &next));
    if (!bridge_plan_equal(&next, &b->plan))
        change_plan(b, &next);
    for (size_t i = 0; i < BRIDGES_MAX; i++)
        try_open(b, &b->served[i]);
    bridge_egress_try_open(&b->egress, b->loop, &b->options, &b->plan.outgoing);
    announce(b);
    return Q_OK;
}

// A host that does not answer, or not with sense, changes nothing about what is served.
static void info_came(void *context, enum q_err result, struct bytes body)
{
    struct ingress *b = context;
    bool failed = take_info(b, result, body) != Q_OK;
    if (failed && !b->failing)
        log_warn("%s; trying again every %u ms", err_text(), b->options.poll_ms);
    if (!failed && b->failing)
        log_info("%s: answers again", b->options.url);
    b->failing = failed;
    timer_set(b->next, loop_now_ms(b->loop) + b->options.poll_ms);
}

static void poll_due(void *context)
{
    struct ingress *b = context;
    if (http_get_start(b->poll) != Q_OK)
        info_came(b, Q_INTERNAL, bytes_of("", 0));
}

static void told_to_stop(void *context, int signal)
{
    struct ingress *b = context;
    unsigned open = 0;
    for (size_t i = 0; i < BRIDGES_MAX; i++)
        open +=
            b->served[i].listener == NULL ? 0 : relay_listener_connections(b->served[i].listener);
    log_info("%s: stopping, %u connections are cut", signal == SIGINT ? "SIGINT" : "SIGTERM", open);
    loop_stop(b->loop);
}

static enum q_err serve(struct ingress *b)
{
    const struct http_get_options get = {.url = b->options.url,
                                         .timeout_ms = POLL_TIMEOUT_MS,
                                         .body_limit = ENCLAVE_INFO_LIMIT,
                                         .came = info_came,
                                         .context = b};
    TRY(json_start());
    TRY(loop_new(&b->loop));
    b->room = relay_room_of(CONNECTIONS_MAX);
    TRY(http_get_new(b->loop, &get, &b->poll));
    TRY(loop_timer(b->loop, poll_due, b, &b->next));
    TRY(loop_signal(b->loop, SIGTERM, told_to_stop, b));
    TRY(loop_signal(b->loop, SIGINT, told_to_stop, b));
    timer_set(b->next, loop_now_ms(b->loop));
    return loop_run(b->loop);
}

static void end(struct ingress *b)
{
    for (size_t i = 0; i < BRIDGES_MAX; i++)
        relay_listener_stop(&b->served[i].listener);
    bridge_egress_close(&b->egress);
    http_get_free(&b->poll);
    timer_end(&b->next);
    bridge_plan_free(&b->plan);
    loop_free(&b->loop);
}

static enum q_err print_help(void)
{
    BUF_AUTO text = {0};
    TRY(bridge_options_help(&text));
    (void)fwrite(text.p, 1, text.n, stdout);
    return Q_OK;
}

static enum q_err print_start(const struct bridge_options *o)
{
    if (o->enclave.kind == ADDRESS_VSOCK &&
        printf("Configuring vsock with %s.\n",
               o->enclave.to_host ? "VMADDR_FLAG_TO_HOST" : "VMADDR_NO_FLAGS") < 0)
        return fail_os(errno, "standard output");
    return Q_OK;
}

enum q_err bridge_run(int words_count, char *const *words)
{
    struct ingress b = {0};
    TRY(bridge_options_parse(words_count, words, &b.options));
    if (b.options.help)
        return print_help();
    if (b.options.version) {
        (void)fputs(VERSION_TEXT, stdout);
        return Q_OK;
    }
    TRY(print_start(&b.options));
    (void)signal(SIGPIPE, SIG_IGN);
    enum q_err result = serve(&b);
    end(&b);
    return result;
}
