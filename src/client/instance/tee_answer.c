// Asking on the routes between instances (see tee_answer.h).
#include "client/instance/tee_answer.h"

// ---- what lies in "result"

struct document_result {
    struct bytes attestation_doc;
};
static const struct field document_fields[] = {
    FIELD(struct document_result, attestation_doc, "attestation_doc", &type_byte_array),
};
static const struct type type_document = {
    STRUCT(struct document_result, "GenerateAttestationResponse", document_fields)};

static const struct field key_fields[] = {
    FIELD(struct encrypted_quorum_key, encrypted_quorum_key, "encrypted_quorum_key",
          &type_byte_array),
    FIELD(struct encrypted_quorum_key, signature, "signature", &type_byte_array),
};
static const struct type type_key = {
    STRUCT(struct encrypted_quorum_key, "ExportKeyResponse", key_fields)};

struct success_result {
    bool success;
};
static const struct field success_fields[] = {
    FIELD(struct success_result, success, "success", &type_bool),
};
static const struct type type_success = {STRUCT(struct success_result, "success", success_fields)};

// One of them is there.
struct result {
    struct document_result *document;
    struct encrypted_quorum_key *key;
    struct success_result *shared, *injected;
};
static const struct field result_fields[] = {
    FIELD_MAYBE(struct result, document, "GenerateAttestationResponse", &type_document),
    FIELD_MAYBE(struct result, key, "ExportKeyResponse", &type_key),
    FIELD_MAYBE(struct result, shared, "ShareManifestResponse", &type_success),
    FIELD_MAYBE(struct result, injected, "InjectKeyResponse", &type_success),
};
static const struct type type_result = {STRUCT(struct result, "result", result_fields)};

struct tee_answer {
    struct result result;
};
static const struct field tee_answer_fields[] = {
    FIELD(struct tee_answer, result, "result", &type_result),
};
static const struct type type_tee_answer = {STRUCT(struct tee_answer, "answer", tee_answer_fields)};

static enum q_err without(const struct instance_link *l, const char *name)
{
    return fail(Q_BAD_INPUT, "%s: expected result.%s, found none", l->base, name);
}

static enum q_err check_success(const struct instance_link *l, const char *name,
                                const struct success_result *r)
{
    if (r == NULL)
        return without(l, name);
    return r->success ? Q_OK
                      : fail(Q_REFUSED, "%s: %s: expected success, found none", l->base, name);
}

enum q_err instance_document(struct instance_link *l, struct arena *a, struct bytes *document)
{
    const struct api_attestation_request request = {0};
    struct tee_answer answer;
    TRY(instance_post(l, "/enclave/generate-attestation", &type_api_attestation_request, &request,
                      &type_tee_answer, a, &answer));
    if (answer.result.document == NULL)
        return without(l, type_document.name);
    *document = answer.result.document->attestation_doc;
    return Q_OK;
}

enum q_err instance_share_manifest(struct instance_link *l, struct api_manifest_envelope *envelope,
                                   struct arena *a)
{
    const struct api_share_manifest_request request = {.manifest_envelope = envelope};
    struct tee_answer answer;
    TRY(instance_post(l, "/enclave/share-manifest", &type_api_share_manifest_request, &request,
                      &type_tee_answer, a, &answer));
    return check_success(l, "ShareManifestResponse", answer.result.shared);
}

enum q_err instance_export_key(struct instance_link *l, struct api_manifest_envelope *envelope,
                               struct bytes document, struct arena *a,
                               struct encrypted_quorum_key *out)
{
    const struct api_export_request request = {.manifest_envelope = envelope,
                                               .attestation_doc = document};
    struct tee_answer answer;
    TRY(instance_post(l, "/enclave/export-key", &type_api_export_request, &request,
                      &type_tee_answer, a, &answer));
    if (answer.result.key == NULL)
        return without(l, type_key.name);
    *out = *answer.result.key;
    return Q_OK;
}

enum q_err instance_inject_key(struct instance_link *l, const struct encrypted_quorum_key *key,
                               struct arena *a)
{
    const struct api_inject_key_request request = {
        .encrypted_quorum_key = key->encrypted_quorum_key, .signature = key->signature};
    struct tee_answer answer;
    TRY(instance_post(l, "/enclave/inject-key", &type_api_inject_key_request, &request,
                      &type_tee_answer, a, &answer));
    return check_success(l, "InjectKeyResponse", answer.result.injected);
}
