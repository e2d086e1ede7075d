// Descriptions of the manifest and what is in it, in three versions, and of approvals and envelopes
// (qos-wire 4.2). The dispatch between versions is in versions.c.
#include "protocol/types_internal.h"

#include "codec/json.h"

const struct type type_hash32 = {FIXED("hash", SHA256_SIZE)};
static const struct type type_text_list = {LIST("list of text", &type_text)};

static const struct field namespace_fields[] = {
    FIELD(struct namespace, name, "name", &type_text),
    FIELD(struct namespace, nonce, "nonce", &type_u32),
    FIELD(struct namespace, quorum_key, "quorumKey", &type_bytes),
};
const struct type type_namespace = {STRUCT(struct namespace, "namespace", namespace_fields)};

static const struct variant restart_variants[] = {
    {"Never", RESTART_NEVER, NULL},
    {"Always", RESTART_ALWAYS, NULL},
};
const struct type type_restart = {UNITS(struct restart, "restart policy", restart_variants)};

static const struct field bridge_server_fields[] = {
    FIELD(struct bridge_server, port, "port", &type_u16),
    FIELD(struct bridge_server, host, "host", &type_text),
};
static const struct type type_bridge_server = {
    STRUCT(struct bridge_server, "server bridge", bridge_server_fields)};
static const struct field bridge_client_fields[] = {
    FIELD(struct bridge_client, port, "port", &type_u16),
    FIELD_MAYBE(struct bridge_client, host, "host", &type_text),
};
static const struct type type_bridge_client = {
    STRUCT(struct bridge_client, "client bridge", bridge_client_fields)};
static const struct variant bridge_variants[] = {
    {"server", BRIDGE_SERVER, &type_bridge_server},
    {"client", BRIDGE_CLIENT, &type_bridge_client},
};
const struct type type_bridge = {TAGGED(struct bridge, server, "bridge", "type", bridge_variants)};
static const struct type type_bridge_list = {LIST("list of bridges", &type_bridge)};

static const struct field pivot_v0_fields[] = {
    FIELD(struct pivot_config, hash, "hash", &type_hash32),
    FIELD(struct pivot_config, restart, "restart", &type_restart),
    FIELD(struct pivot_config, args, "args", &type_text_list),
};
const struct type type_pivot_config_v0 = {STRUCT(struct pivot_config, "pivot v0", pivot_v0_fields)};

static const struct field pivot_v1_fields[] = {
    FIELD(struct pivot_config, hash, "hash", &type_hash32),
    FIELD(struct pivot_config, restart, "restart", &type_restart),
    FIELD(struct pivot_config, bridges, "bridgeConfig", &type_bridge_list),
    FIELD(struct pivot_config, debug_mode, "debugMode", &type_bool),
    FIELD(struct pivot_config, args, "args", &type_text_list),
};
const struct type type_pivot_config_v1 = {STRUCT(struct pivot_config, "pivot v1", pivot_v1_fields)};

static const struct field pivot_v2_fields[] = {
    FIELD(struct pivot_config, hash, "hash", &type_hash32),
    FIELD(struct pivot_config, restart, "restart", &type_restart),
    FIELD(struct pivot_config, bridges, "bridgeConfig", &type_bridge_list),
    FIELD(struct pivot_config, debug_mode, "debugMode", &type_bool),
    FIELD(struct pivot_config, args, "args", &type_text_list),
    FIELD_OR_EMPTY(struct pivot_config, env, "env", &type_env),
};
const struct type type_pivot_config_v2 = {STRUCT(struct pivot_config, "pivot v2", pivot_v2_fields),
                                          .closed = true};

static const struct field member_fields[] = {
    FIELD(struct member, alias, "alias", &type_text),
    FIELD(struct member, pub_key, "pubKey", &type_bytes),
};
const struct type type_member = {STRUCT(struct member, "member", member_fields)};
const struct type type_member_list = {LIST("list of members", &type_member)};

static const struct field member_set_fields[] = {
    FIELD(struct member_set, threshold, "threshold", &type_u32),
    FIELD(struct member_set, members, "members", &type_member_list),
};
const struct type type_member_set = {STRUCT(struct member_set, "member set", member_set_fields)};

static const struct field member_key_fields[] = {
    FIELD(struct member_key, pub_key, "pubKey", &type_bytes),
};
static const struct type type_member_key = {
    STRUCT(struct member_key, "patch member", member_key_fields)};
static const struct type type_member_key_list = {LIST("list of patch members", &type_member_key)};
static const struct field patch_set_fields[] = {
    FIELD(struct patch_set, threshold, "threshold", &type_u32),
    FIELD(struct patch_set, members, "members", &type_member_key_list),
};
const struct type type_patch_set = {STRUCT(struct patch_set, "patch set", patch_set_fields)};

static const struct field nitro_config_fields[] = {
    FIELD(struct nitro_config, pcr0, "pcr0", &type_bytes),
    FIELD(struct nitro_config, pcr1, "pcr1", &type_bytes),
    FIELD(struct nitro_config, pcr2, "pcr2", &type_bytes),
    FIELD(struct nitro_config, pcr3, "pcr3", &type_bytes),
    FIELD(struct nitro_config, root_certificate, "awsRootCertificate", &type_bytes),
    FIELD(struct nitro_config, qos_commit, "qosCommit", &type_text),
};
const struct type type_nitro_config = {STRUCT(struct nitro_config, "enclave", nitro_config_fields)};

static const struct type type_ip_list = {LIST("list of addresses", &type_ip)};
static const struct field dns_fields[] = {
    FIELD(struct dns_config, resolvers, "resolvers", &type_ip_list),
};
const struct type type_dns_config = {STRUCT(struct dns_config, "dns", dns_fields), .closed = true};

static const struct field manifest_v0_fields[] = {
    FIELD(struct manifest, namespace, "namespace", &type_namespace),
    FIELD(struct manifest, pivot, "pivot", &type_pivot_config_v0),
    FIELD(struct manifest, manifest_set, "manifestSet", &type_member_set),
    FIELD(struct manifest, share_set, "shareSet", &type_member_set),
    FIELD(struct manifest, enclave, "enclave", &type_nitro_config),
    FIELD(struct manifest, patch_set, "patchSet", &type_patch_set),
};
const struct type type_manifest_v0 = {STRUCT(struct manifest, "manifest v0", manifest_v0_fields)};

static const struct field manifest_v1_fields[] = {
    FIELD(struct manifest, namespace, "namespace", &type_namespace),
    FIELD(struct manifest, pivot, "pivot", &type_pivot_config_v1),
    FIELD(struct manifest, manifest_set, "manifestSet", &type_member_set),
    FIELD(struct manifest, share_set, "shareSet", &type_member_set),
    FIELD(struct manifest, enclave, "enclave", &type_nitro_config),
    FIELD(struct manifest, patch_set, "patchSet", &type_patch_set),
};
const struct type type_manifest_v1 = {STRUCT(struct manifest, "manifest v1", manifest_v1_fields)};

// "version": the text v2 and nothing else; JSON only.
static enum q_err version_json_encode(const void *value, struct json_writer *w)
{
    (void)value;
    return json_write_text(w, BYTES_LIT("v2"));
}

static enum q_err version_json_decode(const struct json_t *in, struct arena *a, void *value)
{
    struct bytes *text = value;
    TRY(json_read(&type_text, in, a, text));
    if (bytes_is(*text, "v2"))
        return Q_OK;
    return fail(Q_BAD_INPUT, "expected v2, got another text of %zu bytes", text->n);
}

static const struct type type_version_v2 = {
    .name = "version",
    .shape = SHAPE_CUSTOM,
    .size = sizeof(struct bytes),
    .hooks = {.json_encode = version_json_encode, .json_decode = version_json_decode},
};

static const struct field manifest_v2_fields[] = {
    FIELD(struct manifest, version_text, "version", &type_version_v2),
    FIELD(struct manifest, namespace, "namespace", &type_namespace),
    FIELD(struct manifest, pivot, "pivot", &type_pivot_config_v2),
    FIELD(struct manifest, manifest_set, "manifestSet", &type_member_set),
    FIELD(struct manifest, share_set, "shareSet", &type_member_set),
    FIELD(struct manifest, enclave, "enclave", &type_nitro_config),
    FIELD_MAYBE(struct manifest, dns, "dns", &type_dns_config),
};
const struct type type_manifest_v2 = {STRUCT(struct manifest, "manifest v2", manifest_v2_fields),
                                      .closed = true};

static const struct field approval_fields[] = {
    FIELD(struct approval, signature, "signature", &type_bytes),
    FIELD(struct approval, member, "member", &type_member),
};
const struct type type_approval = {STRUCT(struct approval, "approval", approval_fields)};
const struct type type_approval_list = {LIST("list of approvals", &type_approval)};

// The envelope of version 0 has snake_case keys around a camelCase manifest.
#define ENVELOPE_FIELDS(manifest_type, by_manifest_set, by_share_set)                              \
    {                                                                                              \
        FIELD(struct manifest_envelope, manifest, "manifest", manifest_type),                      \
            FIELD(struct manifest_envelope, manifest_set_approvals, by_manifest_set,               \
                  &type_approval_list),                                                            \
            FIELD(struct manifest_envelope, share_set_approvals, by_share_set,                     \
                  &type_approval_list)                                                             \
    }
static const struct field envelope_v0_fields[] =
    ENVELOPE_FIELDS(&type_manifest_v0, "manifest_set_approvals", "share_set_approvals");
static const struct field envelope_v1_fields[] =
    ENVELOPE_FIELDS(&type_manifest_v1, "manifestSetApprovals", "shareSetApprovals");
static const struct field envelope_v2_fields[] =
    ENVELOPE_FIELDS(&type_manifest_v2, "manifestSetApprovals", "shareSetApprovals");
const struct type type_envelope_v0 = {
    STRUCT(struct manifest_envelope, "manifest envelope v0", envelope_v0_fields)};
const struct type type_envelope_v1 = {
    STRUCT(struct manifest_envelope, "manifest envelope v1", envelope_v1_fields)};
const struct type type_envelope_v2 = {
    STRUCT(struct manifest_envelope, "manifest envelope v2", envelope_v2_fields), .closed = true};
