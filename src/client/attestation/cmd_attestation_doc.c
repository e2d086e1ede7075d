// get-attestation-doc: what a member needs to verify a booted enclave elsewhere;
// get-ephemeral-key-hex: the key in such a document (qos-behaviour 1.6).
#include "client/command.h"

#include "base/hex.h"
#include "client/audit_trail.h"
#include "client/attestation/evidence.h"
#include "client/host_link.h"
#include "client/manifest/manifest_parts.h"
#include "client/output.h"
#include "protocol/manifest.h"

static enum q_err stage(struct output *out, const struct options *o, const char *path,
                        const struct live_attestation_reply *reply)
{
    BUF_AUTO json = {0};
    struct bytes document;
    if (reply->manifest_envelope == NULL)
        return fail(Q_MISSING, "ManifestEnvelope does not exist in enclave - likely waiting for "
                               "boot instruction");
    TRY(reply_document(&reply->nsm_response, &document));
    audit_note_document(document);
    audit_note_manifest(&reply->manifest_envelope->manifest);
    TRY(envelope_plain(reply->manifest_envelope, &json));
    TRY(output_stage(out, "COSE Sign1 Attestation Doc", options_value(o, "attestation-doc-path"),
                     document, OUTPUT_REMADE));
    return output_stage(out, "Manifest envelope", path, buf_bytes(&json), OUTPUT_REMADE);
}

static enum q_err get_attestation_doc(const struct options *o)
{
    ARENA_AUTO a = {0};
    OUTPUT_AUTO out = {0};
    struct host_link host;
    struct message reply;
    const char *path;
    const struct message request = {.tag = MSG_LIVE_ATTESTATION_DOC_REQUEST};
    TRY(envelope_path(o, &path));
    TRY(host_link_open(o, &host));
    TRY(host_post(&host, &request, &a, &reply));
    TRY(reply_expect(&reply, MSG_LIVE_ATTESTATION_DOC_RESPONSE));
    TRY(stage(&out, o, path, &reply.live_attestation));
    return output_publish(&out);
}

static const struct option get_attestation_doc_options[] = {
    OPTIONS_HOST,
    OPTION_REQUIRED("attestation-doc-path", "File for the attestation document"),
    OPTION_OPTIONAL("manifest-envelope-path", "File for the manifest with its approvals (needed)"),
    OPTION_AUDIT,
};

const struct command command_get_attestation_doc = {
    .name = "get-attestation-doc",
    .run = get_attestation_doc,
    .help = "Fetch a booted enclave's attestation document and manifest; verifies nothing",
    COMMAND_OPTIONS(get_attestation_doc_options),
    .audited = true,
};

static enum q_err get_ephemeral_key_hex(const struct options *o)
{
    ARENA_AUTO a = {0};
    OUTPUT_AUTO out = {0};
    BUF_AUTO document = {0}, hex = {0};
    struct claims claims;
    struct p256_public key;
    const char *path = options_value(o, "attestation-doc-path");
    TRY(file_read(path, ATTESTATION_MAX_SIZE, &document));
    TRY(err_context(attestation_read(buf_bytes(&document), &a, &claims), "%s", path));
    TRY(err_context(evidence_public_key(&claims, &key), "%s", path));
    TRY(hex_encode(p256_public_bytes(&key), &hex));
    TRY(output_stage(&out, NULL, options_value(o, "ephemeral-key-path"), buf_bytes(&hex),
                     OUTPUT_REMADE));
    return output_publish(&out);
}

static const struct option get_ephemeral_key_hex_options[] = {
    OPTION_REQUIRED("attestation-doc-path", "Attestation document of a booted enclave"),
    OPTION_REQUIRED("ephemeral-key-path", "File for the public key in it, in hex"),
};

const struct command command_get_ephemeral_key_hex = {
    .name = "get-ephemeral-key-hex",
    .run = get_ephemeral_key_hex,
    .help = "Write the public key in an attestation document; verifies nothing",
    COMMAND_OPTIONS(get_ephemeral_key_hex_options),
};
