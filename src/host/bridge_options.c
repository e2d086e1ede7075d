// Option table of qos_bridge and what the options mean (see bridge_options.h).
#include "host/bridge_options.h"

#include <stdio.h>
#include <string.h>

static const struct option table[] = {
    {.name = "control-url",
     .kind = OPTION_VALUE,
     .required = true,
     .help = "URL of qos_host's routes, such as http://127.0.0.1:3000/qos"},
    {.name = "cid",
     .kind = OPTION_VALUE,
     .forbids = "usock",
     .help = "vsock context id of the enclave"},
    {.name = "usock",
     .kind = OPTION_VALUE,
     .forbids = "cid",
     .help = "unix socket of the enclave; those of its bridges lie beside it"},
    {.name = "vsock-to-host",
     .kind = OPTION_VALUE,
     .fallback = "true",
     .help = "true: connect with VMADDR_FLAG_TO_HOST"},
    {.name = "host-port-override",
     .kind = OPTION_VALUE,
     .help = "TCP port to listen on instead of the manifest's"},
    {.name = "poll-interval",
     .kind = OPTION_VALUE,
     .fallback = "5000",
     .help = "milliseconds between looks at the manifest"},
    {.name = "egress-port",
     .kind = OPTION_VALUE,
     .fallback = "1000",
     .requires_ = "cid",
     .help = "vsock port for the enclave's outgoing connections"},
    {.name = "egress-bin-path",
     .kind = OPTION_VALUE,
     .help = "of the original's egress",
     .ignored = true},
    {.name = "egress-host",
     .kind = OPTION_FLAG,
     .help = "of the original's egress",
     .ignored = true},
};
#define COUNT (sizeof table / sizeof *table)

static enum q_err read_address(const struct options *o, struct address *out)
{
    TRY(options_bool(o, "vsock-to-host", &out->to_host));
    if (options_given(o, "usock")) {
        out->kind = ADDRESS_UNIX;
        out->path = options_value(o, "usock");
        return Q_OK;
    }
    if (!options_given(o, "cid"))
        return fail(Q_BAD_INPUT,
                    "Invalid socket opts: expected --usock PATH or --cid N, found neither");
    out->kind = ADDRESS_VSOCK;
    return options_u32(o, "cid", 0, UINT32_MAX, &out->cid);
}

static enum q_err read_url(const char *url, char *out, size_t size)
{
    if (strncmp(url, "http://", 7) != 0 && strncmp(url, "https://", 8) != 0)
        return fail(Q_BAD_INPUT, "--control-url: expected http://... or https://..., found %s",
                    url);
    size_t n = strlen(url);
    while (n > 0 && url[n - 1] == '/')
        n--;
    int written = snprintf(out, size, "%.*s/enclave-info", (int)(n < size ? n : size), url);
    if (written < 0 || (size_t)written >= size)
        return fail(Q_LIMIT, "--control-url: too long");
    return Q_OK;
}

static enum q_err read_options(const struct options *o, struct bridge_options *out)
{
    uint32_t port = 0;
    TRY(read_url(options_value(o, "control-url"), out->url, sizeof out->url));
    TRY(read_address(o, &out->enclave));
    if (options_given(o, "host-port-override"))
        TRY(options_u32(o, "host-port-override", 1, UINT16_MAX, &port));
    out->port_override = (uint16_t)port;
    TRY(options_u32(o, "egress-port", 0, UINT32_MAX, &out->egress_port));
    return options_u32(o, "poll-interval", 1, 3600000, &out->poll_ms);
}

enum q_err bridge_options_parse(int words_count, char *const *words, struct bridge_options *out)
{
    struct options o;
    *out = (struct bridge_options){0};
    TRY(options_parse(table, COUNT, words_count, words, &o));
    out->help = o.help;
    out->version = o.version;
    return o.help || o.version ? Q_OK : read_options(&o, out);
}

enum q_err bridge_options_help(struct buf *out)
{
    return options_help(table, COUNT, out);
}
