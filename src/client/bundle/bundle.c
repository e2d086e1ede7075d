// The forms of bundles and answers, reading and writing them (see bundle.h).
#include "client/bundle/bundle.h"

#include "base/hex.h"
#include "codec/json.h"
#include "protocol/manifest.h"
#include "tee/attestation.h"

#include <jansson.h>
#include <string.h>

static const struct type type_hash = {FIXED("hash", SHA256_SIZE)};
static const struct type type_signature = {FIXED("signature", P256_SIGNATURE_SIZE)};
static const struct type type_document = {.name = "attestation document",
                                          .shape = SHAPE_BYTES,
                                          .size = sizeof(struct bytes),
                                          .limit = ATTESTATION_MAX_SIZE};

static const struct field enclave_fields[] = {
    FIELD(struct booted_enclave, envelope, "manifestEnvelope", &type_manifest_envelope),
    FIELD(struct booted_enclave, document, "attestationDoc", &type_document),
};
static const struct type type_booted_enclave = {
    STRUCT(struct booted_enclave, "booted enclave", enclave_fields), .closed = true};
static const struct variant task_variants[] = {
    {"approveManifest", BUNDLE_APPROVE_MANIFEST, &type_manifest},
    {"reEncryptShare", BUNDLE_RE_ENCRYPT_SHARE, &type_booted_enclave},
};
static const struct type type_task = {
    VARIANTS(struct bundle_task, manifest, "bundle task", task_variants)};
static const struct field bundle_fields[] = {
    FIELD(struct bundle, format, "format", &type_text),
    FIELD(struct bundle, alias, "alias", &type_text),
    FIELD(struct bundle, made_s, "made", &type_u64),
    FIELD(struct bundle, manifest_hash, "manifestHash", &type_hash),
    FIELD(struct bundle, role, "role", &type_text),
    FIELD(struct bundle, task, "task", &type_task),
};
const struct type type_bundle = {STRUCT(struct bundle, "bundle", bundle_fields), .closed = true};

static const struct field sealed_fields[] = {
    FIELD(struct sealed_share, share, "share", &type_bytes),
    FIELD(struct sealed_share, binding, "binding", &type_signature),
};
static const struct type type_sealed_share = {
    STRUCT(struct sealed_share, "sealed share", sealed_fields), .closed = true};
static const struct variant result_variants[] = {
    {"approveManifest", BUNDLE_APPROVE_MANIFEST, NULL},
    {"reEncryptShare", BUNDLE_RE_ENCRYPT_SHARE, &type_sealed_share},
};
static const struct type type_result = {
    VARIANTS(struct answer_result, sealed, "answer result", result_variants)};
static const struct field answer_fields[] = {
    FIELD(struct bundle_answer, format, "format", &type_text),
    FIELD(struct bundle_answer, bundle_hash, "bundleHash", &type_hash),
    FIELD(struct bundle_answer, approval, "approval", &type_approval),
    FIELD(struct bundle_answer, result, "result", &type_result),
};
const struct type type_bundle_answer = {STRUCT(struct bundle_answer, "answer", answer_fields),
                                        .closed = true};

const struct manifest *bundle_manifest(const struct bundle *b)
{
    return b->task.tag == BUNDLE_APPROVE_MANIFEST ? &b->task.manifest
                                                  : &b->task.enclave.envelope.manifest;
}

// Before the fields are looked at: another format has others, and shall be named as that.
static enum q_err check_format(struct bytes file, const char *format)
{
    json_t *tree;
    TRY(json_parse(file, &tree));
    const char *found = json_string_value(json_object_get(tree, "format"));
    bool same = found != NULL && strcmp(found, format) == 0;
    json_decref(tree);
    return same ? Q_OK : fail(Q_UNSUPPORTED, "expected a file of format %s, found another", format);
}

// One value has one form, so that the hash of the file stands for it.
static enum q_err read_canonical(const struct type *t, const char *format, struct bytes file,
                                 struct arena *a, void *out)
{
    TRY(check_format(file, format));
    return json_decode_canonical(t, file, a, out);
}

enum q_err bundle_read(struct bytes file, const char *what, struct arena *a, struct bundle *out)
{
    uint8_t hash[SHA256_SIZE];
    TRY(err_context(read_canonical(&type_bundle, BUNDLE_FORMAT, file, a, out), "%s", what));
    TRY(manifest_hash(bundle_manifest(out), hash));
    if (bytes_equal(BYTES_OF(hash), BYTES_OF(out->manifest_hash)))
        return Q_OK;
    return fail(Q_REFUSED, "%s: the manifest has another hash than the bundle says", what);
}

enum q_err answer_read(struct bytes file, const char *what, struct arena *a,
                       struct bundle_answer *out)
{
    return err_context(read_canonical(&type_bundle_answer, ANSWER_FORMAT, file, a, out), "%s",
                       what);
}

enum q_err bundle_write(const struct bundle *b, struct buf *out)
{
    TRY(json_encode(&type_bundle, b, JSON_CANONICAL, out));
    if (out->n > BUNDLE_MAX)
        return fail(Q_LIMIT, "bundle: expected at most %zu bytes, found %zu", BUNDLE_MAX, out->n);
    return Q_OK;
}

enum q_err answer_write(const struct bundle_answer *answer, struct buf *out)
{
    return json_encode(&type_bundle_answer, answer, JSON_CANONICAL, out);
}
