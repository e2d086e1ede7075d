// The heartbeat (see heartbeat.h).
#include "enclave/heartbeat.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

static void close_auto(int *fd)
{
    if (*fd >= 0)
        (void)close(*fd);
}

static enum q_err await(int fd, short events, int within_ms, const char *what)
{
    struct pollfd p = {.fd = fd, .events = events};
    int n;
    do
        n = poll(&p, 1, within_ms);
    while (n < 0 && errno == EINTR);
    if (n < 0)
        return fail_os(errno, "%s", what);
    if (n == 0)
        return fail(Q_TIMEOUT, "%s: expected within %d ms, waited longer", what, within_ms);
    return Q_OK;
}

static enum q_err exchange(int fd, int within_ms)
{
    uint8_t byte = HEARTBEAT_BYTE;
    if (send(fd, &byte, 1, MSG_NOSIGNAL) != 1)
        return fail_os(errno, "sending");
    TRY(await(fd, POLLIN, within_ms, "answer"));
    byte = 0;
    ssize_t n = recv(fd, &byte, 1, 0);
    if (n < 0)
        return fail_os(errno, "answer");
    if (n == 0)
        return fail(Q_CLOSED, "answer: expected a byte, the peer closed the connection");
    if (byte != HEARTBEAT_BYTE)
        return fail(Q_BAD_INPUT, "answer: expected the byte %02x, found %02x", HEARTBEAT_BYTE,
                    byte);
    return Q_OK;
}

static enum q_err connected(const struct address *host, int fd, int within_ms)
{
    TRY(await(fd, POLLOUT, within_ms, "connection"));
    TRY(address_connected(host, fd));
    return exchange(fd, within_ms);
}

enum q_err heartbeat(const struct address *host, int within_ms)
{
    __attribute__((cleanup(close_auto))) int fd = -1;
    TRY(err_context(address_connect(host, &fd), "heartbeat"));
    return err_context(connected(host, fd, within_ms), "heartbeat");
}
