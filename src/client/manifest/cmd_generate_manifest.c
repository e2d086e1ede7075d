// generate-manifest (qos-behaviour 1.6).
#include "client/command.h"

#include "base/text.h"
#include "client/audit_trail.h"
#include "client/manifest/manifest_parts.h"
#include "client/output.h"
#include "protocol/manifest.h"

#include <string.h>

static enum q_err read_version(const struct options *o, enum manifest_version *out)
{
    const char *value = options_value(o, "use-manifest-version");
    *out = strcmp(value, "2") == 0 ? MANIFEST_V2 : MANIFEST_V1;
    if (*out == MANIFEST_V1 && strcmp(value, "1") != 0)
        return fail(Q_BAD_INPUT, "unsupported manifest version %s; expected 1 or 2", value);
    if (*out == MANIFEST_V1 && options_given(o, "dns-resolvers"))
        return fail(Q_BAD_INPUT, "ManifestV1DoesNotSupportDnsConfig: --dns-resolvers needs "
                                 "--use-manifest-version 2");
    return patch_set_rule(o, *out);
}

static enum q_err read_namespace(const struct options *o, struct manifest *m)
{
    m->namespace.name = bytes_str(options_value(o, "namespace"));
    TRY(text_check_name("--namespace", m->namespace.name, true));
    return options_u32(o, "nonce", 0, UINT32_MAX, &m->namespace.nonce);
}

static enum q_err read_pivot(const struct options *o, struct arena *a, struct pivot_config *out)
{
    const char *bridges = options_value(o, "bridge-config");
    TRY(restart_policy_parse(options_value(o, "restart-policy"), &out->restart));
    TRY(pivot_args_parse(options_value(o, "pivot-args"), a, out));
    TRY(debug_mode_parse(options_value(o, "debug-mode"), &out->debug_mode));
    return bridges == NULL ? Q_OK : bridge_config_parse(bridges, a, out);
}

// Absent and empty are different values.
static enum q_err read_dns(const struct options *o, struct arena *a, struct manifest *m)
{
    void *room;
    const char *resolvers = options_value(o, "dns-resolvers");
    if (resolvers == NULL)
        return Q_OK;
    TRY(arena_alloc(a, sizeof *m->dns, &room));
    m->dns = room;
    return dns_resolvers_parse(resolvers, a, m->dns);
}

static enum q_err read_parts(const struct options *o, struct arena *a, struct manifest *m)
{
    struct manifest_parts parts;
    TRY(manifest_parts_read(o, m->version, a, &parts));
    m->manifest_set = parts.manifest_set;
    m->share_set = parts.share_set;
    m->patch_set = parts.patch_set;
    m->enclave = parts.enclave;
    m->namespace.quorum_key = parts.quorum_key;
    memcpy(m->pivot.hash, parts.pivot_hash, sizeof m->pivot.hash);
    return Q_OK;
}

static enum q_err generate_manifest(const struct options *o)
{
    ARENA_AUTO a = {0};
    OUTPUT_AUTO out = {0};
    BUF_AUTO file = {0};
    struct manifest m = {.version_text = BYTES_LIT("v2")};
    TRY(read_version(o, &m.version));
    TRY(read_namespace(o, &m));
    TRY(read_pivot(o, &a, &m.pivot));
    TRY(read_dns(o, &a, &m));
    TRY(read_parts(o, &a, &m));
    TRY(manifest_check_thresholds(&m, NULL));
    TRY(manifest_store(&m, &file));
    audit_note_manifest(&m);
    TRY(output_stage(&out, "Manifest", options_value(o, "manifest-path"), buf_bytes(&file),
                     OUTPUT_REMADE));
    return output_publish(&out);
}

static const struct option generate_manifest_options[] = {
    OPTION_REQUIRED("manifest-path", "File for the manifest"),
    OPTION_REQUIRED("namespace", "Name of the deployment"),
    OPTION_REQUIRED("nonce", "Number of this manifest in its namespace; never goes down"),
    OPTION_REQUIRED("restart-policy", "never or always: what happens when the application ends"),
    {.name = "pivot-args",
     .kind = OPTION_VALUE,
     .fallback = "[]",
     .help = "Arguments of the application, as [a,b]"},
    OPTION_OPTIONAL("bridge-config",
                    "JSON array of the application's ports, {\"type\":\"server\",\"port\":3000,"
                    "\"host\":\"0.0.0.0\"}"),
    OPTION_OPTIONAL("dns-resolvers", "Resolvers as [ip,ip]; version 2 only"),
    {.name = "debug-mode",
     .kind = OPTION_VALUE,
     .fallback = "false",
     .help = "true: the application's output leaves the enclave"},
    {.name = "use-manifest-version", .kind = OPTION_VALUE, .fallback = "1", .help = "1 or 2"},
    OPTIONS_MANIFEST_PARTS,
    OPTION_IGNORED("pool-size"),
    OPTION_IGNORED("client-timeout"),
    OPTION_IGNORED("app-host-enabled"),
    OPTION_IGNORED("app-host-port"),
    OPTION_IGNORED("app-pool-size"),
    OPTION_AUDIT,
};

const struct command command_generate_manifest = {
    .name = "generate-manifest",
    .run = generate_manifest,
    .help = "Write down what an enclave shall run, and who decides about it",
    COMMAND_OPTIONS(generate_manifest_options),
    .audited = true,
};
