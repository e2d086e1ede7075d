// qos_host from its options to its end (see host.h): listener, link to the enclave, HTTP, signals.
#include "host/host.h"

#include "base/file.h"
#include "base/log.h"
#include "base/version.h"
#include "codec/json.h"
#include "host/host_options.h"
#include "host/inherited_socket.h"
#include "host/rest.h"
#include "host/status_page.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#define VERSION_TEXT "version: 0.13.0\nquorate " QUORATE_VERSION " (" QUORATE_GIT ")\n"

#define BODY_BUDGET ((size_t)256 << 20)
#define PEM_LIMIT ((size_t)64 << 10)
#define CONNECTIONS_MAX 4096
#define DESCRIPTORS_KEPT 256 // for everything but HTTP connections
#define STOP_WITHIN_MS 5000
#define STOP_LOOK_MS 10

// As many HTTP connections as the system lets us have.
static unsigned connections_max(void)
{
    struct rlimit files;
    if (getrlimit(RLIMIT_NOFILE, &files) != 0)
        return 512;
    files.rlim_cur = files.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &files) != 0)
        (void)getrlimit(RLIMIT_NOFILE, &files);
    if (files.rlim_cur >= CONNECTIONS_MAX + DESCRIPTORS_KEPT)
        return CONNECTIONS_MAX;
    return files.rlim_cur > (rlim_t)2 * DESCRIPTORS_KEPT
               ? (unsigned)files.rlim_cur - DESCRIPTORS_KEPT
               : DESCRIPTORS_KEPT / 2;
}

static void answered(void *context, size_t route, unsigned status, int64_t nanoseconds)
{
    const struct host *h = context;
    metrics_count(h->metrics, route, status, nanoseconds);
}

// Ends once nothing runs any more, or when time is up.
static void stop_if_done(void *context)
{
    struct host *h = context;
    int64_t now = loop_now_ms(h->loop);
    if (http_running(h->http) == 0 || now >= h->stop_by_ms)
        loop_stop(h->loop);
    else
        timer_set(h->stop_timer, now + STOP_LOOK_MS);
}

static void told_to_stop(void *context, int signal)
{
    struct host *h = context;
    if (h->stopping) { // twice: at once
        loop_stop(h->loop);
        return;
    }
    h->stopping = true;
    log_info("%s: stopping, %u requests are running", signal == SIGINT ? "SIGINT" : "SIGTERM",
             http_running(h->http));
    http_quiesce(h->http);
    rest_network_end(h->rest);
    h->stop_by_ms = loop_now_ms(h->loop) + STOP_WITHIN_MS;
    stop_if_done(h);
}

// The library wants PEM texts that end with a NUL.
static enum q_err start_https(struct host *h, const struct host_options *o,
                              struct http_options *options)
{
    BUF_AUTO certificate = {.limit = PEM_LIMIT};
    SECRET_AUTO file = {0};
    SECRET_AUTO key = {0};
    TRY(secret_init(true));
    TRY(file_read(o->certificate, PEM_LIMIT - 1, &certificate));
    TRY(buf_u8(&certificate, 0));
    TRY(file_read_secret(o->key, PEM_LIMIT - 1, &file));
    TRY(secret_new(&key, file.n + 1));
    memcpy(key.p, file.p, file.n);
    options->certificate = buf_bytes(&certificate);
    options->key = secret_bytes(&key);
    return err_context(http_start(h->loop, options, &h->http), "--tls-certificate %s, --tls-key %s",
                       o->certificate, o->key);
}

// Before any route: what a web page of somebody else has a browser send is nobody's request.
static bool admit(void *context, struct http_request *r)
{
    const struct host *h = context;
    if (origin_check(&h->origin, http_header(r, "Host"), http_header(r, "Origin")) == Q_OK)
        return true;
    rest_refuse_as(r, 403, err_text());
    return false;
}

static enum q_err start_http(struct host *h, const struct host_options *o,
                             const struct route_set *routes, struct address *where)
{
    struct http_options options = {.routes = routes,
                                   .connections_max = connections_max(),
                                   .body_budget = BODY_BUDGET,
                                   .admit = admit,
                                   .answered = answered,
                                   .context = h};
    *where = o->http;
    TRY(inherited_socket(&o->http, &options.listener));
    if (options.listener < 0)
        TRY(address_listen(&o->http, SOMAXCONN, &options.listener));
    TRY(address_local_port(options.listener, &where->port));
    return o->certificate == NULL ? http_start(h->loop, &options, &h->http)
                                  : start_https(h, o, &options);
}

// Requests that nobody signed are anybody's who reaches the port.
static void warn_if_open(const struct host_options *o)
{
    if (o->http.ip >> 24 != IN_LOOPBACKNET && o->certificate == NULL)
        log_warn("--host-ip: serving plain HTTP beyond this machine; put --tls-certificate or a "
                 "proxy with TLS and access rules before it");
}

static enum q_err print_start(const struct host_options *o, const struct address *where)
{
    BUF_AUTO text = {0};
    if (o->enclave.kind == ADDRESS_VSOCK)
        TRY(buf_printf(&text, "Configuring vsock with %s.\n",
                       o->enclave.to_host ? "VMADDR_FLAG_TO_HOST" : "VMADDR_NO_FLAGS"));
    TRY(buf_append_str(&text, "StreamPool start address: "));
    TRY(address_display(&o->enclave, &text));
    TRY(buf_append_str(&text, "\nHostServer listening on "));
    TRY(address_display(where, &text));
    TRY(buf_u8(&text, '\n'));
    if (fwrite(text.p, 1, text.n, stdout) != text.n || fflush(stdout) != 0)
        return fail_os(errno, "standard output");
    return Q_OK;
}

static enum q_err serve(struct host *h, struct rest *rest, const struct host_options *o)
{
    const struct route_family families[] = {qos_routes(o->base_path, h), metrics_routes(h),
                                            rest_routes(rest), status_page_routes(),
                                            status_routes(h)};
    const struct route_set routes = {families, sizeof families / sizeof *families};
    struct address where;
    TRY(route_check_set(&routes));
    TRY(json_start());
    TRY(loop_new(&h->loop));
    rest->network.loop = h->loop;
    h->rest = rest;
    TRY(metrics_new(&routes, &h->metrics));
    TRY(link_new(h->loop, &o->enclave, o->connections, o->timeout_ms, &h->link));
    TRY(loop_timer(h->loop, stop_if_done, h, &h->stop_timer));
    TRY(start_http(h, o, &routes, &where));
    rest->listening = where;
    TRY(loop_signal(h->loop, SIGTERM, told_to_stop, h));
    TRY(loop_signal(h->loop, SIGINT, told_to_stop, h));
    warn_if_open(o);
    TRY(print_start(o, &where));
    enum q_err result = loop_run(h->loop);
    // Answers what still waits, while the routes are there.
    rest_network_end(rest);
    link_free(&h->link);
    http_stop(&h->http);
    return result;
}

static void end(struct host *h)
{
    link_free(&h->link);
    http_stop(&h->http);
    metrics_free(&h->metrics);
    buf_free(&h->vitals.line);
    timer_end(&h->stop_timer);
    loop_free(&h->loop);
}

static enum q_err print_help(void)
{
    BUF_AUTO text = {0};
    TRY(host_options_help(&text));
    (void)fwrite(text.p, 1, text.n, stdout);
    return Q_OK;
}

static enum q_err open_audit_log(struct host *h, const struct host_options *o,
                                 struct audit_log *log)
{
    if (o->audit_log == NULL)
        return Q_OK;
    (void)signal(SIGXFSZ, SIG_IGN); // a limit on file sizes is an error like a full disk
    h->audit = log;
    return audit_log_open(o->audit_log, log);
}

enum q_err host_run(int words_count, char *const *words)
{
    struct host_options o;
    TRY(host_options_parse(words_count, words, &o));
    if (o.help)
        return print_help();
    if (o.version) {
        (void)fputs(VERSION_TEXT, stdout);
        return Q_OK;
    }
    // A client that goes away is an error of one call, not the end of the program.
    (void)signal(SIGPIPE, SIG_IGN);
    AUDIT_LOG_AUTO log = {.fd = -1};
    struct host h = {.origin = o.origin};
    struct rest rest = {.host = &h,
                        .tls = o.certificate != NULL,
                        .probe_targets = o.test_targets,
                        .probe_targets_n = o.test_targets_n};
    TRY(open_audit_log(&h, &o, &log));
    enum q_err result = serve(&h, &rest, &o);
    end(&h);
    return result;
}
