// The application's system call filter (see syscall_filter.h), made by libseccomp.
#include "enclave/syscall_filter.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/sched.h>
#include <limits.h>
#include <seccomp.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILTER_MAX 65536 // bytes; the kernel takes 4096 instructions of 8

// Looking into other processes and past their files; changing the kernel, its clock, its file
// systems; interfaces with a history of letting somebody do so.
const char *const syscall_filter_names[] = {
    "acct",
    "add_key",
    "adjtimex",
    "bpf",
    "clock_adjtime",
    "clock_settime",
    "delete_module",
    "finit_module",
    "fsconfig",
    "fsmount",
    "fsopen",
    "fspick",
    "init_module",
    "io_uring_enter",
    "io_uring_register",
    "io_uring_setup",
    "ioperm",
    "iopl",
    "kcmp",
    "kexec_file_load",
    "kexec_load",
    "keyctl",
    "lookup_dcookie",
    "mount",
    "mount_setattr",
    "move_mount",
    "name_to_handle_at",
    "open_by_handle_at",
    "open_tree",
    "perf_event_open",
    "pidfd_getfd",
    "pivot_root",
    "process_madvise",
    "process_vm_readv",
    "process_vm_writev",
    "ptrace",
    "quotactl",
    "reboot",
    "request_key",
    "setdomainname",
    "sethostname",
    "setns",
    "settimeofday",
    "swapoff",
    "swapon",
    "syslog",
    "umount2",
    "unshare",
    "userfaultfd",
    "vhangup",
    NULL,
};

static void release_auto(scmp_filter_ctx *filter)
{
    if (*filter != NULL)
        seccomp_release(*filter);
}

static void close_auto(int *fd)
{
    if (*fd >= 0)
        (void)close(*fd);
}

static enum q_err refused(int result, const char *what)
{
    return result == 0 ? Q_OK : fail_os(-result, "system call filter: %s", what);
}

static enum q_err deny(scmp_filter_ctx filter, const char *name)
{
    int number = seccomp_syscall_resolve_name(name);
    if (number == __NR_SCMP_ERROR)
        return fail(Q_INTERNAL, "system call filter: %s: unknown", name);
    return refused(seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), number, 0), name);
}

// New user namespaces would hand out capabilities inside them. clone3 keeps its flags where a filter
// cannot look: it does not exist here, and libraries go back to clone.
static enum q_err deny_namespaces(scmp_filter_ctx filter)
{
    const struct scmp_arg_cmp user = SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_NEWUSER, CLONE_NEWUSER);
    TRY(refused(seccomp_rule_add_array(filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(clone), 1, &user),
                "clone"));
    return refused(seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0), "clone3");
}

static enum q_err fill(scmp_filter_ctx filter)
{
    for (size_t i = 0; syscall_filter_names[i] != NULL; i++)
        TRY(deny(filter, syscall_filter_names[i]));
    return deny_namespaces(filter);
}

// libseccomp writes the finished filter to a descriptor only.
static enum q_err write_program(scmp_filter_ctx filter, struct buf *out)
{
    __attribute__((cleanup(close_auto))) int fd = memfd_create("filter", MFD_CLOEXEC);
    struct stat s;
    if (fd < 0)
        return fail_os(errno, "system call filter: no memory file");
    TRY(refused(seccomp_export_bpf(filter, fd), "export"));
    if (fstat(fd, &s) != 0 || s.st_size <= 0 || s.st_size > FILTER_MAX ||
        s.st_size % (off_t)sizeof(struct sock_filter) != 0)
        return fail(Q_INTERNAL, "system call filter: expected 1 to %d bytes, found another size",
                    FILTER_MAX);
    size_t n = (size_t)s.st_size;
    TRY(buf_reserve(out, n));
    if (pread(fd, out->p + out->n, n, 0) != (ssize_t)n)
        return fail_os(errno, "system call filter: cannot be read back");
    out->n += n;
    return Q_OK;
}

enum q_err syscall_filter_build(struct buf *out)
{
    // Calls in another processor mode's numbers (32 bits, x32) end the process: libseccomp's default.
    __attribute__((cleanup(release_auto))) scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
    if (filter == NULL)
        return fail(Q_NOMEM, "system call filter: no memory");
    TRY(fill(filter));
    return write_program(filter, out);
}

bool syscall_filter_install(struct bytes filter)
{
    size_t n = filter.n / sizeof(struct sock_filter);
    if (n == 0 || n > USHRT_MAX) {
        errno = EINVAL;
        return false;
    }
    const struct sock_fprog program = {
        .len = (unsigned short)n,
        .filter = (struct sock_filter *)(uintptr_t)filter.p,
    };
    return prctl(PR_SET_SECCOMP, 2 /* SECCOMP_MODE_FILTER */, &program) == 0;
}
