// configfs-tsm (nitro 5.1): one folder for each report, made, written, read and removed.
#include "tee/snp_device.h"

#include "base/file.h"
#include "base/random.h"
#include "base/text.h"
#include "tee/snp_evidence.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define FOLDER "/sys/kernel/config/tsm/report"
#define NAME_SIZE 96
#define NUMBER_LIMIT 64

struct tsm {
    struct snp_device device; // first
    struct tsm_calls calls;
    void *context;
};

// One folder while it is there.
struct entry {
    const struct tsm *tsm;
    char name[40];
    bool made;
};

static void entry_remove(struct entry *e)
{
    if (e->made)
        e->tsm->calls.remove(e->tsm->context, e->name);
}
#define ENTRY_AUTO __attribute__((cleanup(entry_remove))) struct entry

static enum q_err entry_make(struct entry *e)
{
    uint64_t id;
    TRY(random_bytes((uint8_t *)&id, sizeof id));
    (void)snprintf(e->name, sizeof e->name, "quorate-%016" PRIx64, id);
    TRY(e->tsm->calls.make(e->tsm->context, e->name));
    e->made = true;
    return Q_OK;
}

static const char *attribute(const struct entry *e, const char *name, char out[static NAME_SIZE])
{
    (void)snprintf(out, NAME_SIZE, "%s/%s", e->name, name);
    return out;
}

static enum q_err write_attribute(const struct entry *e, const char *name, struct bytes value)
{
    char path[NAME_SIZE];
    return e->tsm->calls.write(e->tsm->context, attribute(e, name, path), value);
}

static enum q_err read_attribute(const struct entry *e, const char *name, size_t limit,
                                 struct buf *out)
{
    char path[NAME_SIZE];
    return e->tsm->calls.read(e->tsm->context, attribute(e, name, path), limit, out);
}

static enum q_err read_number(const struct entry *e, const char *name, uint64_t *out)
{
    BUF_AUTO text = {0};
    TRY(read_attribute(e, name, NUMBER_LIMIT, &text));
    return err_context(text_u64(bytes_trim(buf_bytes(&text)), out), "configfs-tsm: %s", name);
}

static enum q_err check_provider(const struct entry *e)
{
    BUF_AUTO text = {0};
    TRY(read_attribute(e, "provider", NUMBER_LIMIT, &text));
    if (bytes_is(bytes_trim(buf_bytes(&text)), "sev_guest"))
        return Q_OK;
    return fail(Q_TEE, "configfs-tsm: expected the provider sev_guest, found another");
}

// A guest below an SVSM may not ask for a higher level than its own.
static enum q_err choose_level(const struct entry *e, uint64_t *writes)
{
    uint64_t lowest;
    char text[24];
    TRY(read_number(e, "privlevel_floor", &lowest));
    if (lowest == 0)
        return Q_OK;
    int n = snprintf(text, sizeof text, "%" PRIu64, lowest);
    *writes += 1;
    return write_attribute(e, "privlevel", bytes_of(text, (size_t)n));
}

static enum q_err read_report(const struct entry *e, struct buf *report, struct buf *table)
{
    TRY(read_attribute(e, "outblob", SNP_REPORT_SIZE, report));
    if (report->n != SNP_REPORT_SIZE)
        return fail(Q_TEE, "report: expected %d bytes, found %zu", SNP_REPORT_SIZE, report->n);
    return read_attribute(e, "auxblob", SNP_MAX_TABLE, table);
}

// The kernel counts what is written: another number than ours means that somebody else wrote, too.
static enum q_err tsm_report(struct snp_device *d, const uint8_t data[static SNP_DATA_SIZE],
                             struct buf *report, struct buf *table)
{
    ENTRY_AUTO e = {.tsm = (const struct tsm *)d};
    uint64_t before, after, writes = 1;
    TRY(entry_make(&e));
    TRY(check_provider(&e));
    TRY(read_number(&e, "generation", &before));
    TRY(choose_level(&e, &writes));
    TRY(write_attribute(&e, "inblob", bytes_of(data, SNP_DATA_SIZE)));
    TRY(read_report(&e, report, table));
    TRY(read_number(&e, "generation", &after));
    if (after - before != writes)
        return fail(Q_TEE,
                    "configfs-tsm: expected generation %" PRIu64 ", found %" PRIu64
                    ": somebody else wrote there",
                    before + writes, after);
    return Q_OK;
}

static void tsm_close(struct snp_device *d)
{
    free(d);
}

enum q_err tsm_over(const struct tsm_calls *calls, void *context, struct snp_device **out)
{
    struct tsm *t = calloc(1, sizeof *t);
    if (t == NULL)
        return fail(Q_NOMEM, "no memory for configfs-tsm");
    *t = (struct tsm){.device = {.name = "configfs-tsm", .report = tsm_report, .close = tsm_close},
                      .calls = *calls,
                      .context = context};
    *out = &t->device;
    return Q_OK;
}

static const char *full_path(const char *name, char out[static 2 * NAME_SIZE])
{
    (void)snprintf(out, 2 * (size_t)NAME_SIZE, FOLDER "/%s", name);
    return out;
}

static enum q_err kernel_make(void *context, const char *name)
{
    char path[2 * NAME_SIZE];
    (void)context;
    return mkdir(full_path(name, path), 0700) == 0 ? Q_OK
                                                   : fail_os(errno, "%s: cannot be made", path);
}

static enum q_err kernel_write(void *context, const char *name, struct bytes value)
{
    char path[2 * NAME_SIZE];
    (void)context;
    int fd = open(full_path(name, path), O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        return fail_os(errno, "%s: cannot be opened", path);
    ssize_t n = write(fd, value.p, value.n); // whole or not at all: it is one value
    int cause = errno;
    (void)close(fd);
    if (n < 0)
        return fail_os(cause, "%s: cannot be written", path);
    return (size_t)n == value.n
               ? Q_OK
               : fail(Q_TEE, "%s: expected %zu bytes taken, found %zd", path, value.n, n);
}

static enum q_err kernel_read(void *context, const char *name, size_t limit, struct buf *out)
{
    char path[2 * NAME_SIZE];
    (void)context;
    return file_read(full_path(name, path), limit, out);
}

static void kernel_remove(void *context, const char *name)
{
    char path[2 * NAME_SIZE];
    (void)context;
    (void)rmdir(full_path(name, path));
}

bool tsm_present(void)
{
    return access(FOLDER, W_OK) == 0;
}

enum q_err tsm_open(struct snp_device **out)
{
    static const struct tsm_calls kernel = {kernel_make, kernel_write, kernel_read, kernel_remove};
    return tsm_over(&kernel, NULL, out);
}
