// eif build and eif initramfs: the image of an enclave, from its parts (nitro 1 and 6).
#include "client/command.h"

#include "base/file.h"
#include "client/eif_view.h"
#include "client/text_file.h"
#include "tee/eif/eif_metadata.h"
#include "tee/eif/initramfs.h"

#include <string.h>

// The files an image is made of, as long as it is made.
struct sources {
    struct buf kernel, cmdline, metadata, ramdisks[EIF_MAX_RAMDISKS];
};
#define SOURCES_AUTO __attribute__((cleanup(sources_free))) struct sources

static void sources_free(struct sources *s)
{
    buf_free(&s->kernel);
    buf_free(&s->cmdline);
    buf_free(&s->metadata);
    for (size_t i = 0; i < EIF_MAX_RAMDISKS; i++)
        buf_free(&s->ramdisks[i]);
}

static enum q_err read_part(const char *path, struct buf *out)
{
    out->limit = EIF_MAX_SIZE + 1;
    return file_read(path, EIF_MAX_SIZE, out);
}

static enum q_err read_cmdline(const struct options *o, struct buf *out)
{
    const char *text = options_value(o, "cmdline"), *path = options_value(o, "cmdline-path");
    struct bytes line;
    BUF_AUTO file = {0};
    if ((text == NULL) == (path == NULL))
        return fail(Q_BAD_INPUT,
                    "command line: expected either --cmdline or --cmdline-path, found %s",
                    text == NULL ? "neither" : "both");
    if (text != NULL)
        return buf_append_str(out, text);
    TRY(file_read(path, EIF_MAX_CMDLINE + 2, &file));
    TRY(text_file_line(buf_bytes(&file), path, &line));
    return buf_append(out, line);
}

static enum q_err write_metadata(const struct options *o, struct buf *out)
{
    const struct eif_metadata m = {
        .name = options_value(o, "name"),
        .version = options_value(o, "image-version"),
        .build_time = options_value(o, "build-time"),
        .system = options_value(o, "operating-system"),
        .kernel = options_value(o, "kernel-version"),
    };
    return eif_metadata_write(&m, out);
}

static enum q_err read_sources(const struct options *o, struct sources *s, struct eif_parts *parts)
{
    if (o->values_count > EIF_MAX_RAMDISKS)
        return fail(Q_BAD_INPUT, "--ramdisk-path: expected at most %d, found %zu", EIF_MAX_RAMDISKS,
                    o->values_count);
    TRY(read_part(options_value(o, "kernel-path"), &s->kernel));
    TRY(read_cmdline(o, &s->cmdline));
    TRY(write_metadata(o, &s->metadata));
    for (size_t i = 0; i < o->values_count; i++) {
        TRY(read_part(o->values[i], &s->ramdisks[i]));
        parts->ramdisks[parts->ramdisk_count++] = buf_bytes(&s->ramdisks[i]);
    }
    parts->kernel = buf_bytes(&s->kernel);
    parts->cmdline = buf_bytes(&s->cmdline);
    parts->metadata = buf_bytes(&s->metadata);
    return Q_OK;
}

static enum q_err eif_build(const struct options *o)
{
    OUTPUT_AUTO out = {0};
    SOURCES_AUTO sources = {0};
    EIF_FILE_AUTO made = {.file = {.limit = EIF_MAX_SIZE}};
    struct eif_parts parts = {0};
    TRY(read_sources(o, &sources, &parts));
    TRY(eif_write(&parts, &made.file));
    TRY(eif_file_examine(&made)); // what is written can be read, and is what is measured
    TRY(output_stage(&out, options_given(o, "json") ? NULL : "Enclave image",
                     options_value(o, "eif-path"), buf_bytes(&made.file), OUTPUT_REMADE));
    TRY(eif_stage_lines(o, &made, &out));
    TRY(output_publish(&out));
    return eif_print_measurements(o, &made);
}

static const struct option eif_build_options[] = {
    OPTION_REQUIRED("kernel-path", "The kernel, a bzImage"),
    OPTION_OPTIONAL("cmdline", "The kernel's command line"),
    OPTION_OPTIONAL("cmdline-path", "File with that line, instead"),
    {.name = "ramdisk-path",
     .kind = OPTION_VALUE,
     .required = true,
     .multiple = true,
     .help = "A cpio archive; the first is measured as PCR1, all further ones as PCR2"},
    OPTION_REQUIRED("eif-path", "File for the image"),
    OPTION_OPTIONAL("pcrs-path", "File for the measurements (aws-x86_64.pcrs of a release)"),
    {.name = "name", .kind = OPTION_VALUE, .fallback = "enclave", .help = "Name, not measured"},
    {.name = "image-version",
     .kind = OPTION_VALUE,
     .fallback = "1",
     .help = "Version of the image, not measured"},
    {.name = "build-time",
     .kind = OPTION_VALUE,
     .fallback = "1970-01-01T00:00:00Z",
     .help = "Time of the build, not measured; the same for everybody by default"},
    {.name = "operating-system",
     .kind = OPTION_VALUE,
     .fallback = "Linux",
     .help = "Operating system of the image, not measured"},
    {.name = "kernel-version",
     .kind = OPTION_VALUE,
     .fallback = "unknown",
     .help = "Version of the kernel, not measured"},
    OPTION_SWITCH("json", "Print one JSON object, like nitro-cli's"),
};

const struct command command_eif_build = {
    .name = "eif build",
    .run = eif_build,
    .help = "Make an enclave's image from kernel, command line and ramdisks, and measure it",
    COMMAND_OPTIONS(eif_build_options),
};

// The folder that a path lies in.
static enum q_err folder_of(const char *path, struct arena *a, const char **out)
{
    struct bytes folder;
    const char *slash = strrchr(path, '/');
    *out = ".";
    if (slash == NULL)
        return Q_OK;
    TRY(arena_printf(a, &folder, "%.*s", slash == path ? 1 : (int)(slash - path), path));
    *out = (const char *)folder.p;
    return Q_OK;
}

static enum q_err eif_initramfs(const struct options *o)
{
    ARENA_AUTO a = {0};
    OUTPUT_AUTO out = {0};
    BUF_AUTO text = {0}, archive = {.limit = EIF_MAX_SIZE};
    struct initramfs_list list;
    const char *path = options_value(o, "spec-path"), *folder = options_value(o, "source-dir");
    TRY(file_read(path, INITRAMFS_MAX_LIST, &text));
    TRY(initramfs_list_read(buf_bytes(&text), path, &a, &list));
    if (folder == NULL)
        TRY(folder_of(path, &a, &folder));
    TRY(err_context(initramfs_write(&list, folder, &archive), "%s", path));
    TRY(output_stage(&out, "Initramfs", options_value(o, "output-path"), buf_bytes(&archive),
                     OUTPUT_REMADE));
    return output_publish(&out);
}

static const struct option eif_initramfs_options[] = {
    OPTION_REQUIRED("spec-path", "List of what it holds: file, dir, nod and slink lines"),
    OPTION_OPTIONAL("source-dir", "Folder of the files it names [default: that of the list]"),
    OPTION_REQUIRED("output-path", "File for the cpio archive"),
};

const struct command command_eif_initramfs = {
    .name = "eif initramfs",
    .run = eif_initramfs,
    .help = "Make a ramdisk from a list; the same list and files give the same bytes",
    COMMAND_OPTIONS(eif_initramfs_options),
};
