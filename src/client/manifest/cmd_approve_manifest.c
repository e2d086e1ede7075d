// approve-manifest: compares a manifest with what the member expects, asks the member about the
// rest, and signs its hash (qos-behaviour 1.6, 1.7).
#include "client/command.h"

#include "client/manifest/approve.h"
#include "client/member_key.h"
#include "client/manifest/member_signature.h"
#include "client/output.h"
#include "client/manifest/review.h"

#include <stdio.h>

static enum q_err decide(const struct options *o, const struct approval_task *t,
                         uint8_t hash[static SHA256_SIZE])
{
    const struct prompt p = {stdin, stdout};
    TRY(approve_check(t, hash));
    return options_given(o, "unsafe-auto-confirm") ? Q_OK : review_manifest(&p, t->manifest);
}

static enum q_err approve_manifest(const struct options *o)
{
    ARENA_AUTO a = {0};
    OUTPUT_AUTO out = {0};
    BUF_AUTO json = {0};
    MEMBER_KEY_AUTO *key = NULL;
    struct manifest m;
    struct manifest_parts parts;
    uint8_t hash[SHA256_SIZE];
    const char *path, *alias = options_value(o, "alias");
    TRY(member_key_read(o, &key));
    TRY(manifest_file_read(options_value(o, "manifest-path"), &a, &m));
    TRY(patch_set_rule(o, m.version));
    TRY(approval_path(options_value(o, "manifest-approvals-dir"), bytes_str(alias), &m.namespace,
                      &a, &path));
    TRY(manifest_parts_read(o, m.version, &a, &parts));
    const struct approval_task task = {&m, &parts, alias, key,
                                       options_value(o, "expect-manifest-hash")};
    enum q_err decision = decide(o, &task, hash);
    if (decision != Q_OK) {
        fprintf(stderr, "Exiting early without approving manifest\n");
        return decision;
    }
    TRY(approval_make(key, alias, hash, &json));
    TRY(output_stage(&out, "Manifest Approval", path, buf_bytes(&json), OUTPUT_REMADE));
    return output_publish(&out);
}

static const struct option approve_manifest_options[] = {
    OPTION_REQUIRED("manifest-path", "The manifest"),
    OPTION_REQUIRED("manifest-approvals-dir", "Folder for the approval"),
    OPTION_REQUIRED("alias", "Name of the member who approves"),
    OPTIONS_MANIFEST_PARTS,
    OPTIONS_KEY,
    OPTION_OPTIONAL("expect-manifest-hash", "Approve only the manifest with this hash, in hex"),
    OPTION_SWITCH("unsafe-auto-confirm", "Do not ask; the comparisons are still made"),
    OPTION_AUDIT,
};

const struct command command_approve_manifest = {
    .name = "approve-manifest",
    .run = approve_manifest,
    .help = "As a member, review a manifest and sign it",
    COMMAND_OPTIONS(approve_manifest_options),
    .audited = true,
    .secrets = true,
};
