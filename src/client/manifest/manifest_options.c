// Options of generate-manifest whose value has a form of its own (qos-behaviour 1.6).
#include "client/manifest/manifest_parts.h"

#include "codec/json.h"
#include "protocol/manifest.h"

#include <jansson.h>
#include <string.h>
#include <strings.h>

// What stands between the brackets of "[...]".
static enum q_err in_brackets(const char *option, const char *value, struct bytes *out)
{
    struct bytes v = bytes_str(value);
    if (v.n < 2 || v.p[0] != '[' || v.p[v.n - 1] != ']')
        return fail(Q_BAD_INPUT, "--%s: expected a list in brackets, such as [a,b], found %s",
                    option, value);
    *out = bytes_of(v.p + 1, v.n - 2);
    if (!bytes_is_utf8(*out))
        return fail(Q_BAD_INPUT, "--%s: expected UTF-8, found other bytes", option);
    return Q_OK;
}

// The items between commas; none at all for the empty text.
static enum q_err split(struct bytes text, struct arena *a, struct bytes **items, size_t *n)
{
    void *room;
    size_t commas = 0;
    for (size_t i = 0; i < text.n; i++)
        commas += text.p[i] == ',' ? 1 : 0;
    *n = text.n == 0 ? 0 : commas + 1;
    TRY(arena_array(a, *n, sizeof **items, &room));
    *items = room;
    for (size_t i = 0; i < *n; i++) {
        const uint8_t *comma = text.n == 0 ? NULL : memchr(text.p, ',', text.n);
        size_t length = comma == NULL ? text.n : (size_t)(comma - text.p);
        TRY(arena_copy(a, bytes_of(text.p, length), &(*items)[i]));
        size_t taken = comma == NULL ? length : length + 1;
        text = bytes_of(text.p + taken, text.n - taken);
    }
    return Q_OK;
}

enum q_err pivot_args_parse(const char *value, struct arena *a, struct pivot_config *out)
{
    struct bytes inside;
    TRY(in_brackets("pivot-args", value, &inside));
    return split(inside, a, &out->args.items, &out->args.n);
}

enum q_err bridge_config_parse(const char *value, struct arena *a, struct pivot_config *out)
{
    static const struct type bridges = {
        .name = "--bridge-config",
        .shape = SHAPE_LIST,
        .size = sizeof(struct list),
        .element = &type_bridge,
    };
    TRY(err_context(json_decode(&bridges, bytes_str(value), a, &out->bridges), "--bridge-config"));
    return err_context(pivot_check_bridges(out, NULL), "--bridge-config");
}

// The addresses go through the manifest's own reader, which checks and normalises them.
enum q_err dns_resolvers_parse(const char *value, struct arena *a, struct dns_config *out)
{
    struct bytes inside, *items;
    size_t n;
    TRY(in_brackets("dns-resolvers", value, &inside));
    TRY(split(inside, a, &items, &n));
    json_t *list = json_array();
    json_t *config = json_pack("{s:o}", "resolvers", list);
    enum q_err err = config == NULL ? fail(Q_NOMEM, "--dns-resolvers: no memory") : Q_OK;
    for (size_t i = 0; i < n && err == Q_OK; i++) {
        if (json_array_append_new(list, json_stringn((const char *)items[i].p, items[i].n)) != 0)
            err = fail(Q_BAD_INPUT, "--dns-resolvers: expected IP addresses, found %s", value);
    }
    if (err == Q_OK)
        err = err_context(json_read(&type_dns_config, config, a, out), "--dns-resolvers");
    json_decref(config);
    return err;
}

enum q_err restart_policy_parse(const char *value, struct restart *out)
{
    if (strcasecmp(value, "never") == 0)
        out->tag = RESTART_NEVER;
    else if (strcasecmp(value, "always") == 0)
        out->tag = RESTART_ALWAYS;
    else
        return fail(Q_BAD_INPUT, "--restart-policy: expected never or always, found %s", value);
    return Q_OK;
}

enum q_err debug_mode_parse(const char *value, bool *out)
{
    *out = strcmp(value, "true") == 0;
    if (!*out && strcmp(value, "false") != 0)
        return fail(Q_BAD_INPUT, "--debug-mode: expected true or false, found %s", value);
    return Q_OK;
}
