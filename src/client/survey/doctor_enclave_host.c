// Is this machine fit to run an enclave: devices, group, allocator, huge pages, image, settings (see doctor.h;
// qos-behaviour 6).
#include "client/survey/doctor.h"

#include "base/file.h"
#include "base/text.h"
#include "client/survey/enclave_settings.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SETTINGS_LIMIT ((size_t)64 << 10)
#define GROUP_LIMIT ((size_t)4 << 20)
#define MIB ((uint64_t)1 << 20)
#define MEMORY_PER_IMAGE 4 // an enclave needs so many times its image
#define SETTINGS_FILE "etc/quorate/qos_enclave.env"
#define ALLOCATOR_FILE "etc/nitro_enclaves/allocator.yaml"
#define ALLOCATE_AGAIN "systemctl restart nitro-enclaves-allocator.service"

// Where a file of the machine lies: below --machine-root, by default "/".
static enum q_err place(const struct patient *p, const char *name, const char **path)
{
    const char *root = options_value(p->o, "machine-root");
    return file_join(p->arena, root == NULL ? "" : root, name, path);
}

static enum q_err check_device(const struct patient *p, const char *name, const char *id,
                               const char *make_it, const char *reach_it)
{
    const char *path;
    struct stat about;
    TRY(place(p, name, &path));
    if (stat(path, &about) != 0)
        return finding_add(p->out, FINDING_ERROR, id, path, make_it, "expected a device, found %s",
                           strerror(errno));
    if (!S_ISCHR(about.st_mode))
        return finding_add(p->out, FINDING_ERROR, id, path, make_it,
                           "expected a character device, found another file");
    if (access(path, R_OK | W_OK) != 0)
        return finding_add(p->out, FINDING_ERROR, id, path, reach_it,
                           "expected that this user may read and write it, found %s",
                           strerror(errno));
    return Q_OK;
}

static enum q_err check_open_device(const struct patient *p)
{
    const char *path;
    struct stat about;
    TRY(place(p, "dev/nitro_enclaves", &path));
    if (stat(path, &about) != 0 || (about.st_mode & S_IWOTH) == 0)
        return Q_OK;
    return finding_add(
        p->out, FINDING_WARNING, "nitro-device-open", path,
        "chgrp ne /dev/nitro_enclaves && chmod 660 /dev/nitro_enclaves",
        "expected that only root and the group ne may start enclaves, found mode %03o",
        (unsigned)(about.st_mode & 0777));
}

static enum q_err check_devices(const struct patient *p)
{
    const char *vhost;
    TRY(check_device(p, "dev/nitro_enclaves", "nitro-device",
                     "start the instance with enclaves enabled (--enclave-options Enabled=true), "
                     "then modprobe nitro_enclaves",
                     "usermod -aG ne <this user>, and log in again"));
    TRY(check_open_device(p));
    TRY(check_device(p, "dev/vsock", "vsock-device", "modprobe vsock",
                     "chmod 666 /dev/vsock (it gives no access to an enclave's keys)"));
    TRY(place(p, "sys/module/vhost_vsock", &vhost));
    if (file_exists(vhost))
        return Q_OK;
    return finding_add(p->out, FINDING_NOTE, "no-vhost-vsock", vhost, "modprobe vhost_vsock",
                       "the module vhost_vsock is not loaded: a virtual machine (QEMU) on this "
                       "host cannot use the kernel's vsock; a Nitro enclave does not need it");
}

static bool names_group(struct bytes text, const char *name)
{
    size_t n = strlen(name);
    bool at_line = true;
    for (size_t i = 0; i + n < text.n; i++) {
        if (at_line && memcmp(text.p + i, name, n) == 0 && text.p[i + n] == ':')
            return true;
        at_line = text.p[i] == '\n';
    }
    return false;
}

static enum q_err check_group(const struct patient *p)
{
    const char *path;
    BUF_AUTO text = {0};
    TRY(place(p, "etc/group", &path));
    if (file_read_regular(path, GROUP_LIMIT, &text) == Q_OK && names_group(buf_bytes(&text), "ne"))
        return Q_OK;
    return finding_add(p->out, FINDING_WARNING, "no-ne-group", path,
                       "install aws-nitro-enclaves-cli, which makes it",
                       "expected the group ne, whose members may start enclaves, found none");
}

// What qos_enclave is told; on a fault of the file the defaults, after a finding.
static enum q_err read_settings(const struct patient *p, struct enclave_settings *out)
{
    const char *path = options_value(p->o, "enclave-env-path");
    BUF_AUTO text = {0};
    *out = enclave_settings_default;
    if (path == NULL)
        TRY(place(p, SETTINGS_FILE, &path));
    if (!file_exists(path))
        return finding_add(p->out, FINDING_NOTE, "no-enclave-settings", path,
                           "name the file of qos_enclave's settings: --enclave-env-path",
                           "there is no such file: judged are the defaults");
    enum q_err result = file_read_regular(path, SETTINGS_LIMIT, &text);
    if (result == Q_OK)
        result = enclave_settings_read(buf_bytes(&text), out);
    if (result == Q_OK)
        return Q_OK;
    *out = enclave_settings_default;
    return finding_add(p->out, FINDING_ERROR, "bad-enclave-settings", path,
                       "correct that line: qos_enclave does not start with it", "%s", err_text());
}

static enum q_err check_debug(const struct patient *p, const struct enclave_settings *s)
{
    if (s->debug)
        TRY(finding_add(p->out, FINDING_ERROR, "enclave-debug", "DEBUG", "DEBUG=false",
                        "expected DEBUG=false, found true: PCR0, PCR1 and PCR2 of the enclave are "
                        "zero, its attestation proves nothing, and members' clients refuse it"));
    if (s->logs && !s->debug)
        TRY(finding_add(p->out, FINDING_NOTE, "enclave-logs", "LOGS", "LOGS=false",
                        "LOGS=true has no effect: only an enclave with DEBUG=true has a console"));
    return Q_OK;
}

static enum q_err check_allocator(const struct patient *p, const struct enclave_settings *s)
{
    const char *path;
    BUF_AUTO text = {0};
    struct allocator_settings a;
    TRY(place(p, ALLOCATOR_FILE, &path));
    enum q_err result = file_read_regular(path, SETTINGS_LIMIT, &text);
    if (result == Q_OK)
        result = allocator_settings_read(buf_bytes(&text), &a);
    if (result != Q_OK)
        return finding_add(p->out, FINDING_ERROR, "bad-allocator", path,
                           "install aws-nitro-enclaves-cli, and set memory_mib and cpu_count there",
                           "%s", err_text());
    if (s->memory_mib > a.memory_mib)
        TRY(finding_add(p->out, FINDING_ERROR, "allocator-memory", path,
                        "raise memory_mib there, then " ALLOCATE_AGAIN,
                        "expected memory_mib of at least MEMORY_MIB=%u, found %u", s->memory_mib,
                        a.memory_mib));
    if (a.cpu_count != 0 && s->cpu_count > a.cpu_count)
        TRY(finding_add(p->out, FINDING_ERROR, "allocator-cpus", path,
                        "raise cpu_count there, then " ALLOCATE_AGAIN,
                        "expected cpu_count of at least CPU_COUNT=%u, found %u", s->cpu_count,
                        a.cpu_count));
    return Q_OK;
}

// A number in a file of /sys; 0 when it is not there.
static enum q_err sys_number(const struct patient *p, const char *name, uint64_t *out)
{
    const char *path;
    BUF_AUTO text = {0};
    *out = 0;
    TRY(place(p, name, &path));
    if (file_read_regular(path, SETTINGS_LIMIT, &text) == Q_OK &&
        text_u64(bytes_trim(buf_bytes(&text)), out) != Q_OK)
        *out = 0;
    return Q_OK;
}

static uint64_t pages_mib(uint64_t small, uint64_t large)
{
    uint64_t most = UINT32_MAX; // more pages than any machine has
    return (small < most ? small : most) * 2 + (large < most ? large : most) * 1024;
}

#define HUGE "sys/kernel/mm/hugepages/"
static enum q_err check_huge_pages(const struct patient *p, const struct enclave_settings *s)
{
    uint64_t small, large, free_small, free_large;
    TRY(sys_number(p, HUGE "hugepages-2048kB/nr_hugepages", &small));
    TRY(sys_number(p, HUGE "hugepages-1048576kB/nr_hugepages", &large));
    TRY(sys_number(p, HUGE "hugepages-2048kB/free_hugepages", &free_small));
    TRY(sys_number(p, HUGE "hugepages-1048576kB/free_hugepages", &free_large));
    uint64_t all = pages_mib(small, large), unused = pages_mib(free_small, free_large);
    if (all < s->memory_mib)
        return finding_add(p->out, FINDING_ERROR, "huge-pages", "this machine", ALLOCATE_AGAIN,
                           "expected huge pages of at least MEMORY_MIB=%u MiB, found %" PRIu64
                           " MiB",
                           s->memory_mib, all);
    if (unused < s->memory_mib)
        return finding_add(p->out, FINDING_NOTE, "huge-pages-in-use", "this machine",
                           "nitro-cli describe-enclaves shows whose they are",
                           "%" PRIu64 " of %" PRIu64 " MiB of huge pages are free: fine when the "
                           "enclave runs, too few to start it (MEMORY_MIB=%u)",
                           unused, all, s->memory_mib);
    return Q_OK;
}

// Q_BAD_INPUT: it is no image; *size: in bytes.
static enum q_err look_at_image(const char *path, uint64_t *size)
{
    static const char magic[4] = {'.', 'e', 'i', 'f'};
    char begin[sizeof magic] = {0};
    struct stat about;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return fail_os(errno, "EIF_PATH");
    bool regular = fstat(fd, &about) == 0 && S_ISREG(about.st_mode);
    ssize_t n = regular ? read(fd, begin, sizeof begin) : 0;
    (void)close(fd);
    if (n != (ssize_t)sizeof begin || memcmp(begin, magic, sizeof begin) != 0)
        return fail(Q_BAD_INPUT,
                    "expected an enclave image, which begins with \".eif\", found another file");
    *size = (uint64_t)about.st_size;
    return Q_OK;
}

static enum q_err check_image(const struct patient *p, const struct enclave_settings *s)
{
    const char *path;
    uint64_t size;
    TRY(place(p, s->eif_path[0] == '/' ? s->eif_path + 1 : s->eif_path, &path));
    if (look_at_image(path, &size) != Q_OK)
        return finding_add(p->out, FINDING_ERROR, "enclave-image", path,
                           "set EIF_PATH to the image", "%s", err_text());
    uint64_t needed = (size * MEMORY_PER_IMAGE + MIB - 1) / MIB;
    if (needed <= s->memory_mib)
        return Q_OK;
    return finding_add(p->out, FINDING_ERROR, "enclave-memory", path, "raise MEMORY_MIB",
                       "expected MEMORY_MIB of at least %" PRIu64
                       ", four times the size of the image, found %u",
                       needed, s->memory_mib);
}

enum q_err doctor_enclave_host(const struct patient *p)
{
    struct enclave_settings s;
    if (!options_given(p->o, "enclave-host"))
        return Q_OK;
    TRY(check_devices(p));
    TRY(check_group(p));
    TRY(read_settings(p, &s));
    TRY(check_debug(p, &s));
    TRY(check_allocator(p, &s));
    TRY(check_huge_pages(p, &s));
    TRY(check_image(p, &s));
    if (options_given(p->o, "host-ip"))
        return Q_OK;
    return finding_add(p->out, FINDING_NOTE, "host-not-asked", "this machine",
                       "--host-ip 127.0.0.1 --host-port 3000",
                       "whether qos_host answers was not asked");
}
