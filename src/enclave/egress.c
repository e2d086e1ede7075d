// The proxy for outgoing connections: its listener, its room, its log (see egress.h).
#include "enclave/egress_client.h"

#include "base/log.h"
#include "base/text.h"
#include "net/listener.h"

#include <stdlib.h>
#include <string.h>

#define CONNECTIONS_MAX 256
#define HANDSHAKE_MS 10000
#define ANSWER_MS 60000 // the host resolves and connects with limits of its own
#define IDLE_MS 600000
#define AGAIN_MS 1000
#define LINES_A_SECOND 5

struct egress_options egress_defaults(void)
{
    return (struct egress_options){.connections_max = CONNECTIONS_MAX,
                                   .handshake_ms = HANDSHAKE_MS,
                                   .answer_ms = ANSWER_MS,
                                   .idle_ms = IDLE_MS};
}

enum q_err egress_listen_parse(const char *text, struct address *out)
{
    char ip[sizeof "127.255.255.255"];
    const char *colon = strrchr(text, ':');
    *out = (struct address){.kind = ADDRESS_TCP};
    if (colon != NULL && (size_t)(colon - text) < sizeof ip) {
        memcpy(ip, text, (size_t)(colon - text));
        ip[colon - text] = '\0';
        if (address_ipv4(ip, &out->ip) == Q_OK && out->ip >> 24 == 127 &&
            text_u32(bytes_str(colon + 1), &out->port) == Q_OK && out->port > 0 &&
            out->port <= UINT16_MAX)
            return Q_OK;
    }
    return fail(Q_BAD_INPUT, "expected an address of the loopback such as 127.0.0.1:1080, found %s",
                text);
}

static bool accepted(void *context, int fd)
{
    struct egress *e = context;
    egress_client_open(e, fd);
    return e->count < e->options.connections_max;
}

void egress_client_ended(struct egress *e)
{
    e->count--;
    if (e->listener != NULL)
        listener_resume(e->listener);
}

void egress_say(struct egress *e, const char *what, const char *where, const char *why)
{
    int64_t now = loop_now_ms(e->loop);
    if (now - e->said_since_ms >= 1000) {
        if (e->unsaid > 0)
            log_warn("egress: %u more lines like these were left out", e->unsaid);
        e->said_since_ms = now;
        e->said = e->unsaid = 0;
    }
    if (e->said == LINES_A_SECOND) {
        e->unsaid++;
        return;
    }
    e->said++;
    log_warn("egress: %s %s: %s", what, where, why);
}

static void say_open(const struct egress *e)
{
    BUF_AUTO near = {0}, far = {0};
    if (address_display(&e->options.listen, &near) == Q_OK && buf_text(&near) != NULL &&
        address_display(&e->options.host, &far) == Q_OK && buf_text(&far) != NULL)
        log_info("egress: SOCKS5 on %s, through %s", (const char *)near.p, (const char *)far.p);
}

static void open_listener(void *context)
{
    struct egress *e = context;
    const struct listener_options o = {
        .address = e->options.listen, .accepted = accepted, .context = e};
    if (listener_start(e->loop, &o, &e->listener) == Q_OK) {
        e->warned = false;
        say_open(e);
        return;
    }
    if (!e->warned)
        log_error("egress: not open, trying again: %s", err_text());
    e->warned = true;
    timer_set(e->again, loop_now_ms(e->loop) + AGAIN_MS);
}

// An entry that no target can meet is a mistake of those who wrote the manifest.
static void warn_of_entries(const struct egress_rules *r)
{
    struct egress_target t;
    for (size_t i = 0; i < r->bridges_n; i++) {
        const struct bridge_client *c = &r->bridges[i].client;
        BUF_AUTO shown = {0};
        if (r->bridges[i].tag != BRIDGE_CLIENT || c->host.p == NULL ||
            egress_target_of(c->host, c->port, &t) == Q_OK)
            continue;
        if (text_display(c->host, &shown) == Q_OK && buf_text(&shown) != NULL)
            log_warn("egress: the client entry for port %u and %s allows nothing: it is neither a "
                     "host name nor an address",
                     c->port, (const char *)shown.p);
    }
}

enum q_err egress_new(struct loop *l, const struct egress_options *o, struct egress **out)
{
    struct egress *e = calloc(1, sizeof *e);
    if (e == NULL)
        return fail(Q_NOMEM, "egress: no memory");
    e->loop = l;
    e->options = *o;
    chain_init(&e->clients);
    enum q_err result = loop_timer(l, open_listener, e, &e->again);
    if (result != Q_OK) {
        free(e);
        return result;
    }
    *out = e;
    return Q_OK;
}

enum q_err egress_check(const struct egress *e, const struct manifest *m,
                        struct protocol_error *why)
{
    const struct address *host = &e->options.host;
    struct egress_rules rules = egress_rules_of(m);
    if (!egress_wanted(&rules) || host->kind != ADDRESS_UNIX || host->path != NULL)
        return Q_OK;
    return refuse(why, PE_INVALID_MSG,
                  "client bridges: expected a shorter path of the control socket, for "
                  "\".egress.appsock\" is put behind it");
}

static void close_all(struct egress *e)
{
    timer_cancel(e->again);
    listener_stop(&e->listener);
    egress_clients_close(e);
}

void egress_serve(struct egress *e, const struct egress_rules *rules)
{
    close_all(e);
    e->rules = *rules;
    if (!egress_wanted(rules))
        return;
    warn_of_entries(rules);
    open_listener(e);
}

unsigned egress_connections(const struct egress *e)
{
    return e->count;
}

void egress_free(struct egress **e)
{
    if (*e == NULL)
        return;
    close_all(*e);
    timer_end(&(*e)->again);
    free(*e);
    *e = NULL;
}
