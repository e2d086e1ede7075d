// PID 1, the coordinator (see init.h).
#include "enclave/init.h"

#include "base/file.h"
#include "base/log.h"
#include "enclave/heartbeat.h"

#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <unistd.h>

#define KERNEL_LINE_MAX 8192
#define HEARTBEAT_MS 3000

bool init_is_wanted(pid_t pid, const char *program)
{
    if (pid != 1 || program == NULL)
        return false;
    const char *slash = strrchr(program, '/');
    return strcmp(slash == NULL ? program : slash + 1, "init") == 0;
}

static enum q_err read_kernel_line(struct kernel_line *out)
{
    BUF_AUTO line = {0};
    TRY(file_read("/proc/cmdline", KERNEL_LINE_MAX, &line));
    return kernel_line_read(buf_bytes(&line), out);
}

// Nobody may be listening: then the host does not care.
static void send_heartbeat(uint32_t parent_cid)
{
    const struct address host = {.kind = ADDRESS_VSOCK, .cid = parent_cid, .port = HEARTBEAT_PORT};
    if (heartbeat(&host, HEARTBEAT_MS) != Q_OK)
        log_warn("%s", err_text());
}

enum q_err init_start(struct init_place *out)
{
    init_mount_all("", mount);
    init_console("/dev/console");
    TRY(read_kernel_line(&out->line));
    send_heartbeat(out->line.parent_cid);
    init_load_module("/nsm.ko");
    TRY(init_check_generator("/sys/class/misc/hw_random/rng_current"));
    init_loopback();
    TRY(init_own_cid("/dev/vsock", &out->cid));
    log_info("QuorumOS Booted");
    log_info("CID is %u", out->cid);
    return Q_OK;
}

_Noreturn void init_end(bool well)
{
    (void)reboot(well ? RB_AUTOBOOT : RB_POWER_OFF);
    // Not allowed to: in a container, say. The kernel ends what has lost its first process.
    _exit(well ? 0 : 1);
}
