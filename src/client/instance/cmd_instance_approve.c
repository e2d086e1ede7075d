// instance approve: a member's word for the manifest of a genesis. On hardware another instance takes a manifest only
// with the approvals of k members of its manifest set (renclave 3.2).
#include "client/command.h"

#include "client/audit_trail.h"
#include "client/instance/genesis_evidence.h"
#include "client/instance/share_opening.h"
#include "client/manifest/approve.h"
#include "client/manifest/member_signature.h"
#include "client/output.h"

// That the manifest is the answer to what was agreed on, and of an enclave of the release, which attests both.
static enum q_err check(const struct options *o, struct genesis_answer *g, struct arena *a)
{
    VERIFICATION_AUTO v = {0};
    TRY(genesis_answer_match_file(g, options_value(o, "request"), a));
    TRY(verification_start(o, &v));
    TRY(instance_check_manifest(o, &v, &g->envelope.manifest));
    TRY(genesis_answer_check_binding(&v, g));
    return genesis_answer_verify(&v, g, false, a);
}

static enum q_err sign(const struct genesis_answer *g, const struct p256_pair *pair, size_t index,
                       struct buf *json)
{
    uint8_t signature[P256_SIGNATURE_SIZE];
    TRY(p256_sign(pair, BYTES_OF(g->hash), signature));
    const struct approval approval = {
        .signature = BYTES_OF(signature),
        .member = g->envelope.manifest.manifest_set.members.items[index],
    };
    return approval_json(&approval, json);
}

static enum q_err instance_approve(const struct options *o)
{
    ARENA_AUTO a = {0};
    P256_PAIR_AUTO *pair = NULL;
    BUF_AUTO json = {0};
    OUTPUT_AUTO out = {0};
    struct genesis_answer g;
    const char *path;
    size_t index;
    TRY(genesis_answer_read(options_value(o, "response"), &a, &g));
    const struct manifest *m = &g.envelope.manifest;
    audit_note_manifest(m);
    TRY(secret_owner(o, options_value(o, "secret"), &m->manifest_set, NULL, &pair, &index));
    TRY(check(o, &g, &a));
    TRY(approval_path(options_value(o, "manifest-approvals-dir"),
                      m->manifest_set.members.items[index].alias, &m->namespace, &a, &path));
    TRY(sign(&g, pair, index, &json));
    TRY(output_stage(&out, "Manifest Approval", path, buf_bytes(&json), OUTPUT_REMADE));
    return output_publish(&out);
}

static const struct option approve_options[] = {
    OPTION_REQUIRED("response", "The genesis response, from instance genesis"),
    OPTION_REQUIRED("request", "The request that it must be the answer to"),
    OPTION_REQUIRED("secret", "The member's secret: a file, FIFO or /dev/fd/N"),
    OPTION_REQUIRED("manifest-approvals-dir", "Folder for the approval"),
    OPTIONS_RELEASE,
    OPTIONS_VERIFY,
    OPTION_PASSPHRASE,
    OPTION_UNLOCKED,
    OPTION_AUDIT,
};

const struct command command_instance_approve = {
    .name = "instance approve",
    .run = instance_approve,
    .help = "As a member, sign the manifest of a genesis, for instances that get it later",
    COMMAND_OPTIONS(approve_options),
    .audited = true,
    .secrets = true,
};
