// eif describe: what is in an enclave's image, every byte of it checked first (nitro 1.1, 1.2).
#include "client/command.h"

#include "base/hex.h"
#include "base/log.h"
#include "client/eif_view.h"
#include "client/time_text.h"
#include "tee/eif/eif_metadata.h"

#include <inttypes.h>
#include <stdio.h>

static enum q_err put_sections(const struct eif_image *image, json_t *object)
{
    json_t *list = NULL;
    TRY(json_tree_array(&list));
    TRY(json_put(object, "Sections", list)); // object holds it from here on
    for (size_t i = 0; i < image->section_count; i++) {
        const struct eif_section *s = &image->sections[i];
        TRY(json_push(list,
                      json_pack("{s:s, s:I, s:I}", "Type", eif_section_name(s->type), "Offset",
                                (json_int_t)s->offset, "Size", (json_int_t)s->data.n)));
    }
    return Q_OK;
}

static enum q_err put_signer(const struct eif_signer *s, json_t *object)
{
    json_t *signer = NULL;
    TRY(json_tree_object(&signer));
    TRY(json_put(object, "SigningCertificate", signer));
    TRY(json_put(signer, "Sha256", json_hex(BYTES_OF(s->fingerprint))));
    TRY(json_put(signer, "NotBefore", json_time(s->not_before_s)));
    return json_put(signer, "NotAfter", json_time(s->not_after_s));
}

static enum q_err print_json(const struct eif_file *f, json_t *metadata)
{
    JSON_AUTO *object = NULL;
    json_t *measurements = NULL;
    const struct eif_image *image = &f->image;
    TRY(json_tree_object(&object));
    TRY(json_put(object, "EifVersion", json_integer(EIF_VERSION)));
    TRY(eif_measurements_json(f, &measurements));
    TRY(json_put(object, "Measurements", measurements));
    TRY(json_put(object, "IsSigned", json_boolean(f->is_signed)));
    TRY(json_put(object, "CheckCRC", json_true()));
    if (f->is_signed) {
        TRY(json_put(object, "SignatureCheck", json_true()));
        TRY(put_signer(&f->signer, object));
    }
    TRY(json_put(object, "Cmdline", json_shown(image->parts.cmdline)));
    TRY(put_sections(image, object));
    TRY(json_put(object, "Metadata", metadata == NULL ? json_null() : json_incref(metadata)));
    return json_print(object, false);
}

static void print_sections(const struct eif_image *image)
{
    printf("EIF version %d, %zu sections, CRC-32 %08" PRIx32 "\n", EIF_VERSION,
           image->section_count, image->crc);
    for (size_t i = 0; i < image->section_count; i++) {
        const struct eif_section *s = &image->sections[i];
        printf("  %-9s offset %zu, %zu bytes\n", eif_section_name(s->type), s->offset, s->data.n);
    }
}

static void print_text(const json_t *object, const char *key)
{
    BUF_AUTO shown = {0};
    const json_t *value = json_object_get(object, key);
    if (json_is_string(value))
        printf("  %s: %s\n", key,
               output_shown(bytes_of(json_string_value(value), json_string_length(value)), &shown));
}

// Not measured: whoever has the file can write there what they like.
static void print_metadata(const json_t *metadata)
{
    static const char *const keys[] = {"BuildTime", "BuildTool", "BuildToolVersion",
                                       "OperatingSystem", "KernelVersion"};
    if (metadata == NULL)
        return;
    printf("Metadata (not measured):\n");
    print_text(metadata, "ImageName");
    print_text(metadata, "ImageVersion");
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
        print_text(json_object_get(metadata, "BuildMetadata"), keys[i]);
}

static enum q_err print_signer(const struct eif_file *f)
{
    BUF_AUTO text = {0};
    const struct eif_signer *s = &f->signer;
    if (!f->is_signed) {
        printf("Not signed (PCR8 is zero).\n");
        return Q_OK;
    }
    TRY(buf_append_str(&text, "Signed by the certificate with SHA-256 "));
    TRY(hex_encode(BYTES_OF(s->fingerprint), &text));
    TRY(buf_append_str(&text, ", valid from "));
    TRY(time_show(s->not_before_s, &text));
    TRY(buf_append_str(&text, " to "));
    TRY(time_show(s->not_after_s, &text));
    TRY(buf_append_str(&text, "; the signature holds.\n"));
    if (buf_text(&text) == NULL)
        return Q_NOMEM;
    (void)fputs((const char *)text.p, stdout);
    return Q_OK;
}

static enum q_err warn_expired(const struct eif_file *f)
{
    int64_t now;
    TRY(time_now_s(&now));
    if (f->is_signed && (now < f->signer.not_before_s || now > f->signer.not_after_s))
        log_warn("the signing certificate is not valid now: Nitro does not start such an image");
    return Q_OK;
}

static enum q_err print_human(const struct options *o, const struct eif_file *f,
                              const json_t *metadata)
{
    BUF_AUTO shown = {0};
    print_sections(&f->image);
    TRY(eif_print_measurements(o, f));
    TRY(print_signer(f));
    printf("Command line: %s\n", output_shown(f->image.parts.cmdline, &shown));
    print_metadata(metadata);
    return Q_OK;
}

static enum q_err eif_describe(const struct options *o)
{
    OUTPUT_AUTO out = {0};
    EIF_FILE_AUTO f = {0};
    JSON_AUTO *metadata = NULL;
    const char *path = options_value(o, "eif-path");
    TRY(eif_file_read(path, &f));
    if (f.image.parts.metadata.p != NULL)
        TRY(err_context(eif_metadata_read(f.image.parts.metadata, &metadata), "%s", path));
    TRY(eif_stage_lines(o, &f, &out));
    TRY(output_publish(&out));
    TRY(warn_expired(&f));
    return options_given(o, "json") ? print_json(&f, metadata) : print_human(o, &f, metadata);
}

static const struct option eif_describe_options[] = {
    OPTION_REQUIRED("eif-path", "The image"),
    OPTION_OPTIONAL("pcrs-path", "File for the measurements (aws-x86_64.pcrs of a release)"),
    OPTION_SWITCH("json", "Print one JSON object"),
};

const struct command command_eif_describe = {
    .name = "eif describe",
    .run = eif_describe,
    .help = "Check an enclave's image, and show what is in it and how it is measured",
    COMMAND_OPTIONS(eif_describe_options),
};
