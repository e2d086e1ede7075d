// qos_net: the explicit TCP proxy of older set-ups as a program of its own (qos-behaviour 4.3). It knows no
// manifest, so it serves every request; qos_bridge is the one that enforces.
#include "base/arena.h"
#include "base/log.h"
#include "base/text.h"
#include "base/version.h"
#include "host/egress_host.h"
#include "net/relay_listener.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define VERSION_TEXT "version: 0.13.0\nquorate " QUORATE_VERSION " (" QUORATE_GIT ")\n"

static const struct option table[] = {
    {.name = "cid",
     .kind = OPTION_VALUE,
     .requires_ = "port",
     .forbids = "usock",
     .help = "vsock context id to listen on"},
    {.name = "port",
     .kind = OPTION_VALUE,
     .requires_ = "cid",
     .forbids = "usock",
     .help = "first vsock port to listen on"},
    {.name = "usock",
     .kind = OPTION_VALUE,
     .forbids = "cid,port",
     .help = "first unix socket to listen on"},
    {.name = "pool-size",
     .kind = OPTION_VALUE,
     .fallback = "1",
     .help = "number of consecutive addresses to listen on (port, port + 1; path, path_0, path_1)"},
    {.name = "max-connections",
     .kind = OPTION_VALUE,
     .fallback = "256",
     .help = "connections at a time; one more is told TooManyConnections"},
};
#define COUNT (sizeof table / sizeof *table)

struct program {
    struct loop *loop;
    struct egress_host *proxy;
    struct address addresses[EGRESS_LISTENERS_MAX];
    size_t addresses_n;
    struct arena names;
};

// Where the number at the end of a path begins ("/run/pool_3"); NULL: it has none.
static const char *number_of(const char *path)
{
    const char *at = strrchr(path, '_');
    uint32_t number;
    return at != NULL && text_u32(bytes_str(at + 1), &number) == Q_OK && number < UINT32_MAX
               ? at + 1
               : NULL;
}

static enum q_err next_address(struct arena *names, const struct address *a, struct address *next)
{
    *next = *a;
    if (a->kind != ADDRESS_UNIX) {
        if (a->port == UINT32_MAX)
            return fail(Q_BAD_INPUT, "--pool-size: expected a vsock port after %u", a->port);
        next->port++;
        return Q_OK;
    }
    const char *at = number_of(a->path);
    uint32_t number = 0;
    struct bytes path;
    if (at == NULL) {
        TRY(arena_printf(names, &path, "%s_0%c", a->path, 0));
    } else {
        TRY(text_u32(bytes_str(at), &number));
        TRY(arena_printf(names, &path, "%.*s%u%c", (int)(at - a->path), a->path, number + 1, 0));
    }
    next->path = (const char *)path.p;
    return Q_OK;
}

static enum q_err read_options(const struct options *o, struct program *p,
                               struct egress_host_options *out)
{
    uint32_t pool, most;
    TRY(address_from_options(o, &p->addresses[0]));
    TRY(options_u32(o, "pool-size", 1, EGRESS_LISTENERS_MAX, &pool));
    TRY(options_u32(o, "max-connections", 1, 65536, &most));
    for (size_t i = 1; i < pool; i++)
        TRY(next_address(&p->names, &p->addresses[i - 1], &p->addresses[i]));
    p->addresses_n = pool;
    *out = egress_host_defaults();
    out->addresses = p->addresses;
    out->addresses_n = pool;
    out->connections_max = relay_room_of(most).most;
    if (out->connections_max < most)
        log_warn("--max-connections: %u, for the system lets us open no more files",
                 out->connections_max);
    return Q_OK;
}

static void stop(void *context, int number)
{
    struct program *p = context;
    log_info("signal %d: stopping", number);
    loop_stop(p->loop);
}

static enum q_err say_start(const struct program *p)
{
    BUF_AUTO where = {0};
    for (size_t i = 0; i < p->addresses_n; i++) {
        TRY(buf_append_str(&where, i == 0 ? "" : ", "));
        TRY(address_display(&p->addresses[i], &where));
    }
    if (buf_text(&where) != NULL)
        log_info("listening on %s; every request is served", (const char *)where.p);
    return Q_OK;
}

static enum q_err serve(struct program *p, const struct options *o)
{
    struct egress_host_options options;
    TRY(read_options(o, p, &options));
    TRY(loop_new(&p->loop));
    TRY(egress_host_open(p->loop, &options, &p->proxy));
    TRY(loop_signal(p->loop, SIGINT, stop, p));
    TRY(loop_signal(p->loop, SIGTERM, stop, p));
    TRY(say_start(p));
    return loop_run(p->loop);
}

static enum q_err run(int words_count, char *const *words)
{
    struct options o;
    BUF_AUTO help = {0};
    TRY(options_parse(table, COUNT, words_count, words, &o));
    if (o.help)
        TRY(options_help(table, COUNT, &help));
    if (o.help || o.version) {
        (void)fputs(o.help ? buf_text(&help) : VERSION_TEXT, stdout);
        return Q_OK;
    }
    struct program p = {0};
    enum q_err result = serve(&p, &o);
    egress_host_close(&p.proxy);
    loop_free(&p.loop);
    arena_free(&p.names);
    return result;
}

int main(int argc, char **argv)
{
    log_start("qos_net", LOG_INFO);
    (void)signal(SIGPIPE, SIG_IGN);
    if (run(argc - 1, argv + 1) == Q_OK)
        return EXIT_SUCCESS;
    (void)fprintf(stderr, "qos_net: %s\n", err_text());
    return EXIT_FAILURE;
}
