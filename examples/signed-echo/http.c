// Routes of the example application (see http.h): one thread, many connections, bodies bounded.
#include "http.h"

#include "echo.h"

#include <arpa/inet.h>
#include <errno.h>
#include <microhttpd.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define CONNECTIONS_MAX 256
#define IDLE_SECONDS 30
#define BACKLOG 128

struct request {
    char *body;
    size_t size;
    bool too_large, no_memory;
};

static enum MHD_Result queue(struct MHD_Connection *c, unsigned status, const char *json,
                             const char *allow)
{
    size_t n = json != NULL ? strlen(json) : 0;
    struct MHD_Response *r =
        MHD_create_response_from_buffer(n, (void *)(uintptr_t)json, MHD_RESPMEM_MUST_COPY);
    if (r == NULL)
        return MHD_NO;
    if (n > 0)
        (void)MHD_add_response_header(r, "Content-Type", "application/json");
    if (allow != NULL)
        (void)MHD_add_response_header(r, "Allow", allow);
    enum MHD_Result result = MHD_queue_response(c, status, r);
    MHD_destroy_response(r);
    return result;
}

static struct reply echo(const char *quorum_file, const struct request *r)
{
    if (r->no_memory)
        return echo_error(MHD_HTTP_INTERNAL_SERVER_ERROR, "message: no memory for it");
    if (r->too_large)
        return echo_error(MHD_HTTP_CONTENT_TOO_LARGE, "message: expected at most 1048576 bytes");
    return echo_sign(quorum_file, r->body, r->size);
}

static enum MHD_Result answer(struct MHD_Connection *c, struct reply reply)
{
    if (reply.json == NULL)
        return MHD_NO;
    enum MHD_Result result = queue(c, reply.status, reply.json, NULL);
    free(reply.json);
    return result;
}

static enum MHD_Result route(const char *quorum_file, struct MHD_Connection *c, const char *path,
                             const char *method, const struct request *r)
{
    bool health = strcmp(path, "/health") == 0;
    if (!health && strcmp(path, "/echo") != 0)
        return queue(c, MHD_HTTP_NOT_FOUND, NULL, NULL);
    if (strcmp(method, health ? "GET" : "POST") != 0)
        return queue(c, MHD_HTTP_METHOD_NOT_ALLOWED, NULL, health ? "GET" : "POST");
    return answer(c, health ? echo_health() : echo(quorum_file, r));
}

// Bytes over the limit are read and dropped, so that the client gets an answer.
static void collect(struct request *r, const char *more, size_t n)
{
    if (r->too_large || n > ECHO_MESSAGE_MAX - r->size) {
        r->too_large = true;
        return;
    }
    if (r->body == NULL)
        r->body = malloc(ECHO_MESSAGE_MAX);
    if (r->body == NULL) {
        r->no_memory = true;
        return;
    }
    memcpy(r->body + r->size, more, n);
    r->size += n;
}

static enum MHD_Result handle(void *context, struct MHD_Connection *c, const char *path,
                              const char *method, const char *version, const char *data,
                              size_t *size, void **state)
{
    (void)version;
    struct request *r = *state;
    if (r == NULL) {
        *state = calloc(1, sizeof(struct request));
        return *state == NULL ? MHD_NO : MHD_YES;
    }
    if (*size > 0) {
        collect(r, data, *size);
        *size = 0;
        return MHD_YES;
    }
    return route(context, c, path, method, r);
}

static void completed(void *context, struct MHD_Connection *c, void **state,
                      enum MHD_RequestTerminationCode why)
{
    (void)context;
    (void)c;
    (void)why;
    struct request *r = *state;
    if (r != NULL)
        free(r->body);
    free(r);
}

// A listening socket, or -1 after one sentence.
static int listen_on(const char *ip, uint16_t port)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(port)};
    if (inet_pton(AF_INET, ip, &a.sin_addr) != 1) {
        fprintf(stderr, "signed-echo: error: --host: expected an IPv4 address, found %s\n", ip);
        return -1;
    }
    const int on = 1;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd >= 0)
        (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (fd >= 0 && bind(fd, (const struct sockaddr *)&a, sizeof a) == 0 && listen(fd, BACKLOG) == 0)
        return fd;
    fprintf(stderr, "signed-echo: error: %s:%u: cannot listen: %s\n", ip, port, strerror(errno));
    if (fd >= 0)
        (void)close(fd);
    return -1;
}

struct MHD_Daemon *http_start(const char *ip, uint16_t port, const char *quorum_file)
{
    int fd = listen_on(ip, port);
    if (fd < 0)
        return NULL;
    // The handler takes the name as its context and only reads it.
    struct MHD_Daemon *daemon = MHD_start_daemon(
        MHD_USE_EPOLL_INTERNAL_THREAD, 0, NULL, NULL, handle, (void *)(uintptr_t)quorum_file,
        MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_CONNECTION_LIMIT, (unsigned)CONNECTIONS_MAX,
        MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)IDLE_SECONDS, MHD_OPTION_NOTIFY_COMPLETED,
        completed, NULL, MHD_OPTION_END);
    if (daemon != NULL)
        return daemon;
    (void)close(fd);
    fprintf(stderr, "signed-echo: error: %s:%u: the HTTP server cannot be started\n", ip, port);
    return NULL;
}

void http_stop(struct MHD_Daemon *daemon)
{
    MHD_stop_daemon(daemon);
}
