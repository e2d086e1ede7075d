// generate-manifest-envelope: a manifest and the approvals that make it valid (qos-behaviour 1.6).
#include "client/command.h"

#include "client/manifest/approvals_dir.h"
#include "client/manifest/manifest_parts.h"
#include "client/output.h"
#include "protocol/manifest.h"

static enum q_err generate_manifest_envelope(const struct options *o)
{
    ARENA_AUTO a = {0};
    OUTPUT_AUTO out = {0};
    BUF_AUTO file = {0};
    struct manifest_envelope e = {.manifest = {.version = MANIFEST_V1}};
    const char *folder = options_value(o, "manifest-approvals-dir");
    const char *path = options_value(o, "manifest-envelope-path");
    TRY(manifest_file_read(options_value(o, "manifest-path"), &a, &e.manifest));
    TRY(approvals_dir_read(folder, &a, &e));
    TRY(err_context(envelope_check_approvals(&e, NULL), "Error with approvals"));
    if (path == NULL)
        TRY(file_join(&a, folder, "manifest_envelope", &path));
    TRY(envelope_store(&e, &file));
    TRY(output_stage(&out, "Manifest Envelope", path, buf_bytes(&file), OUTPUT_REMADE));
    return output_publish(&out);
}

static const struct option generate_manifest_envelope_options[] = {
    OPTION_REQUIRED("manifest-path", "The manifest"),
    OPTION_REQUIRED("manifest-approvals-dir", "Folder with the members' approvals"),
    OPTION_OPTIONAL("manifest-envelope-path",
                    "File for the envelope [default: manifest_envelope in that folder]"),
    OPTION_AUDIT,
};

const struct command command_generate_manifest_envelope = {
    .name = "generate-manifest-envelope",
    .run = generate_manifest_envelope,
    .help = "Join a manifest and its approvals",
    COMMAND_OPTIONS(generate_manifest_envelope_options),
    .audited = true,
};
