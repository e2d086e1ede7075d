// Descriptions of the protocol's messages (qos-wire 4.3): variant names are camelCase, the fields
// of their payloads snake_case; our own begin at 128 and have no Borsh form (message.c).
#include "protocol/types_internal.h"

#include "codec/borsh.h"
#include "codec/json.h"

static const struct field boot_fields[] = {
    FIELD(struct boot_request, manifest_envelope, "manifest_envelope", &type_manifest_envelope),
    FIELD(struct boot_request, pivot, "pivot", &type_bytes),
};
static const struct type type_boot_request = {
    STRUCT(struct boot_request, "boot request", boot_fields)};

// Of the envelope in variant 23. Parsing text takes several times its size, beside the frame it came in.
#define ENVELOPE_TEXT_MAX ((size_t)16 << 20)

// Variant 23 in Borsh: bytes (plain JSON of the envelope), bytes (the application). It has no JSON
// form.
static enum q_err boot_json_encode(const void *value, struct buf *out)
{
    const struct boot_request *boot = value;
    BUF_AUTO json = {0};
    TRY(json_encode(&type_manifest_envelope, &boot->manifest_envelope, JSON_PLAIN, &json));
    struct bytes envelope = buf_bytes(&json);
    TRY(borsh_encode(&type_bytes, &envelope, out));
    return borsh_encode(&type_bytes, &boot->pivot, out);
}

// Left where it came: an application can be as large as a message.
static enum q_err read_in_place(struct reader *in, struct bytes *out)
{
    uint32_t n;
    TRY(reader_u32le(in, &n));
    return reader_take(in, n, out);
}

static enum q_err boot_json_decode(struct reader *in, struct arena *a, void *value)
{
    struct boot_request *boot = value;
    struct bytes envelope;
    TRY(read_in_place(in, &envelope));
    if (envelope.n > ENVELOPE_TEXT_MAX)
        return fail(Q_LIMIT, "manifest envelope: expected at most %zu bytes of JSON, got %zu",
                    ENVELOPE_TEXT_MAX, envelope.n);
    TRY(json_decode(&type_manifest_envelope, envelope, a, &boot->manifest_envelope));
    return read_in_place(in, &boot->pivot);
}

const struct type type_boot_request_json = {
    .name = "boot request with a JSON envelope",
    .shape = SHAPE_CUSTOM,
    .size = sizeof(struct boot_request),
    .hooks = {.borsh_encode = boot_json_encode, .borsh_decode = boot_json_decode},
};

static const struct field nsm_reply_fields[] = {
    FIELD(struct nsm_reply, nsm_response, "nsm_response", &type_nsm_response),
};
static const struct type type_nsm_reply = {STRUCT(struct nsm_reply, "NSM reply", nsm_reply_fields)};

static const struct field genesis_request_fields[] = {
    FIELD(struct genesis_request, set, "set", &type_genesis_set),
    FIELD_MAYBE(struct genesis_request, dr_key, "dr_key", &type_bytes),
};
static const struct type type_genesis_request = {
    STRUCT(struct genesis_request, "genesis request", genesis_request_fields)};

static const struct field genesis_reply_fields[] = {
    FIELD(struct genesis_reply, nsm_response, "nsm_response", &type_nsm_response),
    FIELD(struct genesis_reply, genesis_output, "genesis_output", &type_genesis_output),
};
static const struct type type_genesis_reply = {
    STRUCT(struct genesis_reply, "genesis reply", genesis_reply_fields)};

static const struct field provision_fields[] = {
    FIELD(struct provision_request, share, "share", &type_bytes),
    FIELD(struct provision_request, approval, "approval", &type_approval),
};
static const struct type type_provision_request = {
    STRUCT(struct provision_request, "provision request", provision_fields)};

static const struct field bound_provision_fields[] = {
    FIELD(struct bound_provision_request, share, "share", &type_bytes),
    FIELD(struct bound_provision_request, approval, "approval", &type_approval),
    FIELD(struct bound_provision_request, binding, "binding", &type_bytes),
};
const struct type type_bound_provision_request = {
    STRUCT(struct bound_provision_request, "bound provision request", bound_provision_fields)};

static const struct field provision_reply_fields[] = {
    FIELD(struct provision_reply, reconstructed, "reconstructed", &type_bool),
};
static const struct type type_provision_reply = {
    STRUCT(struct provision_reply, "provision reply", provision_reply_fields)};

static const struct field proxy_fields[] = {
    FIELD(struct proxy_data, data, "data", &type_bytes),
};
static const struct type type_proxy = {STRUCT(struct proxy_data, "proxy", proxy_fields)};

static const struct field live_attestation_fields[] = {
    FIELD(struct live_attestation_reply, nsm_response, "nsm_response", &type_nsm_response),
    FIELD_MAYBE(struct live_attestation_reply, manifest_envelope, "manifest_envelope",
                &type_manifest_envelope),
};
static const struct type type_live_attestation = {
    STRUCT(struct live_attestation_reply, "live attestation reply", live_attestation_fields)};

static const struct field export_key_fields[] = {
    FIELD(struct export_key_request, manifest_envelope, "manifest_envelope",
          &type_manifest_envelope),
    FIELD(struct export_key_request, cose_sign1_attestation_doc, "cose_sign1_attestation_doc",
          &type_bytes),
};
static const struct type type_export_key = {
    STRUCT(struct export_key_request, "export key request", export_key_fields)};

static const struct field envelope_reply_fields[] = {
    FIELD_MAYBE(struct manifest_envelope_reply, manifest_envelope, "manifest_envelope",
                &type_manifest_envelope),
};
static const struct type type_envelope_reply = {
    STRUCT(struct manifest_envelope_reply, "manifest envelope reply", envelope_reply_fields)};

static const struct field version_fields[] = {
    FIELD(struct version_reply, version, "version", &type_text),
    FIELD(struct version_reply, commit, "commit", &type_text),
};
static const struct type type_version = {
    STRUCT(struct version_reply, "version reply", version_fields)};

static const struct field state_fields[] = {
    FIELD(struct state_reply, phase, "phase", &type_phase),
    FIELD(struct state_reply, pivot_running, "pivot_running", &type_bool),
    FIELD(struct state_reply, tee, "tee", &type_text),
    FIELD(struct state_reply, shares_held, "shares_held", &type_u32),
    FIELD(struct state_reply, shares_needed, "shares_needed", &type_u32),
};
static const struct type type_state = {STRUCT(struct state_reply, "state reply", state_fields)};

static const struct field reshare_boot_fields[] = {
    FIELD(struct reshare_boot_request, plan, "plan", &type_reshare_plan),
    FIELD(struct reshare_boot_request, approvals, "approvals", &type_approval_list),
};
const struct type type_reshare_boot_request = {
    STRUCT(struct reshare_boot_request, "reshare boot request", reshare_boot_fields)};

static const struct field reshare_share_reply_fields[] = {
    FIELD(struct reshare_share_reply, complete, "complete", &type_bool),
};
static const struct type type_reshare_share_reply = {
    STRUCT(struct reshare_share_reply, "reshare share reply", reshare_share_reply_fields)};

static const struct field reshare_output_reply_fields[] = {
    FIELD(struct reshare_output_reply, nsm_response, "nsm_response", &type_nsm_response),
    FIELD(struct reshare_output_reply, output, "output", &type_reshare_output),
};
static const struct type type_reshare_output_reply = {
    STRUCT(struct reshare_output_reply, "reshare output reply", reshare_output_reply_fields)};

static const struct field api_request_fields[] = {
    FIELD(struct api_request, method, "method", &type_text),
    FIELD(struct api_request, path, "path", &type_text),
    FIELD(struct api_request, query, "query", &type_text),
    FIELD(struct api_request, authorization, "authorization", &type_text),
    FIELD(struct api_request, request_id, "requestId", &type_text),
    FIELD(struct api_request, body, "body", &type_bytes),
};
static const struct type type_api_request = {
    STRUCT(struct api_request, "API request", api_request_fields)};

static const struct field api_response_fields[] = {
    FIELD(struct api_response, status, "status", &type_u32),
    FIELD(struct api_response, body, "body", &type_text),
};
static const struct type type_api_response = {
    STRUCT(struct api_response, "API response", api_response_fields)};

static const struct variant message_variants[] = {
    {"protocolErrorResponse", MSG_PROTOCOL_ERROR_RESPONSE, &type_protocol_error},
    {"statusRequest", MSG_STATUS_REQUEST, NULL},
    {"statusResponse", MSG_STATUS_RESPONSE, &type_phase},
    {"bootStandardRequest", MSG_BOOT_STANDARD_REQUEST, &type_boot_request},
    {"bootStandardResponse", MSG_BOOT_STANDARD_RESPONSE, &type_nsm_reply},
    {"bootGenesisRequest", MSG_BOOT_GENESIS_REQUEST, &type_genesis_request},
    {"bootGenesisResponse", MSG_BOOT_GENESIS_RESPONSE, &type_genesis_reply},
    {"provisionRequest", MSG_PROVISION_REQUEST, &type_provision_request},
    {"provisionResponse", MSG_PROVISION_RESPONSE, &type_provision_reply},
    {"proxyRequest", MSG_PROXY_REQUEST, &type_proxy},
    {"proxyResponse", MSG_PROXY_RESPONSE, &type_proxy},
    {"liveAttestationDocRequest", MSG_LIVE_ATTESTATION_DOC_REQUEST, NULL},
    {"liveAttestationDocResponse", MSG_LIVE_ATTESTATION_DOC_RESPONSE, &type_live_attestation},
    {"bootKeyForwardRequest", MSG_BOOT_KEY_FORWARD_REQUEST, &type_boot_request},
    {"bootKeyForwardResponse", MSG_BOOT_KEY_FORWARD_RESPONSE, &type_nsm_reply},
    {"exportKeyRequest", MSG_EXPORT_KEY_REQUEST, &type_export_key},
    {"exportKeyResponse", MSG_EXPORT_KEY_RESPONSE, &type_encrypted_quorum_key},
    {"injectKeyRequest", MSG_INJECT_KEY_REQUEST, &type_encrypted_quorum_key},
    {"injectKeyResponse", MSG_INJECT_KEY_RESPONSE, NULL},
    {"manifestEnvelopeRequest", MSG_MANIFEST_ENVELOPE_REQUEST, NULL},
    {"manifestEnvelopeResponse", MSG_MANIFEST_ENVELOPE_RESPONSE, &type_envelope_reply},
    {"versionRequest", MSG_VERSION_REQUEST, NULL},
    {"versionResponse", MSG_VERSION_RESPONSE, &type_version},
    {NULL, MSG_BOOT_STANDARD_JSON_ENVELOPE_REQUEST, &type_boot_request_json},
    {"quorateBoundProvisionRequest", MSG_QUORATE_BOUND_PROVISION_REQUEST,
     &type_bound_provision_request},
    {"quorateStateRequest", MSG_QUORATE_STATE_REQUEST, NULL},
    {"quorateStateResponse", MSG_QUORATE_STATE_RESPONSE, &type_state},
    {"quorateReshareBootRequest", MSG_QUORATE_RESHARE_BOOT_REQUEST, &type_reshare_boot_request},
    {"quorateReshareBootResponse", MSG_QUORATE_RESHARE_BOOT_RESPONSE, &type_nsm_reply},
    {"quorateReshareAttestationRequest", MSG_QUORATE_RESHARE_ATTESTATION_REQUEST, NULL},
    {"quorateReshareAttestationResponse", MSG_QUORATE_RESHARE_ATTESTATION_RESPONSE,
     &type_nsm_reply},
    {"quorateReshareShareRequest", MSG_QUORATE_RESHARE_SHARE_REQUEST,
     &type_bound_provision_request},
    {"quorateReshareShareResponse", MSG_QUORATE_RESHARE_SHARE_RESPONSE, &type_reshare_share_reply},
    {"quorateReshareOutputRequest", MSG_QUORATE_RESHARE_OUTPUT_REQUEST, NULL},
    {"quorateReshareOutputResponse", MSG_QUORATE_RESHARE_OUTPUT_RESPONSE,
     &type_reshare_output_reply},
    {"quorateApiRequest", MSG_QUORATE_API_REQUEST, &type_api_request},
    {"quorateApiResponse", MSG_QUORATE_API_RESPONSE, &type_api_response},
};
const struct type type_message = {VARIANTS(struct message, error, "message", message_variants)};
