// The security module's randomness, mixed into the kernel's (nitro 2.1, 7: "mix getrandom and
// GetRandom"). The kernel hashes what is written to /dev/random into its pool without trusting it.
#include "tee/nsm.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/random.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define READY_MS 60000

static void close_auto(int *fd)
{
    if (*fd >= 0)
        (void)close(*fd);
}

static enum q_err fold(int fd, const char *pool, struct bytes random)
{
    ssize_t n = write(fd, random.p, random.n);
    if (n < 0)
        return fail_os(errno, "%s: cannot be written", pool);
    if ((size_t)n != random.n)
        return fail(Q_IO, "%s: expected to write %zu bytes, wrote %zd", pool, random.n, n);
    return Q_OK;
}

// /dev/random is readable once the kernel's generator has been seeded.
static enum q_err await_ready(int fd, const char *pool)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};
    int n;
    do
        n = poll(&p, 1, READY_MS);
    while (n < 0 && errno == EINTR);
    if (n < 0)
        return fail_os(errno, "%s: cannot be waited for", pool);
    if (n == 0)
        return fail(Q_TIMEOUT, "%s: expected the kernel's generator to be seeded within %d s", pool,
                    READY_MS / 1000);
    return Q_OK;
}

// Without the right to ask (EPERM), or on what is not the kernel's pool (ENOTTY), the kernel's own
// reseeding, every minute, has to do.
static enum q_err draw_anew(int fd, const char *pool)
{
    if (ioctl(fd, RNDRESEEDCRNG) == 0 || errno == EPERM || errno == ENOTTY)
        return Q_OK;
    return fail_os(errno, "%s: cannot be made to draw anew", pool);
}

enum q_err nsm_fold_randomness(struct nsm_port *p, const char *pool)
{
    BUF_AUTO random = {.wipe = true};
    TRY(nsm_random(p, &random));
    __attribute__((cleanup(close_auto))) int fd = open(pool, O_RDWR | O_CLOEXEC | O_NOCTTY);
    if (fd < 0)
        return fail_os(errno, "%s: cannot be opened", pool);
    TRY(fold(fd, pool, buf_bytes(&random)));
    TRY(await_ready(fd, pool));
    return draw_anew(fd, pool);
}
