// The three steps of a key forward (qos-behaviour 1.6): boot the new enclave, have the old one seal the quorum key to
// it, give it that. Unlike the original's, each verifies the enclave it talks to before it carries anything.
#include "client/command.h"

#include "base/file.h"
#include "client/audit_trail.h"
#include "client/boot/boot_files.h"
#include "client/boot/encrypted_key.h"
#include "client/boot/live_enclave.h"
#include "client/manifest/manifest_parts.h"
#include "client/boot/manifest_send.h"
#include "client/output.h"
#include "custody/policy_forward.h"

#include <stdio.h>

// ---- boot-key-fwd

static enum q_err write_document(const struct options *o, struct bytes document)
{
    OUTPUT_AUTO out = {0};
    TRY(output_stage(&out, "COSE Sign1 Attestation Doc", options_value(o, "attestation-doc-path"),
                     document, OUTPUT_REMADE));
    return output_publish(&out);
}

// The application travels as hex in JSON, of which our enclaves take less than an original one does.
static enum q_err boot(const struct host_link *host, const struct message *request, struct arena *a,
                       struct message *reply)
{
    enum q_err err = manifest_send(host, request, request->boot.manifest_envelope.manifest.version,
                                   MSG_BOOT_KEY_FORWARD_RESPONSE, a, reply);
    if (request->boot.pivot.n < MESSAGE_MAX_JSON / 2)
        return err;
    return err_context(err, "--pivot-path: an application of %zu bytes, where fewer than %zu fit",
                       request->boot.pivot.n, MESSAGE_MAX_JSON / 2);
}

static enum q_err boot_key_fwd(const struct options *o)
{
    ARENA_AUTO a = {0};
    VERIFICATION_AUTO v = {0};
    BUF_AUTO pivot = {0};
    struct host_link host;
    struct message request = {.tag = MSG_BOOT_KEY_FORWARD_REQUEST}, reply;
    const struct manifest *m = &request.boot.manifest_envelope.manifest;
    struct claims claims;
    struct bytes document;
    TRY(host_link_open(o, &host));
    TRY(verification_start(o, &v));
    TRY(boot_files_read(o, &v, &a, &request.boot, &pivot));
    TRY(boot(&host, &request, &a, &reply));
    TRY(reply_document(&reply.nsm.nsm_response, &document));
    TRY(evidence_read(&v, document, &a, &claims));
    TRY(evidence_check_setup(&v, &claims, m));
    return write_document(o, document);
}

static const struct option boot_key_fwd_options[] = {
    OPTIONS_HOST,
    OPTION_REQUIRED("pivot-path", "The application's binary"),
    OPTION_REQUIRED("attestation-doc-path", "File for the new enclave's attestation document"),
    OPTION_OPTIONAL("manifest-envelope-path", "The manifest with its approvals (needed)"),
    OPTION_OPTIONAL("pcr3-preimage-path", "File with the role that must be behind PCR3"),
    OPTIONS_VERIFY,
    OPTION_AUDIT,
};

const struct command command_boot_key_fwd = {
    .name = "boot-key-fwd",
    .run = boot_key_fwd,
    .help = "Boot an enclave that gets its quorum key from another enclave",
    COMMAND_OPTIONS(boot_key_fwd_options),
    .audited = true,
};

// ---- export-key

// The enclave that will have the key, by its document.
static enum q_err check_new(const struct options *o, const struct verification *v,
                            const struct export_key_request *request, struct arena *a)
{
    const struct manifest *m = &request->manifest_envelope.manifest;
    struct claims claims;
    struct bytes role;
    TRY(evidence_manifest_ready(v, m));
    if (!v->skip && options_value(o, "pcr3-preimage-path") != NULL) {
        TRY(role_read(options_value(o, "pcr3-preimage-path"), a, &role));
        TRY(evidence_role_matches(m, role));
    }
    TRY(evidence_read(v, request->cose_sign1_attestation_doc, a, &claims));
    return err_context(evidence_check_setup(v, &claims, m), "the new enclave");
}

// The enclave that has the key, by what it attests now; and that its manifest lets it give the key to the other.
static enum q_err check_old(const struct host_link *host, const struct verification *v,
                            const struct manifest_envelope *theirs, struct arena *a)
{
    struct manifest_envelope envelope;
    if (v->skip)
        return Q_OK;
    TRY(err_context(live_enclave_verify(host, v, PHASE_QUORUM_KEY_PROVISIONED, NULL, a, &envelope),
                    "the enclave that has the key"));
    const struct forward_terms terms = {.ours = &envelope.manifest, .theirs = theirs};
    return err_context(forward_check_manifests(&terms, a, NULL),
                       "the enclave that has the key would refuse");
}

static enum q_err write_key(const struct options *o, const struct encrypted_quorum_key *key)
{
    OUTPUT_AUTO out = {0};
    BUF_AUTO json = {0};
    TRY(encrypted_key_write(key, &json));
    TRY(output_stage(&out, "Encrypted Quorum Key", options_value(o, "encrypted-quorum-key-path"),
                     buf_bytes(&json), OUTPUT_REMADE));
    return output_publish(&out);
}

static enum q_err export_key(const struct options *o)
{
    ARENA_AUTO a = {0};
    VERIFICATION_AUTO v = {0};
    BUF_AUTO document = {0};
    struct host_link host;
    struct message request = {.tag = MSG_EXPORT_KEY_REQUEST}, reply;
    struct export_key_request *export = &request.export_key;
    const struct manifest *m = &export->manifest_envelope.manifest;
    const char *path;
    TRY(envelope_path(o, &path));
    TRY(host_link_open(o, &host));
    TRY(verification_start(o, &v));
    TRY(envelope_file_read(path, &a, &export->manifest_envelope));
    TRY(file_read(options_value(o, "attestation-doc-path"), ATTESTATION_MAX_SIZE, &document));
    export->cose_sign1_attestation_doc = buf_bytes(&document);
    TRY(check_old(&host, &v, &export->manifest_envelope, &a));
    TRY(check_new(o, &v, export, &a)); // last, so that the audit log names this document
    TRY(manifest_send(&host, &request, m->version, MSG_EXPORT_KEY_RESPONSE, &a, &reply));
    TRY(encrypted_key_check(&reply.encrypted_key, m));
    audit_note_manifest(m);
    return write_key(o, &reply.encrypted_key);
}

static const struct option export_key_options[] = {
    OPTIONS_HOST,
    OPTION_REQUIRED("attestation-doc-path", "The new enclave's document, from boot-key-fwd"),
    OPTION_REQUIRED("encrypted-quorum-key-path", "File for the key, sealed to the new enclave"),
    OPTION_OPTIONAL("manifest-envelope-path", "The new enclave's manifest with its approvals "
                                              "(needed)"),
    OPTION_OPTIONAL("pcr3-preimage-path", "File with the role that must be behind PCR3"),
    OPTIONS_VERIFY,
    OPTION_AUDIT,
};

const struct command command_export_key = {
    .name = "export-key",
    .run = export_key,
    .help = "Have an enclave seal its quorum key to a new enclave",
    COMMAND_OPTIONS(export_key_options),
    .audited = true,
};

// ---- inject-key

static enum q_err read_key(const char *path, struct arena *a, struct encrypted_quorum_key *out)
{
    BUF_AUTO file = {0};
    TRY(file_read(path, ENCRYPTED_KEY_FILE_MAX, &file));
    return err_context(encrypted_key_read(buf_bytes(&file), a, out), "%s", path);
}

// The file against the manifest that is given, or the one the enclave has, and the enclave against the same.
static enum q_err check_target(const struct options *o, const struct host_link *host,
                               const struct encrypted_quorum_key *key, struct arena *a)
{
    VERIFICATION_AUTO v = {0};
    struct manifest_envelope given, envelope;
    const char *path = options_value(o, "manifest-envelope-path");
    TRY(verification_start(o, &v));
    if (path != NULL) {
        TRY(envelope_file_read(path, a, &given));
        TRY(encrypted_key_check(key, &given.manifest));
    }
    if (v.skip)
        return Q_OK;
    TRY(err_context(live_enclave_verify(host, &v, PHASE_WAITING_FOR_FORWARDED_KEY,
                                        path != NULL ? &given : NULL, a, &envelope),
                    "the enclave that is to have the key"));
    return encrypted_key_check(key, &envelope.manifest);
}

static enum q_err inject_key(const struct options *o)
{
    ARENA_AUTO a = {0};
    struct host_link host;
    struct message request = {.tag = MSG_INJECT_KEY_REQUEST}, reply;
    TRY(host_link_open(o, &host));
    TRY(read_key(options_value(o, "encrypted-quorum-key-path"), &a, &request.encrypted_key));
    TRY(check_target(o, &host, &request.encrypted_key, &a));
    TRY(host_post(&host, &request, &a, &reply));
    TRY(err_context(reply_expect(&reply, MSG_INJECT_KEY_RESPONSE),
                    "UnexpectedProtocolMsgResponse"));
    printf("Successful key injection!\n");
    return Q_OK;
}

static const struct option inject_key_options[] = {
    OPTIONS_HOST,
    OPTION_REQUIRED("encrypted-quorum-key-path", "The sealed key, from export-key"),
    OPTION_OPTIONAL("manifest-envelope-path", "The manifest that the enclave must have booted"),
    OPTIONS_VERIFY,
    OPTION_AUDIT,
};

const struct command command_inject_key = {
    .name = "inject-key",
    .run = inject_key,
    .help = "Give a new enclave the quorum key that another one sealed to it",
    COMMAND_OPTIONS(inject_key_options),
    .audited = true,
};
