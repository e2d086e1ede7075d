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
    return Q_OK;
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
    *out = (struct bridge_plan){.notes = {.limit = NOTES_MAX}};
    if (body.n > ENCLAVE_INFO_LIMIT)
        return fail(Q_LIMIT, "enclave-info: expected at most %zu bytes, found %zu",
                    ENCLAVE_INFO_LIMIT, body.n);
    TRY(err_context(json_parse(body, &info), "enclave-info"));
    enum q_err result = read_info(info, override, out);
    json_decref(info);
    return err_context(result, "enclave-info");
}

bool bridge_plan_equal(const struct bridge_plan *a, const struct bridge_plan *b)
{
    if (a->booted != b->booted || a->n != b->n ||
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
    p->n = 0;
}
