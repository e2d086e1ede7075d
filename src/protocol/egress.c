// The rule of outgoing connections (see egress.h).
#include "protocol/egress.h"

#include "base/text.h"

#include <ctype.h>

#define LABEL_MAX 63

static bool is_label_byte(uint8_t c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_';
}

// The length of the label in front.
static size_t label_length(struct bytes text)
{
    size_t n = 0;
    while (n < text.n && is_label_byte(text.p[n]))
        n++;
    return n;
}

// Some readers take a name whose last label is a number for an IPv4 address.
static bool is_number(struct bytes label)
{
    bool hex = label.n >= 2 && label.p[0] == '0' && (label.p[1] | 0x20) == 'x';
    for (size_t i = hex ? 2 : 0; i < label.n; i++)
        if (hex ? isxdigit(label.p[i]) == 0 : isdigit(label.p[i]) == 0)
            return false;
    return true;
}

static bool is_name(struct bytes text)
{
    if (text.n > EGRESS_NAME_MAX)
        return false;
    for (;;) {
        size_t n = label_length(text);
        if (n == 0 || n > LABEL_MAX)
            return false;
        if (n == text.n)
            return !is_number(text);
        if (text.p[n] != '.')
            return false;
        text = bytes_of(text.p + n + 1, text.n - n - 1);
    }
}

enum q_err egress_target_of(struct bytes host, uint16_t port, struct egress_target *out)
{
    *out = (struct egress_target){.port = port};
    if (port == 0)
        return fail(Q_BAD_INPUT, "port: expected 1 to 65535, got 0");
    if (ip_parse(host, &out->ip))
        return Q_OK;
    if (!is_name(host))
        return fail(Q_BAD_INPUT,
                    "host: expected a name or an address, got another text of %zu bytes", host.n);
    out->named = true;
    out->name = host;
    return Q_OK;
}

enum q_err egress_target_display(const struct egress_target *t, struct buf *out)
{
    bool brackets = !t->named && !ip_is_v4(&t->ip);
    if (brackets)
        TRY(buf_u8(out, '['));
    TRY(t->named ? text_display(t->name, out) : ip_display(&t->ip, out));
    return buf_printf(out, brackets ? "]:%u" : ":%u", t->port);
}

struct egress_rules egress_rules_of(const struct manifest *m)
{
    struct egress_rules r = {.bridges = m->pivot.bridges.items, .bridges_n = m->pivot.bridges.n};
    if (m->dns != NULL) {
        r.resolvers = m->dns->resolvers.items;
        r.resolvers_n = m->dns->resolvers.n;
    }
    return r;
}

bool egress_wanted(const struct egress_rules *r)
{
    for (size_t i = 0; i < r->bridges_n; i++)
        if (r->bridges[i].tag == BRIDGE_CLIENT)
            return true;
    return false;
}

// Of checked names, whatever the locale: among the bytes of labels this bit only tells 'A' from 'a'.
static bool same_name(struct bytes a, struct bytes b)
{
    for (size_t i = 0; i < a.n && i < b.n; i++)
        if ((a.p[i] | 0x20) != (b.p[i] | 0x20))
            return false;
    return a.n == b.n;
}

static enum egress_verdict judge_entry(const struct bridge_client *entry,
                                       const struct egress_target *t)
{
    struct egress_target allowed;
    if (entry->port != t->port)
        return EGRESS_REFUSED;
    if (entry->host.p == NULL) {
        if (t->named)
            return EGRESS_IF_PUBLIC;
        return ip_is_public(&t->ip) ? EGRESS_ALLOWED : EGRESS_REFUSED;
    }
    if (egress_target_of(entry->host, entry->port, &allowed) != Q_OK || allowed.named != t->named)
        return EGRESS_REFUSED;
    bool same = t->named ? same_name(allowed.name, t->name) : ip_equal(&allowed.ip, &t->ip);
    return same ? EGRESS_ALLOWED : EGRESS_REFUSED;
}

enum egress_verdict egress_judge(const struct egress_rules *r, const struct egress_target *t)
{
    enum egress_verdict best = EGRESS_REFUSED;
    for (size_t i = 0; i < r->bridges_n; i++) {
        if (r->bridges[i].tag != BRIDGE_CLIENT)
            continue;
        enum egress_verdict v = judge_entry(&r->bridges[i].client, t);
        best = v > best ? v : best;
    }
    return best;
}

bool egress_may_ask(const struct egress_rules *r, const struct ip *resolver)
{
    struct ip known;
    for (size_t i = 0; i < r->resolvers_n; i++)
        if (ip_parse(r->resolvers[i], &known) && ip_equal(&known, resolver))
            return true;
    return false;
}
