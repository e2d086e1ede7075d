// From enclave-info to addresses (see bridge_plan.h).
#include "host/bridge_plan.h"

#include "base/arena.h"
#include "base/text.h"
#include "codec/json.h"
#include "net/address.h"
#include "protocol/versions.h"

#include <jansson.h>
#include <string.h>

#define NOTES_MAX ((size_t)4096)
#define SHOWN_HOST 64
#define IPV4_TEXT_MAX 15
#define ARENA_BUDGET ((size_t)64 << 20)

// Notes past the limit are not worth a failure.
static void note(struct bridge_plan *p, uint16_t port, const char *why)
{
    (void)buf_printf(&p->notes, "port %u of the manifest is not served: %s\n", port, why);
}

static void note_host(struct bridge_plan *p, const struct bridge_server *s)
{
    BUF_AUTO text = {0};
    struct bytes shown = {s->host.p, s->host.n < SHOWN_HOST ? s->host.n : SHOWN_HOST};
    if (buf_append_str(&text, "expected an IPv4 address as its host, found ") == Q_OK &&
        text_display(shown, &text) == Q_OK && buf_text(&text) != NULL)
        note(p, s->port, (const char *)text.p);
}

static bool ipv4_of(struct bytes host, uint32_t *ip)
{
    char text[IPV4_TEXT_MAX + 1] = {0};
    if (host.n == 0 || host.n > IPV4_TEXT_MAX || memchr(host.p, '\0', host.n) != NULL)
        return false;
    memcpy(text, host.p, host.n);
    return address_ipv4(text, ip) == Q_OK;
}

static const char *clash(const struct bridge_plan *p, const struct bridge_entry *e)
{
    for (size_t i = 0; i < p->n; i++) {
        const struct bridge_entry *o = &p->entries[i];
        if (o->port == e->port)
            return "expected each port once, found it twice";
        if (o->ip == e->ip && o->listen_port == e->listen_port)
            return "another entry listens on the same address";
    }
    return p->n == BRIDGES_MAX ? "too many entries" : NULL;
}

static void add(struct bridge_plan *p, const struct bridge_server *s, uint16_t override)
{
    struct bridge_entry e = {.port = s->port, .listen_port = override != 0 ? override : s->port};
    if (s->port == 0) {
        note(p, 0, "expected a port from 1 to 65535");
        return;
    }
    if (!ipv4_of(s->host, &e.ip)) {
        note_host(p, s);
        return;
    }
    const char *why = clash(p, &e);
    if (why != NULL)
        note(p, s->port, why);
    else
        p->entries[p->n++] = e;
}

static enum q_err copy_client(const struct bridge_client *c, struct arena *a, struct bridge *out)
{
    *out = (struct bridge){.tag = BRIDGE_CLIENT, .client = {.port = c->port}};
    return c->host.p == NULL ? Q_OK : arena_copy(a, c->host, &out->client.host);
}

// The rules of outgoing connections, in memory of the plan.
static enum q_err copy_outgoing(const struct manifest *m, struct bridge_plan *out)
{
    const struct egress_rules all = egress_rules_of(m);
    void *memory;
    TRY(arena_array(&out->memory, all.bridges_n, sizeof(struct bridge), &memory));
    struct bridge *bridges = memory;
    size_t n = 0;
    for (size_t i = 0; i < all.bridges_n; i++) {
        if (all.bridges[i].tag == BRIDGE_CLIENT)
            TRY(copy_client(&all.bridges[i].client, &out->memory, &bridges[n++]));
    }
    TRY(arena_array(&out->memory, all.resolvers_n, sizeof(struct bytes), &memory));
    struct bytes *resolvers = memory;
    for (size_t i = 0; i < all.resolvers_n; i++)
        TRY(arena_copy(&out->memory, all.resolvers[i], &resolvers[i]));
    out->outgoing = (struct egress_rules){
        .bridges = bridges, .bridges_n = n, .resolvers = resolvers, .resolvers_n = all.resolvers_n};
    return Q_OK;
}

static enum q_err read_envelope(const json_t *in, uint16_t override, struct bridge_plan *out)
{
    ARENA_AUTO a = {.budget = ARENA_BUDGET};
    struct manifest_envelope e;
    TRY(versions_read_json(&envelope_versions, in, false, &a, &e));
    out->booted = true;
    for (size_t i = 0; i < e.manifest.pivot.bridges.n; i++) {
        const struct bridge *b = &e.manifest.pivot.bridges.items[i];
        if (b->tag == BRIDGE_SERVER)
            add(out, &b->server, override);
    }
    return copy_outgoing(&e.manifest, out);
}

static enum q_err read_info(const json_t *info, uint16_t override, struct bridge_plan *out)
{
    const json_t *envelope = json_object_get(info, "manifestEnvelope");
    if (envelope == NULL)
        return fail(Q_BAD_INPUT, "expected a JSON object with manifestEnvelope, found none");
    return json_is_null(envelope) ? Q_OK : read_envelope(envelope, override, out);
}

enum q_err bridge_plan_read(struct bytes body, uint16_t override, struct bridge_plan *out)
{
    json_t *info = NULL;
    *out = (struct bridge_plan){.notes = {.limit = NOTES_MAX}, .memory = {.budget = ARENA_BUDGET}};
    if (body.n > ENCLAVE_INFO_LIMIT)
        return fail(Q_LIMIT, "enclave-info: expected at most %zu bytes, found %zu",
                    ENCLAVE_INFO_LIMIT, body.n);
    TRY(err_context(json_parse(body, &info), "enclave-info"));
    enum q_err result = read_info(info, override, out);
    json_decref(info);
    return err_context(result, "enclave-info");
}

static bool same_client(const struct bridge_client *a, const struct bridge_client *b)
{
    return a->port == b->port && (a->host.p == NULL) == (b->host.p == NULL) &&
           bytes_equal(a->host, b->host);
}

bool bridge_plan_same_outgoing(const struct bridge_plan *a, const struct bridge_plan *b)
{
    const struct egress_rules *x = &a->outgoing, *y = &b->outgoing;
    if (x->bridges_n != y->bridges_n || x->resolvers_n != y->resolvers_n)
        return false;
    for (size_t i = 0; i < x->bridges_n; i++)
        if (!same_client(&x->bridges[i].client, &y->bridges[i].client))
            return false;
    for (size_t i = 0; i < x->resolvers_n; i++)
        if (!bytes_equal(x->resolvers[i], y->resolvers[i]))
            return false;
    return true;
}

bool bridge_plan_equal(const struct bridge_plan *a, const struct bridge_plan *b)
{
    if (a->booted != b->booted || a->n != b->n || !bridge_plan_same_outgoing(a, b) ||
        !bytes_equal(buf_bytes(&a->notes), buf_bytes(&b->notes)))
        return false;
    for (size_t i = 0; i < a->n; i++) {
        const struct bridge_entry *x = &a->entries[i], *y = &b->entries[i];
        if (x->ip != y->ip || x->port != y->port || x->listen_port != y->listen_port)
            return false;
    }
    return true;
}

void bridge_plan_free(struct bridge_plan *p)
{
    buf_free(&p->notes);
    arena_free(&p->memory);
    p->outgoing = (struct egress_rules){0};
    p->n = 0;
}
