// Both ends of TCP streams for the figures of bridges: `--serve` is the application behind them, without it the
// client before them. Each end sends the same bytes while it receives the other's, counts and, when told so,
// hashes them; the server's findings come behind its bytes, and the client compares.
#include "base/options.h"

#include <arpa/inet.h>
#include <errno.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define BLOCK 65536
#define HASH 32
#define WORKERS_MAX 256

static const struct option table[] = {
    {.name = "serve", .kind = OPTION_FLAG, .help = "be the server"},
    {.name = "ip", .kind = OPTION_VALUE, .fallback = "127.0.0.1", .help = "address"},
    {.name = "port", .kind = OPTION_VALUE, .required = true, .help = "port"},
    {.name = "bytes", .kind = OPTION_VALUE, .fallback = "0", .help = "sent by each end"},
    {.name = "mebibytes", .kind = OPTION_VALUE, .fallback = "0", .help = "added to --bytes"},
    {.name = "connections", .kind = OPTION_VALUE, .fallback = "1", .help = "one after the other"},
    {.name = "workers", .kind = OPTION_VALUE, .fallback = "1", .help = "at the same time"},
    {.name = "hash", .kind = OPTION_FLAG, .help = "hash what is sent and received"},
    {.name = "name", .kind = OPTION_VALUE, .fallback = "stream", .help = "first part of the names"},
};
#define OPTIONS (sizeof table / sizeof *table)

// Sent first by the client.
struct order {
    uint64_t bytes;
    uint64_t hash; // 0 or 1
};

// Sent last by the server: what it received.
struct finding {
    uint64_t bytes;
    uint8_t hash[HASH];
};

struct end {
    int fd;
    struct order order;
    uint8_t sent_hash[HASH];
    bool good;
};

static uint8_t pattern[BLOCK];

static void fill_pattern(void)
{
    uint32_t x = 1;
    for (size_t i = 0; i < BLOCK; i++) {
        x = x * 1664525u + 1013904223u;
        pattern[i] = (uint8_t)(x >> 24);
    }
}

static bool put(int fd, const void *p, size_t n)
{
    const uint8_t *at = p;
    while (n > 0) {
        ssize_t sent = send(fd, at, n, MSG_NOSIGNAL);
        if (sent <= 0)
            return false;
        at += sent;
        n -= (size_t)sent;
    }
    return true;
}

static bool get(int fd, void *p, size_t n)
{
    return n == 0 || recv(fd, p, n, MSG_WAITALL) == (ssize_t)n;
}

// Blocks that each begin with their number, so that none can take another's place.
static void *sender(void *context)
{
    struct end *e = context;
    uint8_t block[BLOCK];
    memcpy(block, pattern, sizeof block);
    EVP_MD_CTX *hash = e->order.hash != 0 ? EVP_MD_CTX_new() : NULL;
    e->good = hash == NULL || EVP_DigestInit_ex(hash, EVP_sha256(), NULL) == 1;
    uint64_t left = e->order.bytes;
    for (uint64_t number = 0; left > 0 && e->good; number++) {
        size_t n = left < BLOCK ? (size_t)left : BLOCK;
        memcpy(block, &number, sizeof number);
        e->good = put(e->fd, block, n) && (hash == NULL || EVP_DigestUpdate(hash, block, n) == 1);
        left -= n;
    }
    if (hash != NULL)
        e->good = EVP_DigestFinal_ex(hash, e->sent_hash, NULL) == 1 && e->good;
    EVP_MD_CTX_free(hash);
    return NULL;
}

// At most limit bytes, or until the other end's end.
static bool receive(int fd, bool hashed, uint64_t limit, struct finding *out)
{
    uint8_t *block = malloc(BLOCK);
    EVP_MD_CTX *hash = EVP_MD_CTX_new();
    bool good = block != NULL && hash != NULL && EVP_DigestInit_ex(hash, EVP_sha256(), NULL) == 1;
    ssize_t n = 1;
    while (good && n > 0 && out->bytes < limit) {
        uint64_t left = limit - out->bytes;
        n = recv(fd, block, left < BLOCK ? (size_t)left : BLOCK, 0);
        good = n >= 0 && (!hashed || n == 0 || EVP_DigestUpdate(hash, block, (size_t)n) == 1);
        out->bytes += n > 0 ? (uint64_t)n : 0;
    }
    if (hashed)
        good = good && EVP_DigestFinal_ex(hash, out->hash, NULL) == 1;
    EVP_MD_CTX_free(hash);
    free(block);
    return good;
}

static void *serve_one(void *context)
{
    struct end e = {.fd = *(int *)context};
    struct finding found = {0};
    pthread_t thread;
    free(context);
    if (get(e.fd, &e.order, sizeof e.order) && pthread_create(&thread, NULL, sender, &e) == 0) {
        bool good = receive(e.fd, e.order.hash != 0, UINT64_MAX, &found);
        (void)pthread_join(thread, NULL);
        if (good && e.good)
            (void)put(e.fd, &found, sizeof found);
    }
    (void)close(e.fd);
    return NULL;
}

static struct sockaddr_in address_of(const char *ip, uint32_t port)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    (void)inet_pton(AF_INET, ip, &a.sin_addr);
    return a;
}

static enum q_err serve(const struct sockaddr_in *a)
{
    int on = 1, listener = socket(AF_INET, SOCK_STREAM, 0);
    if (setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0 ||
        bind(listener, (const struct sockaddr *)a, sizeof *a) != 0 ||
        listen(listener, SOMAXCONN) != 0)
        return fail_os(errno, "listening");
    for (;;) {
        int *fd = malloc(sizeof *fd);
        if (fd == NULL)
            return fail(Q_NOMEM, "no memory");
        *fd = accept(listener, NULL, NULL);
        pthread_t thread;
        if (*fd < 0 || pthread_create(&thread, NULL, serve_one, fd) != 0) {
            if (*fd >= 0)
                (void)close(*fd);
            free(fd);
            continue;
        }
        (void)pthread_detach(thread);
    }
}

struct run {
    struct sockaddr_in address;
    struct order order;
    uint32_t connections, workers;
    uint32_t begun, good; // under lock
    pthread_mutex_t lock;
};

static bool compare(struct end *e)
{
    struct finding found = {0}, theirs;
    pthread_t thread;
    if (!put(e->fd, &e->order, sizeof e->order) || pthread_create(&thread, NULL, sender, e) != 0)
        return false;
    bool good = receive(e->fd, e->order.hash != 0, e->order.bytes, &found);
    (void)pthread_join(thread, NULL);
    good = shutdown(e->fd, SHUT_WR) == 0 && good && e->good;
    uint8_t more;
    good = good && get(e->fd, &theirs, sizeof theirs) && recv(e->fd, &more, 1, 0) == 0;
    return good && found.bytes == e->order.bytes && theirs.bytes == e->order.bytes &&
           memcmp(found.hash, e->sent_hash, HASH) == 0 &&
           memcmp(theirs.hash, e->sent_hash, HASH) == 0;
}

static bool connect_one(const struct run *r)
{
    struct end e = {.fd = socket(AF_INET, SOCK_STREAM, 0), .order = r->order};
    bool good = e.fd >= 0 &&
                connect(e.fd, (const struct sockaddr *)&r->address, sizeof r->address) == 0 &&
                compare(&e);
    if (e.fd >= 0)
        (void)close(e.fd);
    return good;
}

static bool next(struct run *r, bool last_good)
{
    (void)pthread_mutex_lock(&r->lock);
    r->good += last_good ? 1 : 0;
    bool more = r->begun < r->connections;
    r->begun += more ? 1 : 0;
    (void)pthread_mutex_unlock(&r->lock);
    return more;
}

static void *work(void *context)
{
    struct run *r = context;
    bool good = false;
    while (next(r, good))
        good = connect_one(r);
    return NULL;
}

static double now(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static enum q_err run_client(struct run *r, const char *name)
{
    pthread_t threads[WORKERS_MAX];
    double start = now();
    for (uint32_t i = 0; i < r->workers; i++) {
        if (pthread_create(&threads[i], NULL, work, r) != 0)
            return fail(Q_NOMEM, "no thread");
    }
    for (uint32_t i = 0; i < r->workers; i++)
        (void)pthread_join(threads[i], NULL);
    double took = now() - start;
    if (r->good != r->connections)
        return fail(Q_IO, "%s: %u of %u connections lost something", name, r->connections - r->good,
                    r->connections);
    double bytes = 2.0 * (double)r->order.bytes * r->connections;
    if (r->connections > 1)
        (void)printf("%s_rate %.0f connections/s\n", name, r->connections / took);
    else
        (void)printf("%s_rate %.0f MiB/s\n", name, bytes / took / 1048576);
    return Q_OK;
}

static enum q_err start(int argc, char **argv)
{
    struct options o;
    struct run r = {.lock = PTHREAD_MUTEX_INITIALIZER};
    uint32_t port, bytes, mebibytes;
    TRY(options_parse(table, OPTIONS, argc - 1, argv + 1, &o));
    TRY(options_u32(&o, "port", 1, 65535, &port));
    TRY(options_u32(&o, "bytes", 0, UINT32_MAX, &bytes));
    TRY(options_u32(&o, "mebibytes", 0, UINT32_MAX, &mebibytes));
    TRY(options_u32(&o, "connections", 1, 1000000, &r.connections));
    TRY(options_u32(&o, "workers", 1, WORKERS_MAX, &r.workers));
    r.order = (struct order){.bytes = bytes + ((uint64_t)mebibytes << 20),
                             .hash = options_given(&o, "hash") ? 1 : 0};
    r.address = address_of(options_value(&o, "ip"), port);
    fill_pattern();
    return options_given(&o, "serve") ? serve(&r.address)
                                      : run_client(&r, options_value(&o, "name"));
}

int main(int argc, char **argv)
{
    (void)signal(SIGPIPE, SIG_IGN);
    if (start(argc, argv) == Q_OK)
        return EXIT_SUCCESS;
    (void)fprintf(stderr, "stream: %s\n", err_text());
    return EXIT_FAILURE;
}
