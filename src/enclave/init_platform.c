// What PID 1 does for the machine it is on: the security module's driver, the kernel's random
// generator, the loopback interface, our own vsock number (qos-behaviour 5, steps 3, 4 and 6).
#include "enclave/init.h"

#include "base/file.h"
#include "base/log.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/vm_sockets.h>
#include <net/if.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#define GENERATOR "nsm-hwrng"
#define GENERATOR_MAX 256

static void close_auto(int *fd)
{
    if (*fd >= 0)
        (void)close(*fd);
}
#define FD_AUTO __attribute__((cleanup(close_auto))) int

void init_load_module(const char *path)
{
    FD_AUTO fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        if (errno != ENOENT)
            log_error("%s: %s", path, strerror(errno));
        return;
    }
    if (syscall(SYS_finit_module, fd, "", 0) != 0)
        log_error("%s: cannot be loaded: %s", path, strerror(errno));
}

enum q_err init_check_generator(const char *path)
{
    BUF_AUTO text = {0};
    TRY(err_context(file_read(path, GENERATOR_MAX, &text), "hardware random generator"));
    struct bytes found = bytes_trim(buf_bytes(&text));
    if (!bytes_is(found, GENERATOR))
        return fail(Q_TEE, "hardware random generator: expected " GENERATOR ", found %.*s",
                    (int)found.n, found.n > 0 ? (const char *)found.p : "");
    return Q_OK;
}

static void set_ipv4(struct ifreq *r, uint32_t ip)
{
    const struct sockaddr_in sa = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(ip)};
    memcpy(&r->ifr_addr, &sa, sizeof sa);
}

static bool raise_loopback(int fd)
{
    struct ifreq r = {.ifr_name = "lo"};
    set_ipv4(&r, INADDR_LOOPBACK);
    if (ioctl(fd, SIOCSIFADDR, &r) != 0)
        return false;
    set_ipv4(&r, 0xff000000);
    if (ioctl(fd, SIOCSIFNETMASK, &r) != 0 || ioctl(fd, SIOCGIFFLAGS, &r) != 0)
        return false;
    r.ifr_flags = (short)(r.ifr_flags | IFF_UP | IFF_RUNNING);
    return ioctl(fd, SIOCSIFFLAGS, &r) == 0;
}

void init_loopback(void)
{
    FD_AUTO fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || !raise_loopback(fd))
        log_error("loopback: %s; the application cannot listen on 127.0.0.1", strerror(errno));
}

enum q_err init_own_cid(const char *device, uint32_t *cid)
{
    FD_AUTO fd = open(device, O_RDONLY | O_CLOEXEC);
    unsigned int found = 0;
    if (fd < 0)
        return fail_os(errno, "%s: cannot be opened", device);
    if (ioctl(fd, IOCTL_VM_SOCKETS_GET_LOCAL_CID, &found) != 0)
        return fail_os(errno, "%s: our own context id", device);
    if (found == VMADDR_CID_ANY)
        return fail(Q_IO, "%s: expected a context id of our own, found none", device);
    *cid = found;
    return Q_OK;
}
