// A listening socket from the service manager (see inherited_socket.h).
#include "host/inherited_socket.h"

#include "base/text.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#define FIRST_DESCRIPTOR 3

static bool variable_is(const char *name, uint32_t expected)
{
    const char *value = getenv(name);
    uint32_t v;
    return value != NULL && text_u32(bytes_str(value), &v) == Q_OK && v == expected;
}

static enum q_err check_kind(int fd)
{
    int listening = 0;
    socklen_t size = sizeof listening;
    if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &size) != 0)
        return fail_os(errno, "LISTEN_FDS: descriptor %d", fd);
    if (listening == 0)
        return fail(Q_BAD_INPUT,
                    "LISTEN_FDS: expected a listening socket (ListenStream=), found another");
    return Q_OK;
}

static enum q_err check_address(int fd, const struct address *expected)
{
    struct sockaddr_in in = {0};
    socklen_t size = sizeof in;
    BUF_AUTO wanted = {0};
    BUF_AUTO found = {0};
    if (getsockname(fd, (struct sockaddr *)&in, &size) != 0)
        return fail_os(errno, "LISTEN_FDS: descriptor %d", fd);
    if (in.sin_family != AF_INET)
        return fail(Q_BAD_INPUT, "LISTEN_FDS: expected a TCP socket of IPv4 "
                                 "(ListenStream=127.0.0.1:3000), found another");
    struct address a = {
        .kind = ADDRESS_TCP, .ip = ntohl(in.sin_addr.s_addr), .port = ntohs(in.sin_port)};
    if (a.ip == expected->ip && (a.port == expected->port || expected->port == 0))
        return Q_OK;
    TRY(address_display(expected, &wanted));
    TRY(address_display(&a, &found));
    return fail(Q_BAD_INPUT,
                "--host-ip, --host-port: expected what the service manager's socket "
                "listens on, %.*s, found %.*s",
                (int)found.n, (const char *)found.p, (int)wanted.n, (const char *)wanted.p);
}

static enum q_err take(int fd, const struct address *expected)
{
    TRY(check_kind(fd));
    TRY(check_address(fd, expected));
    if (fcntl(fd, F_SETFL, O_NONBLOCK) != 0 || fcntl(fd, F_SETFD, FD_CLOEXEC) != 0)
        return fail_os(errno, "LISTEN_FDS: descriptor %d", fd);
    return Q_OK;
}

enum q_err inherited_socket(const struct address *expected, int *fd)
{
    bool ours = variable_is("LISTEN_PID", (uint32_t)getpid());
    bool one = variable_is("LISTEN_FDS", 1);
    *fd = -1;
    if (!ours)
        return Q_OK;
    (void)unsetenv("LISTEN_PID");
    (void)unsetenv("LISTEN_FDS");
    (void)unsetenv("LISTEN_FDNAMES");
    if (!one)
        return fail(Q_BAD_INPUT, "LISTEN_FDS: expected one socket, found another number of them");
    TRY(take(FIRST_DESCRIPTOR, expected));
    *fd = FIRST_DESCRIPTOR;
    return Q_OK;
}
