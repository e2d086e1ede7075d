// bundle in: on the online side, checks a member's answer against the bundle it is for, and puts
// the approval in place or posts the share (docs/formats.md).
#include "client/command.h"

#include "base/file.h"
#include "client/manifest/approve.h"
#include "client/audit_trail.h"
#include "client/bundle/bundle.h"
#include "client/manifest/member_signature.h"
#include "client/output.h"
#include "client/share/share_post.h"

static enum q_err read_files(const struct options *o, struct arena *a, struct bundle *b,
                             struct bundle_answer *answer)
{
    BUF_AUTO bundle = {0}, file = {0};
    uint8_t hash[SHA256_SIZE];
    const char *bundle_path = options_value(o, "bundle-path");
    const char *answer_path = options_value(o, "answer-path");
    TRY(file_read(bundle_path, BUNDLE_MAX, &bundle));
    TRY(bundle_read(buf_bytes(&bundle), bundle_path, a, b));
    audit_note_who(b->alias);
    audit_note_manifest(bundle_manifest(b));
    if (b->task.tag == BUNDLE_RE_ENCRYPT_SHARE)
        audit_note_document(b->task.enclave.document);
    TRY(file_read(answer_path, ANSWER_MAX, &file));
    TRY(answer_read(buf_bytes(&file), answer_path, a, answer));
    TRY(sha256(buf_bytes(&bundle), hash));
    return err_context(answer_check(answer, b, hash), "%s", answer_path);
}

static enum q_err place_approval(const struct options *o, const struct bundle *b,
                                 const struct approval *approval, struct arena *a)
{
    OUTPUT_AUTO out = {0};
    BUF_AUTO json = {0};
    const char *folder = options_value(o, "manifest-approvals-dir"), *path;
    if (folder == NULL)
        return fail(Q_BAD_INPUT, "--manifest-approvals-dir: needed, the answer is an approval");
    TRY(approval_path(folder, b->alias, &b->task.manifest.namespace, a, &path));
    TRY(approval_json(approval, &json));
    TRY(output_stage(&out, "Manifest Approval", path, buf_bytes(&json), OUTPUT_REMADE));
    return output_publish(&out);
}

static enum q_err post_share(const struct options *o, const struct bundle_answer *answer)
{
    struct host_link host;
    const struct sealed_share *sealed = &answer->result.sealed;
    if (options_value(o, "host-ip") == NULL)
        return fail(Q_BAD_INPUT, "--host-ip and --host-port: needed, the answer is a share");
    TRY(host_link_open(o, &host));
    return share_post(&host, &answer->approval, sealed->share, BYTES_OF(sealed->binding));
}

static enum q_err bundle_in(const struct options *o)
{
    ARENA_AUTO a = {0};
    struct bundle b;
    struct bundle_answer answer;
    TRY(read_files(o, &a, &b, &answer));
    return b.task.tag == BUNDLE_APPROVE_MANIFEST ? place_approval(o, &b, &answer.approval, &a)
                                                 : post_share(o, &answer);
}

static const struct option bundle_in_options[] = {
    OPTION_REQUIRED("bundle-path", "The bundle that was sent to the member"),
    OPTION_REQUIRED("answer-path", "What came back"),
    OPTION_OPTIONAL("manifest-approvals-dir", "Folder for the approval, when it is one"),
    OPTIONS_HOST_MAYBE,
    OPTION_AUDIT,
};

const struct command command_bundle_in = {
    .name = "bundle in",
    .run = bundle_in,
    .help = "Check a member's answer to a bundle; place the approval or post the share",
    COMMAND_OPTIONS(bundle_in_options),
    .audited = true,
};
