// proxy-re-encrypt-share: a member verifies a booted enclave and encrypts the own share to it, on a
// machine that needs no network (qos-behaviour 1.6, 1.7).
#include "client/command.h"

#include "base/file.h"
#include "base/hex.h"
#include "client/member_key.h"
#include "client/manifest/manifest_parts.h"
#include "client/manifest/member_signature.h"
#include "client/output.h"
#include "client/manifest/review.h"
#include "client/share/rewrap.h"
#include "client/manifest/set_directory.h"
#include "client/share/share_binding_file.h"

#include <stdio.h>

// role: read always, as it is one of the questions.
static enum q_err read_task(const struct options *o, struct arena *a, struct buf *document,
                            struct member_set *set, struct rewrap_task *t)
{
    TRY(file_read(options_value(o, "attestation-doc-path"), ATTESTATION_MAX_SIZE, document));
    t->document = buf_bytes(document);
    TRY(role_read(options_value(o, "pcr3-preimage-path"), a, &t->role));
    TRY(set_directory_read(t->manifest_set_from, a, set));
    t->manifest_set = set;
    return Q_OK;
}

static enum q_err verify_enclave(const struct options *o, const struct rewrap_task *t,
                                 struct arena *a, struct p256_public *key)
{
    VERIFICATION_AUTO v = {0};
    struct claims claims;
    TRY(verification_start(o, &v));
    TRY(rewrap_verify(&v, t, a, &claims));
    return evidence_setup_key(o, &claims, key);
}

static enum q_err decide(const struct options *o, const struct rewrap_task *t)
{
    const struct prompt p = {stdin, stdout};
    TRY(rewrap_check(t));
    return options_given(o, "unsafe-auto-confirm") ? Q_OK
                                                   : review_provision(&p, t->envelope, t->role);
}

static enum q_err write_files(const struct options *o, const struct rewrapped *r, struct arena *a)
{
    OUTPUT_AUTO out = {0};
    BUF_AUTO approval = {0}, binding = {0};
    const char *wrapped_path = options_value(o, "eph-wrapped-share-path"), *binding_path;
    TRY(approval_json(&r->approval, &approval));
    TRY(hex_encode(BYTES_OF(r->binding), &binding));
    TRY(share_binding_path(wrapped_path, a, &binding_path));
    TRY(output_stage(&out, "Share Set Approval", options_value(o, "approval-path"),
                     buf_bytes(&approval), OUTPUT_REMADE));
    TRY(output_stage(&out, "Ephemeral key wrapped share", wrapped_path, buf_bytes(&r->share),
                     OUTPUT_REMADE));
    TRY(output_stage(&out, "Share binding", binding_path, buf_bytes(&binding), OUTPUT_REMADE));
    return output_publish(&out);
}

static enum q_err proxy_re_encrypt_share(const struct options *o)
{
    ARENA_AUTO a = {0};
    BUF_AUTO document = {0};
    MEMBER_KEY_AUTO *key = NULL;
    REWRAPPED_AUTO made = {.share = {0}};
    struct manifest_envelope envelope;
    struct member_set set;
    struct p256_public setup;
    const char *path;
    TRY(envelope_path(o, &path));
    TRY(member_key_read(o, &key));
    TRY(envelope_file_read(path, &a, &envelope));
    struct rewrap_task task = {.envelope = &envelope,
                               .manifest_set_from = options_value(o, "manifest-set-dir"),
                               .alias = options_value(o, "alias"),
                               .member = key};
    TRY(read_task(o, &a, &document, &set, &task));
    TRY(verify_enclave(o, &task, &a, &setup));
    enum q_err decision = decide(o, &task);
    if (decision != Q_OK) {
        fprintf(stderr, "Exiting early without re-encrypting / approving\n");
        return decision;
    }
    TRY(rewrap_share(&task, &setup, options_value(o, "share-path"), &made));
    return write_files(o, &made, &a);
}

static const struct option proxy_re_encrypt_share_options[] = {
    OPTION_REQUIRED("share-path", "The member's share, from after-genesis"),
    OPTION_REQUIRED("alias", "Name of the member"),
    OPTION_REQUIRED("attestation-doc-path", "Attestation document of the booted enclave"),
    OPTION_OPTIONAL("manifest-envelope-path", "Manifest of the booted enclave (needed)"),
    OPTION_REQUIRED("pcr3-preimage-path", "File with the role behind PCR3"),
    OPTION_REQUIRED("manifest-set-dir", "Folder of the members who approve manifests"),
    OPTION_REQUIRED("approval-path", "File for the member's approval"),
    OPTION_REQUIRED("eph-wrapped-share-path", "File for the share encrypted to the enclave"),
    OPTIONS_KEY,
    OPTIONS_VERIFY,
    OPTION_OPTIONAL("unsafe-eph-path-override",
                    "Encrypt to the public key of this secret, whatever the enclave is"),
    OPTION_SWITCH("unsafe-auto-confirm", "Do not ask; the comparisons are still made"),
    OPTION_AUDIT,
};

const struct command command_proxy_re_encrypt_share = {
    .name = "proxy-re-encrypt-share",
    .run = proxy_re_encrypt_share,
    .help = "As a member, verify a booted enclave and encrypt the own share to it",
    COMMAND_OPTIONS(proxy_re_encrypt_share_options),
    .audited = true,
    .secrets = true,
};
