// Addresses of stream sockets: listening and connecting without blocking (see address.h; qos-wire 5.1).
#include "net/address.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

enum q_err address_from_options(const struct options *o, struct address *out)
{
    bool unix_path = options_given(o, "usock");
    bool cid = options_given(o, "cid"), port = options_given(o, "port");
    *out = (struct address){0};
    TRY(options_bool(o, "vsock-to-host", &out->to_host));
    if (unix_path && !cid && !port) {
        out->kind = ADDRESS_UNIX;
        out->path = options_value(o, "usock");
        return Q_OK;
    }
    if (unix_path || !cid || !port)
        return fail(Q_BAD_INPUT,
                    "Invalid socket opts: expected --usock PATH, or --cid N and --port "
                    "N, found %s",
                    unix_path ? "both"
                    : cid     ? "no --port"
                    : port    ? "no --cid"
                              : "neither");
    out->kind = ADDRESS_VSOCK;
    TRY(options_u32(o, "cid", 0, UINT32_MAX, &out->cid));
    return options_u32(o, "port", 0, UINT32_MAX, &out->port);
}

enum q_err address_display(const struct address *a, struct buf *out)
{
    switch (a->kind) {
    case ADDRESS_UNIX:
        return buf_printf(out, "unix socket %s", a->path);
    case ADDRESS_VSOCK:
        return buf_printf(out, "vsock cid %u port %u", a->cid, a->port);
    case ADDRESS_TCP:
        return buf_printf(out, "%u.%u.%u.%u:%u", a->ip >> 24, a->ip >> 16 & 255, a->ip >> 8 & 255,
                          a->ip & 255, a->port);
    }
    return fail(Q_INTERNAL, "address: unknown kind %d", (int)a->kind);
}

// For error sentences; never fails.
static const char *display(const struct address *a, struct buf *b)
{
    const char *text = address_display(a, b) == Q_OK ? buf_text(b) : NULL;
    return text == NULL ? "address" : text;
}

enum q_err address_to_sockaddr(const struct address *a, bool connecting, union any_address *out,
                               socklen_t *size)
{
    memset(out, 0, sizeof *out);
    switch (a->kind) {
    case ADDRESS_UNIX: {
        size_t n = strlen(a->path);
        if (n == 0 || n >= sizeof out->un.sun_path)
            return fail(Q_BAD_INPUT, "unix socket %s: expected a path of 1 to %zu bytes, found %zu",
                        a->path, sizeof out->un.sun_path - 1, n);
        out->un.sun_family = AF_UNIX;
        memcpy(out->un.sun_path, a->path, n + 1);
        *size = sizeof out->un;
        return Q_OK;
    }
    case ADDRESS_VSOCK:
        out->vm.svm_family = AF_VSOCK;
        out->vm.svm_cid = a->cid;
        out->vm.svm_port = a->port;
        out->vm.svm_flags = connecting && a->to_host ? VMADDR_FLAG_TO_HOST : 0;
        *size = sizeof out->vm;
        return Q_OK;
    case ADDRESS_TCP:
        if (a->port > UINT16_MAX)
            return fail(Q_BAD_INPUT, "TCP port: expected at most 65535, found %u", a->port);
        out->in.sin_family = AF_INET;
        out->in.sin_port = htons((uint16_t)a->port);
        out->in.sin_addr.s_addr = htonl(a->ip);
        *size = sizeof out->in;
        return Q_OK;
    }
    return fail(Q_INTERNAL, "address: unknown kind %d", (int)a->kind);
}

enum q_err address_of_bridge(const struct address *enclave, uint16_t port,
                             char path[static ADDRESS_PATH_SIZE], struct address *out)
{
    *out = *enclave;
    out->port = port;
    if (enclave->kind != ADDRESS_UNIX)
        return Q_OK;
    int n = snprintf(path, ADDRESS_PATH_SIZE, "%s.%u.appsock", enclave->path, port);
    if (n < 0 || n >= ADDRESS_PATH_SIZE)
        return fail(Q_BAD_INPUT,
                    "unix socket %s.%u.appsock: expected a path of at most %d bytes, found %d",
                    enclave->path, port, ADDRESS_PATH_SIZE - 1, n);
    out->path = path;
    return Q_OK;
}

enum q_err address_of_egress(const struct address *enclave, uint32_t cid, uint32_t port,
                             char path[static ADDRESS_PATH_SIZE], struct address *out)
{
    *out = (struct address){.kind = enclave->kind, .cid = cid, .port = port};
    if (enclave->kind != ADDRESS_UNIX)
        return Q_OK;
    int n = snprintf(path, ADDRESS_PATH_SIZE, "%s.egress.appsock", enclave->path);
    if (n < 0 || n >= ADDRESS_PATH_SIZE)
        return fail(Q_BAD_INPUT,
                    "unix socket %s.egress.appsock: expected a path of at most %d bytes, found %d",
                    enclave->path, ADDRESS_PATH_SIZE - 1, n);
    out->path = path;
    return Q_OK;
}

static enum q_err open_socket(const struct address *a, const union any_address *sa, int *fd)
{
    BUF_AUTO name = {0};
    *fd = socket(sa->sa.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (*fd < 0)
        return fail_os(errno, "%s: socket", display(a, &name));
    return Q_OK;
}

// Removes a socket file that nobody answers on.
static enum q_err clear_path(const struct address *a, const union any_address *sa, socklen_t size)
{
    struct stat st;
    if (lstat(a->path, &st) != 0)
        return errno == ENOENT ? Q_OK : fail_os(errno, "unix socket %s", a->path);
    if (!S_ISSOCK(st.st_mode))
        return fail(Q_EXISTS,
                    "unix socket %s: expected a socket or nothing there, found another "
                    "kind of file",
                    a->path);
    int fd;
    TRY(open_socket(a, sa, &fd));
    bool dead = connect(fd, &sa->sa, size) != 0 && errno == ECONNREFUSED;
    (void)close(fd);
    if (!dead)
        return fail(Q_EXISTS,
                    "unix socket %s: expected nobody to listen there, found a program "
                    "that does",
                    a->path);
    if (unlink(a->path) != 0)
        return fail_os(errno, "unix socket %s: removing the one of an earlier run", a->path);
    return Q_OK;
}

enum q_err address_listen(const struct address *a, int backlog, int *fd)
{
    union any_address sa;
    socklen_t size;
    BUF_AUTO name = {0};
    *fd = -1;
    TRY(address_to_sockaddr(a, false, &sa, &size));
    if (a->kind == ADDRESS_UNIX)
        TRY(clear_path(a, &sa, size));
    int made;
    TRY(open_socket(a, &sa, &made));
    int on = 1;
    if (a->kind == ADDRESS_TCP)
        (void)setsockopt(made, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(made, &sa.sa, size) != 0 || listen(made, backlog) != 0) {
        int why = errno;
        (void)close(made);
        return fail_os(why, "listening on %s", display(a, &name));
    }
    *fd = made;
    return Q_OK;
}

struct socket_file socket_file_of(const struct address *listening)
{
    struct stat st;
    if (listening->kind != ADDRESS_UNIX || lstat(listening->path, &st) != 0)
        return (struct socket_file){0};
    return (struct socket_file){.path = listening->path, .device = st.st_dev, .inode = st.st_ino};
}

void socket_file_remove(const struct socket_file *f)
{
    struct stat st;
    if (f->path != NULL && lstat(f->path, &st) == 0 && st.st_dev == f->device &&
        st.st_ino == f->inode)
        (void)unlink(f->path);
}

enum q_err address_connect(const struct address *a, int *fd)
{
    union any_address sa;
    socklen_t size;
    BUF_AUTO name = {0};
    *fd = -1;
    TRY(address_to_sockaddr(a, true, &sa, &size));
    int made;
    TRY(open_socket(a, &sa, &made));
    int on = 1;
    if (a->kind == ADDRESS_TCP)
        (void)setsockopt(made, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (connect(made, &sa.sa, size) == 0 || errno == EINPROGRESS) {
        *fd = made;
        return Q_OK;
    }
    int why = errno;
    (void)close(made);
    if (why == EAGAIN)
        return fail(Q_LIMIT, "connecting to %s: its queue of connections is full",
                    display(a, &name));
    return fail_os(why, "connecting to %s", display(a, &name));
}

// Where nobody listens on a port that the kernel may choose for who connects, it chooses that port itself one
// time in thousands: the socket is then its own peer, and keeps the port from whom it was meant for.
static bool reached_itself(int fd)
{
    union any_address own = {0}, peer = {0};
    socklen_t own_size = sizeof own, peer_size = sizeof peer;
    return getsockname(fd, &own.sa, &own_size) == 0 && getpeername(fd, &peer.sa, &peer_size) == 0 &&
           own.sa.sa_family == AF_INET && own.in.sin_port == peer.in.sin_port &&
           own.in.sin_addr.s_addr == peer.in.sin_addr.s_addr;
}

// By a reset, so that the port is free when the socket is closed.
static void free_port_at_once(int fd)
{
    const struct linger at_once = {.l_onoff = 1};
    (void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
}

enum q_err address_connected(const struct address *a, int fd)
{
    int why = 0;
    socklen_t size = sizeof why;
    BUF_AUTO name = {0};
    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &why, &size) != 0)
        why = errno;
    if (why != 0)
        return fail_os(why, "connecting to %s", display(a, &name));
    if (a->kind != ADDRESS_TCP || !reached_itself(fd))
        return Q_OK;
    free_port_at_once(fd);
    return fail(Q_IO, "connecting to %s: nobody listens there", display(a, &name));
}

enum q_err address_local_port(int fd, uint32_t *port)
{
    union any_address sa = {0};
    socklen_t size = sizeof sa;
    if (getsockname(fd, &sa.sa, &size) != 0)
        return fail_os(errno, "descriptor %d: its own address", fd);
    if (sa.sa.sa_family == AF_INET)
        *port = ntohs(sa.in.sin_port);
    else if (sa.sa.sa_family == AF_VSOCK)
        *port = sa.vm.svm_port;
    else
        return fail(Q_BAD_INPUT, "descriptor %d: expected a TCP or vsock socket", fd);
    return Q_OK;
}

enum q_err address_ipv4(const char *text, uint32_t *ip)
{
    struct in_addr in;
    if (inet_pton(AF_INET, text, &in) != 1)
        return fail(Q_BAD_INPUT, "IP address: expected four numbers such as 127.0.0.1, found %s",
                    text);
    *ip = ntohl(in.s_addr);
    return Q_OK;
}
