// A load generator for the figures: keep-alive connections to this machine's own port, a bounded number of
// requests, of which a part may be malformed in turn in four ways. Counts what came back of each, and prints the
// resident memory of the processes that it is told of as the run goes on. Fails when an answer is lost or wrong.
#include "base/arena.h"
#include "base/file.h"
#include "base/options.h"
#include "base/text.h"

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

#define ANSWER_MAX ((size_t)256 << 10)
#define CONNECTIONS_MAX 1024
#define REQUESTS_MAX 10000000
#define PIDS_MAX 8
#define SILENCE_MS 30000
#define TENTHS 10

static const struct option table[] = {
    {.name = "port", .kind = OPTION_VALUE, .required = true, .help = "port on 127.0.0.1"},
    {.name = "method", .kind = OPTION_VALUE, .fallback = "GET", .help = "method of the request"},
    {.name = "path", .kind = OPTION_VALUE, .required = true, .help = "path of the request"},
    {.name = "body",
     .kind = OPTION_VALUE,
     .fallback = "",
     .help = "body, sent as application/json"},
    {.name = "connections", .kind = OPTION_VALUE, .fallback = "64", .help = "connections"},
    {.name = "requests", .kind = OPTION_VALUE, .fallback = "100000", .help = "requests in all"},
    {.name = "seconds", .kind = OPTION_VALUE, .fallback = "600", .help = "ends after this time"},
    {.name = "malformed",
     .kind = OPTION_VALUE,
     .fallback = "0",
     .help = "of a thousand requests, this many are malformed"},
    {.name = "pid",
     .kind = OPTION_VALUE,
     .multiple = true,
     .help = "a process whose resident memory is printed at each tenth of the run"},
    {.name = "name", .kind = OPTION_VALUE, .fallback = "api", .help = "first part of the names"},
};
#define OPTIONS (sizeof table / sizeof *table)

enum kind { GOOD, CUT_BODY, NO_TYPE, NO_PATH, NO_HTTP };
#define KINDS 5

struct connection {
    int fd;
    enum kind kind;
    bool waits;
    uint64_t started_us;
    struct buf answer;
};

struct load {
    uint32_t port, connections, requests, seconds, malformed, pids[PIDS_MAX];
    size_t pids_n;
    const char *name;
    struct buf texts[KINDS];
    struct connection *all;
    uint32_t *latencies_us;
    uint32_t begun, done, refused, closed, wrong, bad_begun, told;
    uint64_t start_us, end_us;
    int epoll;
};

static uint64_t now_us(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

static enum q_err make_text(const struct options *o, enum kind kind, struct buf *out)
{
    const char *body = options_value(o, "body");
    if (kind == NO_HTTP)
        return buf_append_str(out, "\x01\x02 nothing that HTTP knows\r\n\r\n");
    if (kind == CUT_BODY)
        body = "{\"cut\":[1,";
    return buf_printf(out, "%s %s%s HTTP/1.1\r\nHost: 127.0.0.1\r\n%sContent-Length: %zu\r\n\r\n%s",
                      kind == CUT_BODY ? "POST" : options_value(o, "method"),
                      options_value(o, "path"), kind == NO_PATH ? "-nowhere" : "",
                      kind == NO_TYPE ? "" : "Content-Type: application/json\r\n", strlen(body),
                      body);
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

// Spread evenly, the ways in turn.
static enum kind next_kind(struct load *l)
{
    uint64_t before = (uint64_t)l->begun * l->malformed / 1000;
    if ((uint64_t)(l->begun + 1) * l->malformed / 1000 == before)
        return GOOD;
    return (enum kind)(CUT_BODY + l->bad_begun++ % (KINDS - 1));
}

static enum q_err send_request(struct load *l, struct connection *c)
{
    buf_clear(&c->answer);
    c->kind = next_kind(l);
    c->waits = true;
    c->started_us = now_us();
    l->begun++;
    const struct buf *text = &l->texts[c->kind];
    ssize_t n = send(c->fd, text->p, text->n, MSG_NOSIGNAL);
    if (n < 0)
        return fail_os(errno, "request: cannot be sent");
    return (size_t)n == text->n ? Q_OK : fail(Q_LIMIT, "request: too long to send at once");
}

// The length of the whole answer once its head is there, else 0.
static enum q_err answer_size(const char *text, size_t *size)
{
    *size = 0;
    const char *end = strstr(text, "\r\n\r\n");
    if (end == NULL)
        return Q_OK;
    for (const char *line = strstr(text, "\r\n"); line < end; line = strstr(line + 2, "\r\n")) {
        if (strncasecmp(line + 2, "content-length:", 15) != 0)
            continue;
        unsigned long body = strtoul(line + 17, NULL, 10);
        if (body > ANSWER_MAX)
            break;
        *size = (size_t)(end - text) + 4 + body;
        return Q_OK;
    }
    return fail(Q_BAD_INPUT, "answer: expected a Content-Length of at most %zu", ANSWER_MAX);
}

static void count(struct load *l, const struct connection *c, const char *text)
{
    unsigned long status = strlen(text) > 9 ? strtoul(text + 9, NULL, 10) : 0;
    bool refused = status >= 400 && status < 500;
    if (c->kind == GOOD ? status == 200 : refused) {
        l->refused += refused ? 1 : 0;
        return;
    }
    if (l->wrong++ == 0)
        (void)fprintf(stderr, "api-load: %s request: %.400s\n",
                      c->kind == GOOD ? "good" : "malformed", text);
}

static enum q_err tell_memory(const struct load *l, uint32_t tenth)
{
    for (size_t i = 0; i < l->pids_n; i++) {
        char path[32];
        BUF_AUTO text = {0};
        (void)snprintf(path, sizeof path, "/proc/%u/status", l->pids[i]);
        TRY(file_read(path, (size_t)64 << 10, &text));
        const char *status = buf_text(&text), *line;
        if (status == NULL || (line = strstr(status, "VmRSS:")) == NULL)
            return fail(Q_MISSING, "%s: no VmRSS", path);
        printf("%s_rss_%u_at_%u %.2f MiB\n", l->name, l->pids[i], tenth * TENTHS,
               (double)strtoul(line + 6, NULL, 10) / 1024);
    }
    (void)fflush(stdout);
    return Q_OK;
}

static enum q_err over(struct load *l, struct connection *c)
{
    c->waits = false;
    l->end_us = now_us();
    l->latencies_us[l->done++] = (uint32_t)(l->end_us - c->started_us);
    while (l->told < TENTHS && (uint64_t)l->done * TENTHS >= (uint64_t)(l->told + 1) * l->requests)
        TRY(tell_memory(l, ++l->told));
    bool more = l->begun < l->requests && l->end_us - l->start_us < (uint64_t)l->seconds * 1000000;
    return more ? send_request(l, c) : Q_OK;
}

// What is not HTTP may be answered by hanging up, with or without a word; nothing else may.
static enum q_err hung_up(struct load *l, struct connection *c, const char *text)
{
    (void)close(c->fd);
    if (c->waits && c->kind != NO_HTTP)
        return fail(Q_CLOSED, "answer: the connection was closed, after: %.200s", text);
    bool waits = c->waits;
    l->closed += waits ? 1 : 0;
    TRY(connect_one(l, c));
    return waits ? over(l, c) : Q_OK;
}

static enum q_err receive(struct load *l, struct connection *c)
{
    char some[16384];
    ssize_t n = recv(c->fd, some, sizeof some, 0);
    const char *text = buf_text(&c->answer);
    if (n <= 0)
        return hung_up(l, c, text == NULL ? "" : text);
    TRY(buf_append(&c->answer, bytes_of(some, (size_t)n)));
    if (c->kind == NO_HTTP || !c->waits) // until it hangs up
        return Q_OK;
    size_t size;
    if ((text = buf_text(&c->answer)) == NULL)
        return fail(Q_NOMEM, "answer: no memory");
    TRY(answer_size(text, &size));
    if (size == 0 || c->answer.n < size)
        return Q_OK;
    if (c->answer.n > size)
        return fail(Q_BAD_INPUT, "answer: %zu bytes too many", c->answer.n - size);
    count(l, c, text);
    return over(l, c);
}

static enum q_err run(struct load *l)
{
    struct epoll_event ready[64];
    for (uint32_t i = 0; i < l->connections; i++)
        TRY(connect_one(l, &l->all[i]));
    TRY(tell_memory(l, 0));
    l->start_us = l->end_us = now_us();
    for (uint32_t i = 0; i < l->connections && l->begun < l->requests; i++)
        TRY(send_request(l, &l->all[i]));
    while (l->done < l->begun) {
        int n = epoll_wait(l->epoll, ready, 64, SILENCE_MS);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return fail(Q_TIMEOUT, "answer: none came for %d ms, %u are lost", SILENCE_MS,
                        l->begun - l->done);
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

static enum q_err report(struct load *l)
{
    double seconds = (double)(l->end_us - l->start_us) / 1e6;
    qsort(l->latencies_us, l->done, sizeof *l->latencies_us, ascending);
    printf("%s_rate %.0f req/s\n", l->name, (double)l->done / (seconds > 0 ? seconds : 1e-6));
    uint32_t middle = l->latencies_us[l->done / 2];
    uint32_t slow = l->latencies_us[(uint64_t)l->done * 99 / 100];
    printf("%s_p50 %.2f ms\n", l->name, middle / 1e3);
    printf("%s_p99 %.2f ms\n", l->name, slow / 1e3);
    if (l->malformed > 0) {
        printf("%s_answered %u requests\n", l->name, l->done);
        printf("%s_malformed_refused %u requests\n", l->name, l->refused);
        printf("%s_malformed_hung_up_on %u requests\n", l->name, l->closed);
    }
    if (l->wrong > 0 || l->refused + l->closed != l->bad_begun || l->done != l->begun)
        return fail(Q_REFUSED, "answers: expected %u and none wrong, found %u and %u wrong",
                    l->begun, l->done, l->wrong);
    return Q_OK;
}

static enum q_err prepare(struct load *l, const struct options *o, struct arena *a)
{
    TRY(options_u32(o, "port", 1, 65535, &l->port));
    TRY(options_u32(o, "connections", 1, CONNECTIONS_MAX, &l->connections));
    TRY(options_u32(o, "requests", 1, REQUESTS_MAX, &l->requests));
    TRY(options_u32(o, "seconds", 1, 3600, &l->seconds));
    TRY(options_u32(o, "malformed", 0, 1000, &l->malformed));
    l->name = options_value(o, "name");
    for (l->pids_n = 0; l->pids_n < o->values_count && l->pids_n < PIDS_MAX; l->pids_n++)
        TRY(text_u32(bytes_str(o->values[l->pids_n]), &l->pids[l->pids_n]));
    for (int kind = 0; kind < KINDS; kind++)
        TRY(make_text(o, (enum kind)kind, &l->texts[kind]));
    // Without a body there is no type to miss.
    if (options_value(o, "body")[0] == '\0') {
        buf_clear(&l->texts[NO_TYPE]);
        TRY(make_text(o, NO_PATH, &l->texts[NO_TYPE]));
    }
    void *all, *latencies;
    TRY(arena_array(a, l->connections, sizeof *l->all, &all));
    TRY(arena_array(a, l->requests, sizeof *l->latencies_us, &latencies));
    l->all = all;
    l->latencies_us = latencies;
    l->epoll = epoll_create1(EPOLL_CLOEXEC);
    return l->epoll < 0 ? fail_os(errno, "epoll: cannot be made") : Q_OK;
}

static enum q_err start(int argc, char **argv)
{
    struct options o;
    struct load l = {0};
    BUF_AUTO help = {0};
    ARENA_AUTO a = {.budget = (size_t)128 << 20}; // 4 bytes for each request
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
        err = report(&l);
    for (uint32_t i = 0; l.all != NULL && i < l.connections; i++)
        buf_free(&l.all[i].answer);
    for (int kind = 0; kind < KINDS; kind++)
        buf_free(&l.texts[kind]);
    return err; // the process ends: its sockets close with it
}

int main(int argc, char **argv)
{
    if (start(argc, argv) == Q_OK)
        return EXIT_SUCCESS;
    (void)fprintf(stderr, "api-load: %s\n", err_text());
    return EXIT_FAILURE;
}
