// Option table of qos_host and what the options mean (see host_options.h).
#include "host/host_options.h"

#include "base/text.h"
#include "host/routes.h"
#include "protocol/egress.h"

#include <string.h>

static const struct option table[] = {
    {.name = "host-ip",
     .kind = OPTION_VALUE,
     .required = true,
     .help = "IPv4 address to serve HTTP on"},
    {.name = "host-port",
     .kind = OPTION_VALUE,
     .required = true,
     .help = "port to serve HTTP on (0: any; the line printed at the start names it)"},
    {.name = "cid",
     .kind = OPTION_VALUE,
     .requires_ = "port",
     .forbids = "usock",
     .help = "vsock context id of the enclave"},
    {.name = "port",
     .kind = OPTION_VALUE,
     .requires_ = "cid",
     .forbids = "usock",
     .help = "vsock port of the enclave"},
    {.name = "usock",
     .kind = OPTION_VALUE,
     .forbids = "cid,port",
     .help = "unix socket of the enclave"},
    {.name = "vsock-to-host",
     .kind = OPTION_VALUE,
     .fallback = "false",
     .forbids = "usock",
     .help = "true: connect with VMADDR_FLAG_TO_HOST"},
    {.name = "endpoint-base-path",
     .kind = OPTION_VALUE,
     .fallback = "qos",
     .help = "path that the routes are below"},
    {.name = "socket-timeout",
     .kind = OPTION_VALUE,
     .fallback = "20000",
     .help = "milliseconds for one call to the enclave, waiting included"},
    {.name = "socket-connections",
     .kind = OPTION_VALUE,
     .fallback = "4",
     .help = "connections to the enclave at a time"},
    {.name = "tls-certificate",
     .kind = OPTION_VALUE,
     .requires_ = "tls-key",
     .help = "PEM file: serve HTTPS with this certificate chain"},
    {.name = "tls-key",
     .kind = OPTION_VALUE,
     .requires_ = "tls-certificate",
     .help = "PEM file: the certificate's private key"},
    {.name = "audit-log",
     .kind = OPTION_VALUE,
     .help = "file that records every message to the enclave but questions"},
    {.name = "network-test-target",
     .kind = OPTION_VALUE,
     .multiple = true,
     .help = "<host>:<port> that /network/test may connect to; none otherwise"},
    {.name = "host-name",
     .kind = OPTION_VALUE,
     .help = "names, with commas, that this host has in URLs beside its addresses and localhost; "
             "others are "
             "refused (on loopback also without this option)"},
    {.name = "pool-size", .kind = OPTION_VALUE, .help = "of an older release", .ignored = true},
    {.name = "client-timeout",
     .kind = OPTION_VALUE,
     .help = "of an older release",
     .ignored = true},
    {.name = "app-host-enabled",
     .kind = OPTION_VALUE,
     .help = "of an older release",
     .ignored = true},
    {.name = "app-host-port", .kind = OPTION_VALUE, .help = "of an older release", .ignored = true},
    {.name = "app-pool-size", .kind = OPTION_VALUE, .help = "of an older release", .ignored = true},
};
#define COUNT (sizeof table / sizeof *table)

static enum q_err read_targets(const struct options *o, struct host_options *out)
{
    if (o->values_count > HOST_TEST_TARGETS_MAX)
        return fail(Q_LIMIT, "--network-test-target: expected at most %d, found %zu",
                    HOST_TEST_TARGETS_MAX, o->values_count);
    for (size_t i = 0; i < o->values_count; i++) {
        const char *text = o->values[i], *colon = strrchr(text, ':');
        struct egress_target target;
        uint32_t port = 0;
        if (colon == NULL || text_u32(bytes_str(colon + 1), &port) != Q_OK || port > UINT16_MAX)
            return fail(Q_BAD_INPUT, "--network-test-target: expected <host>:<port>, found %s",
                        text);
        TRY(err_context(
            egress_target_of(bytes_of(text, (size_t)(colon - text)), (uint16_t)port, &target),
            "--network-test-target"));
        out->test_targets[i] = text;
    }
    out->test_targets_n = o->values_count;
    return Q_OK;
}

static enum q_err read_options(const struct options *o, struct host_options *out)
{
    out->http.kind = ADDRESS_TCP;
    TRY(err_context(address_ipv4(options_value(o, "host-ip"), &out->http.ip), "--host-ip"));
    TRY(options_u32(o, "host-port", 0, UINT16_MAX, &out->http.port));
    TRY(address_from_options(o, &out->enclave));
    out->base_path = options_value(o, "endpoint-base-path");
    TRY(route_check_base(out->base_path));
    TRY(options_u32(o, "socket-timeout", 1, UINT32_MAX, &out->timeout_ms));
    TRY(options_u32(o, "socket-connections", 1, 64, &out->connections));
    out->certificate = options_value(o, "tls-certificate");
    out->key = options_value(o, "tls-key");
    out->audit_log = options_value(o, "audit-log");
    out->origin.names = options_value(o, "host-name");
    out->origin.check_names = out->origin.names != NULL || out->http.ip >> 24 == IN_LOOPBACKNET;
    TRY(origin_check_names(out->origin.names));
    return read_targets(o, out);
}

enum q_err host_options_parse(int words_count, char *const *words, struct host_options *out)
{
    struct options o;
    *out = (struct host_options){0};
    TRY(options_parse(table, COUNT, words_count, words, &o));
    out->help = o.help;
    out->version = o.version;
    return o.help || o.version ? Q_OK : read_options(&o, out);
}

enum q_err host_options_help(struct buf *out)
{
    return options_help(table, COUNT, out);
}
