// PID 1's file systems and console (qos-behaviour 5, steps 1 and 2).
#include "enclave/init.h"

#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#define TIGHT (MS_NODEV | MS_NOSUID | MS_NOEXEC)

static const struct mount_row {
    const char *source, *target, *type;
    unsigned long flags;
    const char *options;
} rows[] = {
    {"devtmpfs", "/dev", "devtmpfs", MS_NOSUID | MS_NOEXEC, "mode=0755"},
    {"devpts", "/dev/pts", "devpts", MS_NOSUID | MS_NOEXEC, NULL},
    {"shm", "/dev/shm", "tmpfs", TIGHT, "mode=0755"},
    {"proc", "/proc", "proc", TIGHT, "hidepid=2"},
    {"tmpfs", "/run", "tmpfs", TIGHT, "mode=0755"},
    {"tmpfs", "/tmp", "tmpfs", TIGHT, NULL},
    {"sysfs", "/sys", "sysfs", TIGHT, NULL},
    {"cgroup_root", "/sys/fs/cgroup", "tmpfs", TIGHT, "mode=0755"},
};

static void mount_row(const char *root, const struct mount_row *row, mount_function mount_one)
{
    char target[256];
    int n = snprintf(target, sizeof target, "%s%s", root, row->target);
    if (n < 0 || (size_t)n >= sizeof target) {
        log_error("mount %s: its path is too long", row->target);
        return;
    }
    (void)mkdir(target, 0755); // there already, or the mount says why not
    if (mount_one(row->source, target, row->type, row->flags, row->options) != 0)
        log_error("mount %s: %s", row->target, strerror(errno));
}

void init_mount_all(const char *root, mount_function mount_one)
{
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        mount_row(root, &rows[i], mount_one);
}

static void become_streams(int fd)
{
    for (int stream = STDIN_FILENO; stream <= STDERR_FILENO; stream++) {
        if (fd != stream)
            (void)dup2(fd, stream);
        else
            (void)fcntl(fd, F_SETFD, 0);
    }
    if (fd > STDERR_FILENO)
        (void)close(fd);
}

// A standard stream that stayed closed would be the number of the next file that is opened.
void init_console(const char *console)
{
    int fd = open(console, O_RDWR | O_NOCTTY | O_CLOEXEC);
    int why = errno;
    if (fd >= 0) {
        become_streams(fd);
        return;
    }
    fd = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (fd >= 0)
        become_streams(fd);
    log_error("%s: %s", console, strerror(why));
}
