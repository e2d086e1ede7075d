// bundle out: on the online side, one file with everything a member needs to approve a manifest or
// to encrypt a share to a booted enclave (docs/formats.md).
#include "client/command.h"

#include "base/file.h"
#include "base/text.h"
#include "client/manifest/approve.h"
#include "client/audit_trail.h"
#include "client/bundle/bundle.h"
#include "client/output.h"
#include "client/share/rewrap.h"
#include "client/text_file.h"
#include "client/time_text.h"
#include "protocol/manifest.h"

// What the member would be refused for is found out here, before the file travels.
static enum q_err check(const struct options *o, const struct bundle *b, struct arena *a)
{
    const struct manifest *m = bundle_manifest(b);
    const struct member_set *asked =
        b->task.tag == BUNDLE_APPROVE_MANIFEST ? &m->manifest_set : &m->share_set;
    struct manifest_parts parts;
    TRY(manifest_check_thresholds(m, NULL));
    TRY(manifest_parts_given(o, m, b->role, a, &parts));
    TRY(manifest_compare(m, &parts));
    for (size_t i = 0; i < asked->members.n; i++) {
        if (bytes_equal(asked->members.items[i].alias, b->alias))
            return Q_OK;
    }
    return fail(Q_REFUSED, "--alias: expected a member of the manifest's %s set, found no %s",
                b->task.tag == BUNDLE_APPROVE_MANIFEST ? "manifest" : "share",
                options_value(o, "alias"));
}

static enum q_err read_enclave(const struct options *o, const char *envelope, struct arena *a,
                               struct booted_enclave *out)
{
    BUF_AUTO document = {0};
    struct claims claims;
    struct p256_public key;
    const char *path = options_value(o, "attestation-doc-path");
    if (path == NULL)
        return fail(Q_BAD_INPUT, "--attestation-doc-path: needed with --manifest-envelope-path");
    TRY(envelope_file_read(envelope, a, &out->envelope));
    TRY(err_context(envelope_check_approvals(&out->envelope, NULL), "%s", envelope));
    TRY(file_read(path, ATTESTATION_MAX_SIZE, &document));
    TRY(arena_copy(a, buf_bytes(&document), &out->document));
    audit_note_document(out->document);
    TRY(err_context(attestation_read(out->document, a, &claims), "%s", path));
    return err_context(evidence_public_key(&claims, &key), "%s", path);
}

static enum q_err read_task(const struct options *o, struct arena *a, struct bundle_task *out)
{
    const char *manifest = options_value(o, "manifest-path");
    const char *envelope = options_value(o, "manifest-envelope-path");
    if (manifest != NULL) {
        out->tag = BUNDLE_APPROVE_MANIFEST;
        return manifest_file_read(manifest, a, &out->manifest);
    }
    if (envelope == NULL)
        return fail(Q_BAD_INPUT, "expected --manifest-path, for a bundle to approve a manifest, or "
                                 "--manifest-envelope-path, for one to re-encrypt a share");
    out->tag = BUNDLE_RE_ENCRYPT_SHARE;
    return read_enclave(o, envelope, a, &out->enclave);
}

static enum q_err bundle_out(const struct options *o)
{
    ARENA_AUTO a = {0};
    OUTPUT_AUTO out = {0};
    BUF_AUTO file = {0};
    int64_t now;
    struct bundle b = {.format = BYTES_LIT(BUNDLE_FORMAT),
                       .alias = bytes_str(options_value(o, "alias"))};
    TRY(text_check_name("--alias", b.alias, false));
    TRY(read_task(o, &a, &b.task));
    TRY(role_read(options_value(o, "pcr3-preimage-path"), &a, &b.role));
    TRY(check(o, &b, &a));
    TRY(manifest_hash(bundle_manifest(&b), b.manifest_hash));
    TRY(time_now_s(&now));
    b.made_s = (uint64_t)now;
    TRY(bundle_write(&b, &file));
    TRY(output_stage(&out, "Bundle", options_value(o, "bundle-path"), buf_bytes(&file),
                     OUTPUT_REMADE));
    return output_publish(&out);
}

static const struct option bundle_out_options[] = {
    OPTION_REQUIRED("bundle-path", "File for the bundle"),
    OPTION_REQUIRED("alias", "Name of the member it is for"),
    {.name = "manifest-path",
     .kind = OPTION_VALUE,
     .forbids = "manifest-envelope-path",
     .help = "The manifest that the member shall approve"},
    {.name = "manifest-envelope-path",
     .kind = OPTION_VALUE,
     .forbids = "manifest-path",
     .help = "Manifest of the booted enclave that the member shall encrypt the share to"},
    OPTION_OPTIONAL("attestation-doc-path", "Attestation document of that enclave"),
    OPTION_REQUIRED("pcr3-preimage-path", "File with the role behind PCR3"),
    OPTIONS_MANIFEST_PARTS_MAYBE,
    OPTION_AUDIT,
};

const struct command command_bundle_out = {
    .name = "bundle out",
    .run = bundle_out,
    .help = "Put what a member without a network needs into one file",
    COMMAND_OPTIONS(bundle_out_options),
    .audited = true,
};
