// libmicrohttpd in our event loop (see http.h): its epoll descriptor is watched, and it runs when that is
// ready, when a request was answered, and when it asked for a time.
#include "host/http_request.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define IDLE_MS 60000
#define SLOW_MS 300000
#define SILENCE_S 30 // without a byte either way, inside a request or between two
#define CONNECTION_MEMORY 16384
// The library stops accepting at its own limit; ours lies below it, so that a new one gets in and an old
// one goes.
#define CONNECTIONS_SPARE 64

static void run(struct http *h)
{
    (void)MHD_run(h->daemon);
    MHD_UNSIGNED_LONG_LONG after_ms;
    if (MHD_get_timeout(h->daemon, &after_ms) == MHD_YES)
        timer_set(h->timer, loop_now_ms(h->loop) + (int64_t)(after_ms < 60000 ? after_ms : 60000));
    else
        timer_cancel(h->timer);
}

static void ready(void *context, unsigned events)
{
    (void)events;
    run(context);
}

static void due(void *context)
{
    run(context);
}

void http_run_soon(struct http *h)
{
    timer_set(h->timer, loop_now_ms(h->loop));
}

static void peer_came_or_went(void *http, struct MHD_Connection *c, void **peer,
                              enum MHD_ConnectionNotificationCode what)
{
    struct http *h = http;
    if (what == MHD_CONNECTION_NOTIFY_STARTED) {
        const union MHD_ConnectionInfo *fd =
            MHD_get_connection_info(c, MHD_CONNECTION_INFO_CONNECTION_FD);
        *peer = fd == NULL ? NULL : peer_new(h->peers, fd->connect_fd);
    } else if (*peer != NULL) {
        peer_end(*peer);
        *peer = NULL;
    }
}

// Paths are matched as they came: a decoded one could hide a NUL or a '/'.
static size_t leave_encoded(void *context, struct MHD_Connection *c, char *text)
{
    (void)context;
    (void)c;
    size_t n = 0;
    while (text[n] != '\0')
        n++;
    return n;
}

// The library's words about what it could not do at its start; later ones tell of broken peers.
static void __attribute__((format(printf, 2, 0)))
library_says(void *http, const char *format, va_list args)
{
    struct http *h = http;
    if (h->started)
        return;
    (void)vsnprintf(h->start_error, sizeof h->start_error, format, args);
    for (char *p = h->start_error; *p != '\0'; p++) {
        if (*p == '\n')
            *p = '\0';
        if (*p == '\0')
            break;
    }
}

struct text {
    union {
        const uint8_t *in;
        void *out; // the library only reads; its interface has no const
    };
};

static enum q_err start_library(struct http *h)
{
    bool tls = h->options.certificate.p != NULL;
    struct text certificate = {{h->options.certificate.p}}, key = {{h->options.key.p}};
    struct MHD_OptionItem tls_options[] = {
        {MHD_OPTION_HTTPS_MEM_CERT, 0, certificate.out},
        {MHD_OPTION_HTTPS_MEM_KEY, 0, key.out},
        {MHD_OPTION_END, 0, NULL},
    };
    if (!tls)
        tls_options[0] = tls_options[2];
    else if (MHD_is_feature_supported(MHD_FEATURE_TLS) != MHD_YES)
        return fail(Q_UNSUPPORTED, "TLS: this libmicrohttpd was built without it");
    unsigned flags =
        MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG | (tls ? MHD_USE_TLS : 0);
    // clang-format off
    h->daemon = MHD_start_daemon(
        flags, 0, NULL, NULL, http_request_step, h,
        MHD_OPTION_EXTERNAL_LOGGER, library_says, h,
        MHD_OPTION_LISTEN_SOCKET, h->options.listener,
        MHD_OPTION_CONNECTION_LIMIT, h->options.connections_max + CONNECTIONS_SPARE,
        MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)SILENCE_S,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_MEMORY,
        MHD_OPTION_NOTIFY_CONNECTION, peer_came_or_went, h,
        MHD_OPTION_URI_LOG_CALLBACK, http_request_line, h,
        MHD_OPTION_NOTIFY_COMPLETED, http_request_completed, h,
        MHD_OPTION_UNESCAPE_CALLBACK, leave_encoded, h,
        MHD_OPTION_SIGPIPE_HANDLED_BY_APP, 1,
        MHD_OPTION_ARRAY, tls_options,
        MHD_OPTION_END);
    // clang-format on
    if (h->daemon == NULL)
        return fail(Q_IO, "HTTP: libmicrohttpd does not start%s%s",
                    h->start_error[0] == '\0' ? "" : ": ", h->start_error);
    h->started = true;
    h->options.listener = -1;
    h->options.certificate = h->options.key = BYTES_NONE;
    return Q_OK;
}

static enum q_err start(struct http *h)
{
    const struct peers_options peers = {.most = h->options.connections_max,
                                        .idle_ms = IDLE_MS,
                                        .slow_ms = SLOW_MS,
                                        .dropped = http_request_dropped};
    TRY(peers_new(h->loop, &peers, &h->peers));
    TRY(loop_timer(h->loop, due, h, &h->timer));
    TRY(start_library(h));
    const union MHD_DaemonInfo *info = MHD_get_daemon_info(h->daemon, MHD_DAEMON_INFO_EPOLL_FD);
    if (info == NULL)
        return fail(Q_UNSUPPORTED, "HTTP: this libmicrohttpd was built without epoll");
    return loop_watch(h->loop, info->epoll_fd, LOOP_READ, ready, h, &h->watch);
}

enum q_err http_start(struct loop *l, const struct http_options *options, struct http **out)
{
    struct http *h = calloc(1, sizeof *h);
    if (h == NULL) {
        (void)close(options->listener);
        return fail(Q_NOMEM, "HTTP: no memory");
    }
    h->loop = l;
    h->options = *options;
    enum q_err result = start(h);
    if (result != Q_OK) {
        http_stop(&h);
        return result;
    }
    *out = h;
    return Q_OK;
}

void http_quiesce(struct http *h)
{
    MHD_socket listener = MHD_quiesce_daemon(h->daemon);
    if (listener != MHD_INVALID_SOCKET)
        (void)close(listener);
}

unsigned http_running(const struct http *h)
{
    return h->running;
}

unsigned http_connections(const struct http *h)
{
    return peers_count(h->peers);
}

void http_stop(struct http **http)
{
    struct http *h = *http;
    if (h == NULL)
        return;
    watch_end(&h->watch);
    if (h->daemon != NULL) {
        (void)MHD_run(h->daemon); // answers of the last moment
        MHD_stop_daemon(h->daemon);
    }
    if (h->options.listener >= 0)
        (void)close(h->options.listener);
    timer_end(&h->timer);
    peers_free(&h->peers);
    free(h);
    *http = NULL;
}
