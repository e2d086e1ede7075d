// display and json-to-borsh: a manifest, an envelope or a genesis output in another form
// (qos-behaviour 1.6).
#include "client/command.h"

#include "client/genesis/genesis_files.h"
#include "client/json_tree.h"
#include "client/manifest/manifest_parts.h"
#include "client/output.h"
#include "codec/borsh.h"
#include "codec/json.h"
#include "protocol/genesis.h"
#include "protocol/manifest.h"

#include <string.h>

static enum q_err manifest_json(const char *path, struct arena *a, struct buf *json)
{
    struct manifest m;
    TRY(manifest_file_read(path, a, &m));
    return json_encode(&type_manifest, &m, JSON_PLAIN, json);
}

static enum q_err envelope_json(const char *path, struct arena *a, struct buf *json)
{
    struct manifest_envelope e;
    TRY(envelope_file_read(path, a, &e));
    return json_encode(&type_manifest_envelope, &e, JSON_PLAIN, json);
}

static enum q_err genesis_json(const char *path, struct arena *a, struct buf *json)
{
    struct genesis_output g;
    TRY(genesis_output_file_read(path, a, &g));
    TRY(dr_key_announce(g.dr_key));
    return json_encode(&type_genesis_output, &g, JSON_PLAIN, json);
}

// What would be read back as nothing, because it is version 0 as well, is not written.
static enum q_err manifest_borsh(const char *path, struct arena *a, struct buf *borsh)
{
    struct manifest m, v1, back;
    TRY(manifest_file_read(path, a, &m));
    TRY(err_context(manifest_to_v1(&m, &v1), "%s", path));
    TRY(borsh_encode(&type_manifest_v1, &v1, borsh));
    return err_context(manifest_read(buf_bytes(borsh), a, &back), "%s: as Borsh", path);
}

static enum q_err envelope_borsh(const char *path, struct arena *a, struct buf *borsh)
{
    struct manifest_envelope e, v1, back;
    TRY(envelope_file_read(path, a, &e));
    TRY(err_context(envelope_to_v1(&e, &v1), "%s", path));
    TRY(borsh_encode(&type_envelope_v1, &v1, borsh));
    return err_context(envelope_read(buf_bytes(borsh), a, &back), "%s: as Borsh", path);
}

static enum q_err genesis_borsh(const char *path, struct arena *a, struct buf *borsh)
{
    (void)path;
    (void)a;
    (void)borsh;
    return fail(Q_UNSUPPORTED, "GenesisOutput cannot be converted from JSON: its file is Borsh");
}

struct display_kind {
    const char *name;
    enum q_err (*json)(const char *path, struct arena *a, struct buf *json);
    enum q_err (*borsh)(const char *path, struct arena *a, struct buf *borsh);
};

static enum q_err find_kind(const char *name, const struct display_kind **out)
{
    static const struct display_kind kinds[] = {
        {"manifest", manifest_json, manifest_borsh},
        {"manifest-envelope", envelope_json, envelope_borsh},
        {"genesis-output", genesis_json, genesis_borsh},
    };
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        *out = &kinds[i];
        if (strcmp(kinds[i].name, name) == 0)
            return Q_OK;
    }
    return fail(Q_BAD_INPUT,
                "--display-type: expected manifest, manifest-envelope or genesis-output, found %s",
                name);
}

static enum q_err print(struct bytes json, bool compact)
{
    JSON_AUTO *document = NULL;
    TRY(json_parse(json, &document));
    return json_print(document, compact);
}

static enum q_err display(const struct options *o)
{
    ARENA_AUTO a = {0};
    BUF_AUTO json = {0};
    const struct display_kind *kind;
    TRY(find_kind(options_value(o, "display-type"), &kind));
    TRY(kind->json(options_value(o, "file-path"), &a, &json));
    return print(buf_bytes(&json), options_given(o, "json"));
}

static const struct option display_options[] = {
    OPTION_REQUIRED("file-path", "The file to show"),
    OPTION_REQUIRED("display-type", "manifest, manifest-envelope or genesis-output"),
    OPTION_SWITCH("json", "On one line"),
};

const struct command command_display = {
    .name = "display",
    .run = display,
    .help = "Show a manifest, an envelope or a genesis output as JSON",
    COMMAND_OPTIONS(display_options),
};

static enum q_err json_to_borsh(const struct options *o)
{
    ARENA_AUTO a = {0};
    OUTPUT_AUTO out = {0};
    BUF_AUTO borsh = {0};
    const struct display_kind *kind;
    TRY(find_kind(options_value(o, "display-type"), &kind));
    TRY(kind->borsh(options_value(o, "file-path"), &a, &borsh));
    TRY(output_stage(&out, NULL, options_value(o, "output-path"), buf_bytes(&borsh),
                     OUTPUT_REMADE));
    return output_publish(&out);
}

static const struct option json_to_borsh_options[] = {
    OPTION_REQUIRED("file-path", "The file to convert"),
    OPTION_REQUIRED("display-type", "manifest or manifest-envelope"),
    OPTION_REQUIRED("output-path", "File for the Borsh form of version 1"),
};

const struct command command_json_to_borsh = {
    .name = "json-to-borsh",
    .run = json_to_borsh,
    .help = "Write a manifest or an envelope as Borsh, for older programs",
    COMMAND_OPTIONS(json_to_borsh_options),
};
