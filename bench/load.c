// A small HTTP/1.1 load generator for the figures: keep-alive connections to this machine's own port, a
// bounded number of requests, rate and latencies at the end. Every answer must be 200.
#include "base/arena.h"
#include "base/options.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define ANSWER_MAX 65536
#define CONNECTIONS_MAX 4096
#define REQUESTS_MAX 10000000

static const struct option table[] = {
    {.name = "port", .kind = OPTION_VALUE, .required = true, .help = "port on 127.0.0.1"},
    {.name = "path", .kind = OPTION_VALUE, .required = true, .help = "path of the request"},
    {.name = "body", .kind = OPTION_VALUE, .help = "body; with it the request is a POST"},
    {.name = "connections", .kind = OPTION_VALUE, .fallback = "64", .help = "connections"},
    {.name = "requests", .kind = OPTION_VALUE, .fallback = "100000", .help = "requests in all"},
    {.name = "seconds", .kind = OPTION_VALUE, .fallback = "10", .help = "ends after this time"},
    {.name = "name", .kind = OPTION_VALUE, .fallback = "load", .help = "first part of the names"},
};
#define OPTIONS (sizeof table / sizeof *table)

struct connection {
    int fd;
    uint64_t started_us;
    size_t n;
    char answer[ANSWER_MAX + 1];
};

struct load {
    uint32_t port, connections, requests, seconds;
    struct buf request;
    struct connection *all;
    uint32_t *latencies_us;
    uint32_t begun, done;
    uint64_t start_us, end_us;
    int epoll;
};

static uint64_t now_us(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

static enum q_err make_request(const struct options *o, struct buf *out)
{
    const char *body = options_value(o, "body"), *path = options_value(o, "path");
    if (body == NULL)
        return buf_printf(out, "GET %s HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", path);
    return buf_printf(out,
                      "POST %s HTTP/1.1\r\nHost: 127.0.0.1\r\n"
                      "Content-Type: application/octet-stream\r\nContent-Length: %zu\r\n\r\n%s",
                      path, strlen(body), body);
}

static enum q_err send_request(struct load *l, struct connection *c)
{
    c->n = 0;
    c->started_us = now_us();
    l->begun++;
    ssize_t n = send(c->fd, l->request.p, l->request.n, MSG_NOSIGNAL);
    if (n < 0)
        return fail_os(errno, "request: cannot be sent");
    return (size_t)n == l->request.n ? Q_OK : fail(Q_LIMIT, "request: too long to send at once");
}

static enum q_err connect_one(struct load *l, struct connection *c)
{
    const struct sockaddr_in a = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)l->port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    c->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (c->fd < 0 || connect(c->fd, (const struct sockaddr *)&a, sizeof a) != 0)
        return fail_os(errno, "127.0.0.1:%u: cannot connect", (unsigned)l->port);
    struct epoll_event e = {.events = EPOLLIN, .data.ptr = c};
    if (epoll_ctl(l->epoll, EPOLL_CTL_ADD, c->fd, &e) != 0)
        return fail_os(errno, "epoll: cannot add a connection");
    return Q_OK;
}

// The length of the whole answer once its head is there, else 0.
static enum q_err answer_size(const struct connection *c, size_t *size)
{
    *size = 0;
    const char *end = strstr(c->answer, "\r\n\r\n");
    if (end == NULL)
        return Q_OK;
    if (strncmp(c->answer, "HTTP/1.1 200 ", 13) != 0)
        return fail(Q_REFUSED, "answer: expected 200, found %.*s", 40, c->answer);
    for (const char *line = strstr(c->answer, "\r\n"); line < end;
         line = strstr(line + 2, "\r\n")) {
        if (strncasecmp(line + 2, "content-length:", 15) != 0)
            continue;
        unsigned long body = strtoul(line + 17, NULL, 10);
        if (body > ANSWER_MAX)
            break;
        *size = (size_t)(end - c->answer) + 4 + body;
        return Q_OK;
    }
    return fail(Q_BAD_INPUT, "answer: expected a Content-Length of at most %d", ANSWER_MAX);
}

static enum q_err finished(struct load *l, struct connection *c)
{
    l->end_us = now_us();
    l->latencies_us[l->done++] = (uint32_t)(l->end_us - c->started_us);
    bool more = l->begun < l->requests && l->end_us - l->start_us < (uint64_t)l->seconds * 1000000;
    return more ? send_request(l, c) : Q_OK;
}

static enum q_err receive(struct load *l, struct connection *c)
{
    ssize_t n = recv(c->fd, c->answer + c->n, ANSWER_MAX - c->n, 0);
    if (n <= 0)
        return fail_os(n < 0 ? errno : ECONNRESET, "answer: cannot be received");
    c->n += (size_t)n;
    c->answer[c->n] = '\0';
    size_t size;
    TRY(answer_size(c, &size));
    if (size != 0 && c->n > size)
        return fail(Q_BAD_INPUT, "answer: %zu bytes too many", c->n - size);
    return size != 0 && c->n == size ? finished(l, c) : Q_OK;
}

static enum q_err run(struct load *l)
{
    struct epoll_event ready[64];
    for (uint32_t i = 0; i < l->connections; i++)
        TRY(connect_one(l, &l->all[i]));
    l->start_us = l->end_us = now_us();
    for (uint32_t i = 0; i < l->connections && l->begun < l->requests; i++)
        TRY(send_request(l, &l->all[i]));
    while (l->done < l->begun) {
        int n = epoll_wait(l->epoll, ready, 64, 30000);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return fail(Q_TIMEOUT, "answer: none came for 30 s");
        for (int i = 0; i < n; i++)
            TRY(receive(l, ready[i].data.ptr));
    }
    return Q_OK;
}

static int ascending(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

static void report(struct load *l, const char *name)
{
    double seconds = (double)(l->end_us - l->start_us) / 1e6;
    qsort(l->latencies_us, l->done, sizeof *l->latencies_us, ascending);
    printf("%s_rate %.0f req/s\n", name, (double)l->done / (seconds > 0 ? seconds : 1e-6));
    printf("%s_p50 %.2f ms\n", name, l->latencies_us[l->done / 2] / 1e3);
    printf("%s_p99 %.2f ms\n", name, l->latencies_us[(uint64_t)l->done * 99 / 100] / 1e3);
}

static enum q_err prepare(struct load *l, const struct options *o, struct arena *a)
{
    TRY(options_u32(o, "port", 1, 65535, &l->port));
    TRY(options_u32(o, "connections", 1, CONNECTIONS_MAX, &l->connections));
    TRY(options_u32(o, "requests", 1, REQUESTS_MAX, &l->requests));
    TRY(options_u32(o, "seconds", 1, 600, &l->seconds));
    void *all, *latencies;
    TRY(arena_array(a, l->connections, sizeof *l->all, &all));
    TRY(arena_array(a, l->requests, sizeof *l->latencies_us, &latencies));
    l->all = all;
    l->latencies_us = latencies;
    l->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (l->epoll < 0)
        return fail_os(errno, "epoll: cannot be made");
    return make_request(o, &l->request);
}

static enum q_err start(int argc, char **argv)
{
    struct options o;
    struct load l = {0};
    BUF_AUTO help = {0};
    // 64 KiB for each connection, 4 bytes for each request.
    ARENA_AUTO a = {.budget = (size_t)512 << 20};
    TRY(options_parse(table, OPTIONS, argc - 1, argv + 1, &o));
    if (o.help) {
        TRY(options_help(table, OPTIONS, &help));
        (void)fwrite(help.p, 1, help.n, stdout);
        return Q_OK;
    }
    enum q_err err = prepare(&l, &o, &a);
    if (err == Q_OK)
        err = run(&l);
    if (err == Q_OK)
        report(&l, options_value(&o, "name"));
    buf_free(&l.request);
    return err; // the process ends: its sockets close with it
}

int main(int argc, char **argv)
{
    if (start(argc, argv) == Q_OK)
        return EXIT_SUCCESS;
    (void)fprintf(stderr, "load: %s\n", err_text());
    return EXIT_FAILURE;
}
