// GET by libcurl's multi interface (see http_get.h): libcurl says which sockets and which time it waits for,
// the loop tells it what happened.
#include "host/http_get.h"

#include <curl/curl.h>
#include <stdlib.h>

struct http_get {
    struct loop *loop;
    struct http_get_options options;
    CURLM *multi;
    CURL *transfer;
    struct timer *timer;
    struct buf body;
    char why[CURL_ERROR_SIZE];
};

struct waited_socket {
    struct http_get *get;
    curl_socket_t fd;
    struct watch *watch;
};

static enum q_err result_of(struct http_get *g, CURLcode code)
{
    const char *url = g->options.url;
    long status = 0;
    if (code == CURLE_WRITE_ERROR)
        return fail(Q_LIMIT, "%s: expected an answer of at most %zu bytes", url,
                    g->options.body_limit);
    if (code != CURLE_OK)
        return fail(code == CURLE_OPERATION_TIMEDOUT ? Q_TIMEOUT : Q_IO, "%s: %s", url,
                    g->why[0] != '\0' ? g->why : curl_easy_strerror(code));
    if (curl_easy_getinfo(g->transfer, CURLINFO_RESPONSE_CODE, &status) != CURLE_OK)
        return fail(Q_INTERNAL, "libcurl: no status of a finished transfer");
    return status == 200 ? Q_OK : fail(Q_IO, "%s: expected status 200, found %ld", url, status);
}

// There is only one transfer. came may start the next.
static void look_for_end(struct http_get *g)
{
    int left;
    const CURLMsg *message = curl_multi_info_read(g->multi, &left);
    if (message == NULL || message->msg != CURLMSG_DONE)
        return;
    enum q_err result = result_of(g, message->data.result);
    (void)curl_multi_remove_handle(g->multi, g->transfer);
    BUF_AUTO body = g->body;
    g->body = (struct buf){0};
    g->options.came(g->options.context, result,
                    result == Q_OK ? buf_bytes(&body) : bytes_of("", 0));
}

static void act(struct http_get *g, curl_socket_t fd, int events)
{
    int running;
    (void)curl_multi_socket_action(g->multi, fd, events, &running);
    look_for_end(g);
}

static void socket_ready(void *context, unsigned events)
{
    const struct waited_socket *s = context;
    act(s->get, s->fd,
        ((events & LOOP_READ) != 0 ? CURL_CSELECT_IN : 0) |
            ((events & LOOP_WRITE) != 0 ? CURL_CSELECT_OUT : 0) |
            ((events & LOOP_HANGUP) != 0 ? CURL_CSELECT_ERR : 0));
}

static void timer_due_now(void *context)
{
    act(context, CURL_SOCKET_TIMEOUT, 0);
}

static int wait_for_time(CURLM *multi, long ms, void *context)
{
    (void)multi;
    struct http_get *g = context;
    if (ms < 0)
        timer_cancel(g->timer);
    else
        timer_set(g->timer, loop_now_ms(g->loop) + ms);
    return 0;
}

static void forget_socket(struct http_get *g, struct waited_socket *s)
{
    if (s == NULL)
        return;
    (void)curl_multi_assign(g->multi, s->fd, NULL);
    watch_end(&s->watch);
    free(s);
}

static enum q_err watch_socket(struct http_get *g, curl_socket_t fd, unsigned events,
                               struct waited_socket *s)
{
    if (s != NULL)
        return watch_change(s->watch, events);
    s = calloc(1, sizeof *s);
    if (s == NULL)
        return fail(Q_NOMEM, "HTTP: no memory");
    *s = (struct waited_socket){.get = g, .fd = fd};
    enum q_err result = loop_watch(g->loop, fd, events, socket_ready, s, &s->watch);
    if (result == Q_OK && curl_multi_assign(g->multi, fd, s) == CURLM_OK)
        return Q_OK;
    watch_end(&s->watch);
    free(s);
    return result == Q_OK ? fail(Q_INTERNAL, "libcurl: an unknown socket") : result;
}

static int wait_for_socket(CURL *transfer, curl_socket_t fd, int what, void *context,
                           void *socket_context)
{
    (void)transfer;
    struct http_get *g = context;
    if (what == CURL_POLL_REMOVE) {
        forget_socket(g, socket_context);
        return 0;
    }
    unsigned events = ((what & CURL_POLL_IN) != 0 ? LOOP_READ : 0) |
                      ((what & CURL_POLL_OUT) != 0 ? LOOP_WRITE : 0);
    return watch_socket(g, fd, events, socket_context) == Q_OK ? 0 : -1;
}

static size_t take_body(char *data, size_t size, size_t count, void *context)
{
    struct http_get *g = context;
    size_t n = size * count; // libcurl: size is 1
    return buf_append(&g->body, bytes_of(data, n)) == Q_OK ? n : 0;
}

static bool set_transfer(struct http_get *g)
{
    CURL *c = g->transfer;
    long most = (long)g->options.timeout_ms;
    return curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "http,https") == CURLE_OK &&
           curl_easy_setopt(c, CURLOPT_URL, g->options.url) == CURLE_OK &&
           curl_easy_setopt(c, CURLOPT_PROXY, "") == CURLE_OK &&
           curl_easy_setopt(c, CURLOPT_FOLLOWLOCATION, 0L) == CURLE_OK &&
           curl_easy_setopt(c, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1) == CURLE_OK &&
           curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L) == CURLE_OK &&
           curl_easy_setopt(c, CURLOPT_TIMEOUT_MS, most) == CURLE_OK &&
           curl_easy_setopt(c, CURLOPT_ERRORBUFFER, g->why) == CURLE_OK &&
           curl_easy_setopt(c, CURLOPT_USERAGENT, "qos_bridge/" QUORATE_VERSION) == CURLE_OK &&
           curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, take_body) == CURLE_OK &&
           curl_easy_setopt(c, CURLOPT_WRITEDATA, g) == CURLE_OK;
}

static bool set_multi(struct http_get *g)
{
    return curl_multi_setopt(g->multi, CURLMOPT_SOCKETFUNCTION, wait_for_socket) == CURLM_OK &&
           curl_multi_setopt(g->multi, CURLMOPT_SOCKETDATA, g) == CURLM_OK &&
           curl_multi_setopt(g->multi, CURLMOPT_TIMERFUNCTION, wait_for_time) == CURLM_OK &&
           curl_multi_setopt(g->multi, CURLMOPT_TIMERDATA, g) == CURLM_OK;
}

static enum q_err prepare(struct http_get *g)
{
    TRY(loop_timer(g->loop, timer_due_now, g, &g->timer));
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        return fail(Q_NOMEM, "libcurl: cannot be started");
    g->multi = curl_multi_init();
    g->transfer = curl_easy_init();
    if (g->multi == NULL || g->transfer == NULL || !set_multi(g) || !set_transfer(g))
        return fail(Q_NOMEM, "libcurl: a transfer of %s cannot be set up", g->options.url);
    return Q_OK;
}

enum q_err http_get_new(struct loop *l, const struct http_get_options *o, struct http_get **out)
{
    struct http_get *g = calloc(1, sizeof *g);
    if (g == NULL)
        return fail(Q_NOMEM, "HTTP: no memory");
    g->loop = l;
    g->options = *o;
    enum q_err result = prepare(g);
    if (result != Q_OK) {
        http_get_free(&g);
        return result;
    }
    *out = g;
    return Q_OK;
}

enum q_err http_get_start(struct http_get *g)
{
    buf_free(&g->body);
    g->body = (struct buf){.limit = g->options.body_limit};
    g->why[0] = '\0';
    // Sets the timer: libcurl begins when it is due.
    CURLMcode code = curl_multi_add_handle(g->multi, g->transfer);
    if (code != CURLM_OK)
        return fail(Q_INTERNAL, "libcurl: %s", curl_multi_strerror(code));
    return Q_OK;
}

void http_get_free(struct http_get **get)
{
    struct http_get *g = *get;
    if (g == NULL)
        return;
    if (g->multi != NULL && g->transfer != NULL)
        (void)curl_multi_remove_handle(g->multi, g->transfer);
    curl_easy_cleanup(g->transfer);
    (void)curl_multi_cleanup(g->multi); // forgets its sockets
    timer_end(&g->timer);
    buf_free(&g->body);
    free(g);
    *get = NULL;
}
