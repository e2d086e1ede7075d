// A recorded /dev/sev-guest for whole programs: preloaded, it answers the calls of qos_core as the machine
// of tests/vectors/snp would. Its host data is the SHA-256 of the variable RECORDED_ROLE.
#include "base/file.h"
#include "crypto/hash.h"
#include "crypto/p384.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sev-guest.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define PUBLIC __attribute__((visibility("default")))
#define DEVICE "/dev/sev-guest"
#define REPORT_SIZE 0x4a0
#define SIGNED_SIZE 0x2a0

static int device = -1;

static void put_number(uint8_t *p, uint64_t n, size_t size)
{
    for (size_t i = 0; i < size; i++)
        p[i] = (uint8_t)(n >> (8 * i));
}

// As make_snp.py: the scalar is a hash, of 32 bytes in 48.
static enum q_err sign(uint8_t *report)
{
    uint8_t scalar[P384_SCALAR_SIZE] = {0}, signature[P384_SIGNATURE_SIZE];
    TRY(sha256(BYTES_LIT("quorate snp Milan"), scalar + P384_SCALAR_SIZE - SHA256_SIZE));
    TRY(p384_sign(BYTES_OF(scalar), bytes_of(report, SIGNED_SIZE), signature));
    for (size_t i = 0; i < 48; i++) {
        report[0x2a0 + i] = signature[47 - i];
        report[0x2e8 + i] = signature[95 - i];
    }
    return Q_OK;
}

static enum q_err make_report(const uint8_t *data, uint8_t *r)
{
    put_number(r, 3, 4);
    put_number(r + 0x08, 0x30000, 8);
    put_number(r + 0x34, 1, 4);
    memcpy(r + 0x50, data, 64);
    TRY(sha384(BYTES_LIT("image"), r + 0x90));
    const char *role = getenv("RECORDED_ROLE");
    if (role != NULL)
        TRY(sha256(bytes_str(role), r + 0xc0));
    put_number(r + 0x180, UINT64_C(0xd516000000000004), 8);
    r[0x188] = 0x19;
    r[0x189] = 1;
    TRY(sha512(BYTES_LIT("chip Milan"), r + 0x1a0));
    return sign(r);
}

static enum q_err answer(const struct snp_guest_request_ioctl *arg)
{
    const struct snp_ext_report_req *req = (void *)(uintptr_t)arg->req_data;
    uint8_t *out = (uint8_t *)(uintptr_t)arg->resp_data;
    BUF_AUTO table = {0};
    TRY(file_read(SOURCE_ROOT "/tests/vectors/snp/table_milan.bin", req->certs_len, &table));
    memcpy((void *)(uintptr_t)req->certs_address, table.p, table.n);
    put_number(out + 4, REPORT_SIZE, 4);
    return make_report(req->data.user_data, out + 0x20);
}

PUBLIC int open64(const char *path, int flags, ...);
PUBLIC int open64(const char *path, int flags, ...)
{
    va_list more;
    va_start(more, flags);
    mode_t mode = va_arg(more, mode_t);
    va_end(more);
    bool recorded = strcmp(path, DEVICE) == 0;
    int fd = (int)syscall(SYS_openat, AT_FDCWD, recorded ? "/dev/null" : path, flags, mode);
    if (recorded)
        device = fd;
    return fd;
}

PUBLIC int ioctl(int fd, unsigned long number, ...)
{
    va_list more;
    va_start(more, number);
    void *arg = va_arg(more, void *);
    va_end(more);
    if (fd < 0 || fd != device)
        return (int)syscall(SYS_ioctl, fd, number, arg);
    if (number == SNP_GET_EXT_REPORT && answer(arg) == Q_OK)
        return 0;
    errno = EIO;
    return -1;
}
