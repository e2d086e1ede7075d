// /dev/sev-guest (nitro 5.1): an extended report, and a derived key; each request has a firmware's
// and a hypervisor's error of its own.
#include "tee/snp_certificates.h"
#include "tee/snp_device.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define MESSAGE_VERSION 1
#define VMPL 0 // of the guest itself; a guest below an SVSM has configfs-tsm
#define HEADER 0x20
#define TABLE_ROOM ((size_t)16 << 10) // all that Linux takes, a multiple of its pages

struct sev_guest {
    struct snp_device device; // first
    sev_guest_call call;
    void *context;
    int fd; // -1: none
};

static struct sev_guest *guest_of(struct snp_device *d)
{
    return (struct sev_guest *)d;
}

static enum q_err refused(const struct snp_guest_request_ioctl *arg, int os_error, const char *what)
{
    uint32_t firmware = arg->fw_error, vmm = arg->vmm_error;
    if (vmm == SNP_GUEST_VMM_ERR_BUSY)
        return fail(Q_TEE, "%s: the hypervisor is busy: ask again later", what);
    if (firmware != 0 || vmm != 0)
        return fail(Q_TEE,
                    "%s: expected success, found firmware error %" PRIx32
                    " and hypervisor error %" PRIx32,
                    what, firmware, vmm);
    err_record_os(os_error, "%s", what);
    return Q_TEE;
}

static enum q_err request(struct sev_guest *g, unsigned long number, void *in, void *out,
                          const char *what)
{
    struct snp_guest_request_ioctl arg = {
        .msg_version = MESSAGE_VERSION,
        .req_data = (uint64_t)(uintptr_t)in,
        .resp_data = (uint64_t)(uintptr_t)out,
    };
    if (g->call(g->context, number, &arg) == 0 && arg.exitinfo2 == 0)
        return Q_OK;
    return refused(&arg, errno, what);
}

static uint32_t number_at(const uint8_t *p)
{
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static enum q_err take_report(const struct snp_report_resp *r, struct buf *out)
{
    uint32_t status = number_at(r->data), size = number_at(r->data + 4);
    if (status != 0)
        return fail(Q_TEE, "report: expected the firmware's status 0, found %" PRIu32, status);
    if (size != SNP_REPORT_SIZE)
        return fail(Q_TEE, "report: expected %d bytes, found %" PRIu32, SNP_REPORT_SIZE, size);
    return buf_append(out, bytes_of(r->data + HEADER, SNP_REPORT_SIZE));
}

static void fill(struct snp_report_req *req, const uint8_t data[static SNP_DATA_SIZE])
{
    *req = (struct snp_report_req){.vmpl = VMPL};
    memcpy(req->user_data, data, SNP_DATA_SIZE);
}

static enum q_err extended_report(struct sev_guest *g, const uint8_t data[static SNP_DATA_SIZE],
                                  struct snp_report_resp *answer, uint8_t *room)
{
    struct snp_ext_report_req req = {.certs_address = (uint64_t)(uintptr_t)room,
                                     .certs_len = TABLE_ROOM};
    fill(&req.data, data);
    enum q_err err = request(g, SNP_GET_EXT_REPORT, &req, answer, "extended report");
    if (err != Q_OK && req.certs_len > TABLE_ROOM)
        return fail(Q_TEE,
                    "certificate table: expected at most %zu bytes from the host, found %" PRIu32,
                    TABLE_ROOM, req.certs_len);
    return err;
}

static enum q_err guest_report(struct snp_device *d, const uint8_t data[static SNP_DATA_SIZE],
                               struct buf *report, struct buf *table)
{
    struct snp_report_resp answer = {0};
    BUF_AUTO room = {0};
    size_t used;
    TRY(buf_reserve(&room, TABLE_ROOM));
    memset(room.p, 0, TABLE_ROOM);
    TRY(extended_report(guest_of(d), data, &answer, room.p));
    TRY(take_report(&answer, report));
    TRY(snp_certificates_size(bytes_of(room.p, TABLE_ROOM), &used));
    return buf_append(table, bytes_of(room.p, used));
}

static enum q_err guest_derive(struct snp_device *d, uint64_t tcb, struct secret *key)
{
    SECRET_AUTO answer = {0};
    struct snp_derived_key_req req = {
        .guest_field_select = SNP_KEY_POLICY | SNP_KEY_MEASUREMENT | SNP_KEY_TCB,
        .vmpl = VMPL,
        .tcb_version = tcb,
    };
    TRY(secret_new(&answer, sizeof(struct snp_derived_key_resp)));
    TRY(request(guest_of(d), SNP_GET_DERIVED_KEY, &req, answer.p, "derived key"));
    uint32_t status = number_at(answer.p);
    if (status != 0)
        return fail(Q_TEE, "derived key: expected the firmware's status 0, found %" PRIu32, status);
    struct bytes derived = bytes_of(answer.p + HEADER, SNP_KEY_SIZE);
    if (sodium_is_zero(derived.p, derived.n))
        return fail(Q_TEE, "derived key: expected a key, found zeros");
    return secret_copy(key, derived);
}

static void guest_close(struct snp_device *d)
{
    struct sev_guest *g = guest_of(d);
    if (g->fd >= 0)
        (void)close(g->fd);
    free(g);
}

static enum q_err make(sev_guest_call call, void *context, struct sev_guest **out)
{
    struct sev_guest *g = calloc(1, sizeof *g);
    if (g == NULL)
        return fail(Q_NOMEM, "no memory for the SEV-SNP device");
    *g = (struct sev_guest){.device = {.name = "/dev/sev-guest",
                                       .report = guest_report,
                                       .derive = guest_derive,
                                       .close = guest_close},
                            .call = call,
                            .context = context,
                            .fd = -1};
    *out = g;
    return Q_OK;
}

enum q_err sev_guest_over(sev_guest_call call, void *context, struct snp_device **out)
{
    struct sev_guest *g = NULL;
    TRY(make(call, context, &g));
    *out = &g->device;
    return Q_OK;
}

static int call_device(void *context, unsigned long number, struct snp_guest_request_ioctl *arg)
{
    return ioctl(((const struct sev_guest *)context)->fd, number, arg);
}

enum q_err sev_guest_open(const char *path, struct snp_device **out)
{
    struct sev_guest *g = NULL;
    TRY(make(call_device, NULL, &g));
    g->context = g;
    g->fd = open(path, O_RDWR | O_CLOEXEC);
    *out = &g->device;
    if (g->fd >= 0)
        return Q_OK;
    enum q_err err = fail_os(errno, "%s: cannot be opened", path);
    *out = NULL;
    guest_close(&g->device);
    return err;
}
