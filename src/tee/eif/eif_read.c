// Reads an EIF from a hostile file (see eif.h, nitro 1.1): everything is compared with the size of the
// file before it is used, and there is one layout that is accepted, that of eif_build.
#include "tee/eif/eif.h"

#include <inttypes.h>
#include <string.h>
#include <zlib.h>

#define AT_VERSION 4
#define AT_FLAGS 6
#define AT_DEFAULT_MEM 8
#define AT_DEFAULT_CPUS 16
#define AT_RESERVED 24
#define AT_COUNT 26
#define AT_OFFSETS 28
#define AT_SIZES 284
#define AT_UNUSED 540
#define AT_CRC 544

static const uint8_t magic[4] = {'.', 'e', 'i', 'f'};

// n <= 8 bytes at an offset that was checked, big-endian.
static uint64_t number_at(struct bytes file, size_t at, size_t n)
{
    uint64_t v = 0;
    for (size_t i = 0; i < n; i++)
        v = v << 8 | file.p[at + i];
    return v;
}

static enum q_err expect(struct bytes file, const char *what, size_t at, size_t n, uint64_t wanted)
{
    uint64_t found = number_at(file, at, n);
    if (found != wanted)
        return fail(Q_BAD_INPUT, "EIF: offset %zu: %s: expected %" PRIu64 ", found %" PRIu64, at,
                    what, wanted, found);
    return Q_OK;
}

static enum q_err read_header(struct bytes file, struct eif_image *out)
{
    if (file.n < EIF_HEADER_SIZE)
        return fail(Q_BAD_INPUT, "EIF: expected at least %d bytes, found %zu", EIF_HEADER_SIZE,
                    file.n);
    if (file.n > EIF_MAX_SIZE)
        return fail(Q_LIMIT, "EIF: expected at most %zu bytes, found %zu", EIF_MAX_SIZE, file.n);
    if (memcmp(file.p, magic, sizeof magic) != 0)
        return fail(Q_BAD_INPUT, "EIF: offset 0: magic: expected 2e656966, found %08" PRIx64,
                    number_at(file, 0, sizeof magic));
    TRY(expect(file, "version", AT_VERSION, 2, EIF_VERSION));
    TRY(expect(file, "flags (0 is x86-64)", AT_FLAGS, 2, 0));
    TRY(expect(file, "reserved", AT_RESERVED, 2, 0));
    TRY(expect(file, "unused", AT_UNUSED, 4, 0));
    out->default_mem = number_at(file, AT_DEFAULT_MEM, 8);
    out->default_cpus = number_at(file, AT_DEFAULT_CPUS, 8);
    out->section_count = (size_t)number_at(file, AT_COUNT, 2);
    out->crc = (uint32_t)number_at(file, AT_CRC, 4);
    if (out->section_count < 1 || out->section_count > EIF_MAX_SECTIONS)
        return fail(Q_BAD_INPUT, "EIF: offset %d: number of sections: expected 1 to %d, found %zu",
                    AT_COUNT, EIF_MAX_SECTIONS, out->section_count);
    return Q_OK;
}

// Rows of the table behind the last section hold nothing.
static enum q_err check_unused_rows(struct bytes file, size_t count)
{
    for (size_t i = count; i < EIF_MAX_SECTIONS; i++) {
        TRY(expect(file, "offset of a section that is not there", AT_OFFSETS + 8 * i, 8, 0));
        TRY(expect(file, "size of a section that is not there", AT_SIZES + 8 * i, 8, 0));
    }
    return Q_OK;
}

static enum q_err read_type(struct bytes file, size_t at, enum eif_section_type *out)
{
    uint64_t type = number_at(file, at, 2);
    if (type < EIF_KERNEL || type > EIF_METADATA)
        return fail(Q_BAD_INPUT,
                    "EIF: offset %zu: type of a section: expected 1 to 5, found %" PRIu64, at,
                    type);
    *out = (enum eif_section_type)type;
    return Q_OK;
}

// Section i, which begins where the one before it ended, at *at.
static enum q_err read_section(struct bytes file, size_t i, size_t *at, struct eif_section *out)
{
    TRY(expect(file, "offset of a section, which begins where the one before it ends",
               AT_OFFSETS + 8 * i, 8, *at));
    if (file.n - *at < EIF_SECTION_HEADER_SIZE)
        return fail(Q_BAD_INPUT,
                    "EIF: offset %zu: section %zu: expected a header of %d bytes, found %zu bytes "
                    "before the end of the file",
                    *at, i, EIF_SECTION_HEADER_SIZE, file.n - *at);
    TRY(read_type(file, *at, &out->type));
    TRY(expect(file, "flags of a section", *at + 2, 2, 0));
    uint64_t size = number_at(file, *at + 4, 8);
    TRY(expect(file, "size of a section, as its own header has it", AT_SIZES + 8 * i, 8, size));
    size_t data = *at + EIF_SECTION_HEADER_SIZE;
    if (size > file.n - data)
        return fail(
            Q_BAD_INPUT,
            "EIF: offset %zu: section %zu (%s): expected at most the %zu bytes to the end of "
            "the file, found a size of %" PRIu64,
            *at + 4, i, eif_section_name(out->type), file.n - data, size);
    out->offset = *at;
    out->data = bytes_of(file.p + data, (size_t)size);
    *at = data + (size_t)size;
    return Q_OK;
}

static enum q_err read_sections(struct bytes file, struct eif_image *out)
{
    size_t at = EIF_HEADER_SIZE;
    for (size_t i = 0; i < out->section_count; i++)
        TRY(read_section(file, i, &at, &out->sections[i]));
    if (at != file.n)
        return fail(Q_BAD_INPUT,
                    "EIF: offset %zu: expected the end of the file, found %zu more bytes", at,
                    file.n - at);
    return Q_OK;
}

static enum q_err out_of_order(const struct eif_section *s, const char *rule)
{
    return fail(Q_BAD_INPUT, "EIF: offset %zu: section %s: expected %s, found it otherwise",
                s->offset, eif_section_name(s->type), rule);
}

static enum q_err take_once(const struct eif_section *s, struct bytes *part)
{
    if (part->p != NULL)
        return out_of_order(s, "one of its kind");
    *part = s->data;
    return Q_OK;
}

// The order in which Nitro and QEMU measure: kernel, command line, ramdisks; QEMU takes that of the file.
static enum q_err take_section(const struct eif_section *s, struct eif_parts *parts)
{
    switch (s->type) {
    case EIF_KERNEL:
        if (parts->cmdline.p != NULL || parts->ramdisk_count > 0)
            return out_of_order(s, "it before command line and ramdisks");
        return take_once(s, &parts->kernel);
    case EIF_CMDLINE:
        if (parts->ramdisk_count > 0)
            return out_of_order(s, "it before the ramdisks");
        return take_once(s, &parts->cmdline);
    case EIF_RAMDISK:
        if (parts->ramdisk_count == EIF_MAX_RAMDISKS)
            return out_of_order(s, "no more than 30 of them");
        parts->ramdisks[parts->ramdisk_count++] = s->data;
        return Q_OK;
    case EIF_SIGNATURE:
        return take_once(s, &parts->signature);
    case EIF_METADATA:
        return take_once(s, &parts->metadata);
    }
    return fail(Q_INTERNAL, "EIF: section of type %d", (int)s->type);
}

static enum q_err take_parts(struct eif_image *image)
{
    struct eif_parts *parts = &image->parts;
    for (size_t i = 0; i < image->section_count; i++)
        TRY(take_section(&image->sections[i], parts));
    const char *missing = parts->kernel.p == NULL    ? "kernel"
                          : parts->cmdline.p == NULL ? "command line"
                          : parts->ramdisk_count < 1 ? "ramdisk"
                                                     : NULL;
    if (missing != NULL)
        return fail(Q_BAD_INPUT, "EIF: expected a %s, found none in its %zu sections", missing,
                    image->section_count);
    if (memchr(parts->cmdline.p, 0, parts->cmdline.n) != NULL)
        return fail(Q_BAD_INPUT, "EIF: command line: expected text without NUL, found one");
    return Q_OK;
}

static enum q_err check_crc(struct bytes file, uint32_t wanted)
{
    uLong crc = crc32_z(0, file.p, AT_CRC);
    crc = crc32_z(crc, file.p + EIF_HEADER_SIZE, file.n - EIF_HEADER_SIZE);
    if (crc != wanted)
        return fail(
            Q_BAD_INPUT,
            "EIF: offset %d: CRC-32: expected %08lx, that of the contents, found %08" PRIx32,
            AT_CRC, crc, wanted);
    return Q_OK;
}

enum q_err eif_read(struct bytes file, struct eif_image *out)
{
    *out = (struct eif_image){0};
    TRY(read_header(file, out));
    TRY(check_unused_rows(file, out->section_count));
    TRY(read_sections(file, out));
    TRY(take_parts(out));
    return check_crc(file, out->crc);
}
