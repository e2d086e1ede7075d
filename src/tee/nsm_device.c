// The security module's device: one descriptor, one ioctl (nitro 2.1).
#include "tee/nsm.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#define NSM_IOCTL_RAW _IOWR(0x0A, 0, struct nsm_raw)

struct device {
    struct nsm_port port; // first, see nsm.h
    int fd;
};

static int device_call(struct nsm_port *p, struct nsm_raw *raw)
{
    const struct device *d = (const struct device *)p;
    return ioctl(d->fd, NSM_IOCTL_RAW, raw) == 0 ? 0 : errno;
}

static void device_close(struct nsm_port *p)
{
    struct device *d = (struct device *)p;
    (void)close(d->fd);
    free(d);
}

static enum q_err open_device(const char *path, int *fd)
{
    *fd = open(path, O_RDWR | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    struct stat s;
    if (*fd < 0)
        return fail_os(errno, "%s: cannot be opened", path);
    if (fstat(*fd, &s) == 0 && S_ISCHR(s.st_mode))
        return Q_OK;
    (void)close(*fd);
    return fail(Q_TEE, "%s: expected a device, found another kind of file", path);
}

enum q_err nsm_port_open(const char *path, struct nsm_port **out)
{
    int fd;
    TRY(open_device(path, &fd));
    struct device *d = malloc(sizeof *d);
    if (d == NULL) {
        (void)close(fd);
        return fail(Q_NOMEM, "%s: no memory", path);
    }
    *d = (struct device){.port = {.call = device_call, .close = device_close}, .fd = fd};
    *out = &d->port;
    return Q_OK;
}
