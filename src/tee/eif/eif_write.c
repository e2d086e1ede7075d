// Writes an EIF as eif_build does, section behind section (see eif.h, nitro 1.1).
#include "tee/eif/eif.h"

#include <string.h>
#include <zlib.h>

#define DEFAULT_MEM ((uint64_t)1 << 30)
#define DEFAULT_CPUS 2
#define MOST_RAMDISKS (EIF_MAX_SECTIONS - 4) // beside kernel, command line, metadata, signature

const char *eif_section_name(enum eif_section_type type)
{
    static const char *const names[] = {[EIF_KERNEL] = "kernel",
                                        [EIF_CMDLINE] = "cmdline",
                                        [EIF_RAMDISK] = "ramdisk",
                                        [EIF_SIGNATURE] = "signature",
                                        [EIF_METADATA] = "metadata"};
    return type >= EIF_KERNEL && type <= EIF_METADATA ? names[type] : "unknown";
}

// n <= 8 bytes, big-endian.
static enum q_err put(struct buf *out, uint64_t v, unsigned n)
{
    while (n-- > 0)
        TRY(buf_u8(out, (uint8_t)(v >> (8 * n))));
    return Q_OK;
}

static enum q_err check_parts(const struct eif_parts *parts)
{
    if (parts->kernel.n == 0)
        return fail(Q_BAD_INPUT, "kernel: expected one, found none or an empty one");
    if (parts->cmdline.p == NULL || parts->cmdline.n > EIF_MAX_CMDLINE ||
        memchr(parts->cmdline.p, 0, parts->cmdline.n) != NULL)
        return fail(Q_BAD_INPUT,
                    "command line: expected at most %d bytes and no NUL, found %zu bytes",
                    EIF_MAX_CMDLINE, parts->cmdline.n);
    if (parts->metadata.p == NULL)
        return fail(Q_BAD_INPUT, "metadata: expected JSON, found none");
    if (parts->ramdisk_count < 1 || parts->ramdisk_count > MOST_RAMDISKS)
        return fail(Q_BAD_INPUT, "ramdisks: expected 1 to %d, found %zu", MOST_RAMDISKS,
                    parts->ramdisk_count);
    for (size_t i = 0; i < parts->ramdisk_count; i++) {
        size_t n = parts->ramdisks[i].n;
        if (n == 0 || n % 4 != 0)
            return fail(
                Q_BAD_INPUT,
                "ramdisk %zu: expected an archive padded to a multiple of 4 bytes, found %zu "
                "bytes",
                i + 1, n);
    }
    return Q_OK;
}

static void add(struct eif_image *image, enum eif_section_type type, struct bytes data)
{
    struct eif_section *s = &image->sections[image->section_count++];
    *s = (struct eif_section){.type = type, .data = data};
}

// In the order of eif_build.
static void lay_out(const struct eif_parts *parts, struct eif_image *image)
{
    add(image, EIF_KERNEL, parts->kernel);
    add(image, EIF_CMDLINE, parts->cmdline);
    add(image, EIF_METADATA, parts->metadata);
    for (size_t i = 0; i < parts->ramdisk_count; i++)
        add(image, EIF_RAMDISK, parts->ramdisks[i]);
    if (parts->signature.p != NULL)
        add(image, EIF_SIGNATURE, parts->signature);
    size_t at = EIF_HEADER_SIZE;
    for (size_t i = 0; i < image->section_count; i++) {
        image->sections[i].offset = at;
        at += EIF_SECTION_HEADER_SIZE + image->sections[i].data.n;
    }
}

// All but the CRC, which comes last.
static enum q_err write_header(const struct eif_image *image, struct buf *out)
{
    TRY(buf_append_str(out, ".eif"));
    TRY(put(out, EIF_VERSION, 2));
    TRY(put(out, 0, 2));
    TRY(put(out, DEFAULT_MEM, 8));
    TRY(put(out, DEFAULT_CPUS, 8));
    TRY(put(out, 0, 2));
    TRY(put(out, image->section_count, 2));
    for (size_t i = 0; i < EIF_MAX_SECTIONS; i++)
        TRY(put(out, image->sections[i].offset, 8));
    for (size_t i = 0; i < EIF_MAX_SECTIONS; i++)
        TRY(put(out, image->sections[i].data.n, 8));
    return put(out, 0, 4);
}

static enum q_err write_section(const struct eif_section *s, struct buf *out)
{
    TRY(put(out, s->type, 2));
    TRY(put(out, 0, 2));
    TRY(put(out, s->data.n, 8));
    return buf_append(out, s->data);
}

static enum q_err write_sections(const struct eif_image *image, struct buf *out)
{
    for (size_t i = 0; i < image->section_count; i++)
        TRY(write_section(&image->sections[i], out));
    return Q_OK;
}

enum q_err eif_write(const struct eif_parts *parts, struct buf *out)
{
    struct eif_image image = {0};
    BUF_AUTO header = {0}, sections = {.limit = EIF_MAX_SIZE};
    TRY(check_parts(parts));
    lay_out(parts, &image);
    TRY(write_header(&image, &header));
    TRY(err_context(write_sections(&image, &sections), "EIF"));
    uLong crc = crc32_z(0, header.p, header.n);
    crc = crc32_z(crc, sections.p, sections.n);
    TRY(put(&header, crc, 4));
    TRY(buf_append(out, buf_bytes(&header)));
    return buf_append(out, buf_bytes(&sections));
}
