// reshare plan, reshare approve: writing down who shall hold shares from now on, and the manifest set's word for
// it (docs/resharing.md).
#include "client/command.h"

#include "base/text.h"
#include "client/manifest/manifest_parts.h"
#include "client/member_key.h"
#include "client/manifest/member_signature.h"
#include "client/reshare/reshare_evidence.h"
#include "client/reshare/reshare_review.h"
#include "protocol/manifest.h"

#include <inttypes.h>
#include <stdio.h>

// What the epoch before names already must not be said otherwise.
static enum q_err read_name(const struct options *o, struct reshare_plan *p)
{
    struct bytes given = bytes_str(options_value(o, "namespace"));
    if (given.p == NULL && p->namespace.p == NULL)
        return fail(Q_BAD_INPUT,
                    "argument namespace is required but was not found (a genesis names "
                    "no namespace)");
    if (given.p != NULL && p->namespace.p != NULL && !bytes_equal(given, p->namespace))
        return fail(Q_REFUSED, "--namespace: expected that of the epoch before, or none");
    if (given.p != NULL)
        p->namespace = given;
    return text_check_name("namespace", p->namespace, true);
}

static enum q_err read_plan(const struct options *o, struct arena *a, struct previous *before,
                            struct reshare_plan *p)
{
    struct manifest_parts parts;
    TRY(previous_load(options_value(o, "previous-dir"), a, before));
    TRY(err_context(reshare_plan_after(&before->epoch, a, p), "%s",
                    options_value(o, "previous-dir")));
    TRY(read_name(o, p));
    TRY(manifest_parts_read(o, MANIFEST_V2, a, &parts));
    p->manifest_set = parts.manifest_set;
    p->new_share_set = parts.share_set;
    p->enclave = parts.enclave;
    p->new_key = options_given(o, "new-key");
    if (parts.quorum_key.p != NULL && !bytes_equal(parts.quorum_key, p->quorum_key))
        return fail(Q_REFUSED, "--quorum-key-path: expected the quorum key of the epoch before");
    TRY(recovery_key_read(o, a, &p->dr_key));
    return reshare_plan_check(p, NULL);
}

static enum q_err reshare_plan(const struct options *o)
{
    ARENA_AUTO a = {0};
    OUTPUT_AUTO out = {.force = options_given(o, "force")};
    BUF_AUTO file = {0};
    struct reshare_paths paths;
    struct previous before;
    struct planned planned = {0};
    TRY(reshare_paths_in(options_value(o, "reshare-dir"), &a, &paths));
    TRY(read_plan(o, &a, &before, &planned.plan));
    TRY(reshare_plan_hash(&planned.plan, planned.hash));
    TRY(reshare_plan_write(&planned.plan, &file));
    TRY(reshare_stage_lasting(&out, "Reshare plan", paths.plan, buf_bytes(&file)));
    TRY(output_publish(&out));
    TRY(reshare_show_hash("Reshare plan hash", planned.hash));
    reshare_warn(&planned.plan);
    printf("Next: %u of the manifest set's members run reshare approve, then reshare boot.\n",
           planned.plan.manifest_set.threshold);
    return Q_OK;
}

static const struct option reshare_plan_options[] = {
    OPTION_RESHARE_DIR,
    OPTION_REQUIRED("previous-dir", "Folder of the genesis, or of the resharing before"),
    OPTION_REQUIRED("share-set-dir", "Folder of the members who get the new shares"),
    OPTION_OPTIONAL("namespace", "Name of the deployment (needed after a genesis)"),
    OPTION_SWITCH("new-key", "Make a new quorum key, to which the present one hands over"),
    OPTIONS_RESHARE_PARTS,
    OPTION_FORCE,
    OPTION_AUDIT,
};

const struct command command_reshare_plan = {
    .name = "reshare plan",
    .run = reshare_plan,
    .help = "Write down a new share set for the quorum key, or for a new one",
    COMMAND_OPTIONS(reshare_plan_options),
    .audited = true,
};

static enum q_err sign_plan(const struct options *o, const struct reshare_paths *paths,
                            const struct planned *planned, const struct member_key *key,
                            struct arena *a)
{
    OUTPUT_AUTO out = {0};
    BUF_AUTO message = {0}, json = {0};
    uint8_t signature[P256_SIGNATURE_SIZE];
    const char *alias = options_value(o, "alias"), *path;
    TRY(reshare_approval_message(RESHARE_ROLE_MANIFEST, planned->hash, &message));
    TRY(member_key_sign(key, buf_bytes(&message), signature));
    const struct approval approval = {.signature = BYTES_OF(signature),
                                      .member = member_of(alias, key)};
    TRY(reshare_member_path(paths, bytes_str(alias), RESHARE_APPROVAL_SUFFIX, a, &path));
    TRY(approval_json(&approval, &json));
    TRY(output_stage(&out, "Reshare approval", path, buf_bytes(&json), OUTPUT_REMADE));
    return output_publish(&out);
}

static enum q_err check_member(const struct options *o, const struct planned *planned,
                               const struct member_key *key)
{
    const struct member me = member_of(options_value(o, "alias"), key);
    if (member_set_has(&planned->plan.manifest_set, &me))
        return Q_OK;
    return fail(Q_REFUSED,
                "NotManifestSetMember: expected a member of the manifest set, found no member %s "
                "with this key",
                options_value(o, "alias"));
}

static enum q_err reshare_approve(const struct options *o)
{
    ARENA_AUTO a = {0};
    MEMBER_KEY_AUTO *key = NULL;
    struct reshare_paths paths;
    struct planned planned;
    struct bytes role;
    TRY(member_key_read(o, &key));
    TRY(reshare_paths_in(options_value(o, "reshare-dir"), &a, &paths));
    TRY(reshare_plan_load(&paths, &a, &planned));
    TRY(reshare_compare(o, &planned.plan, &a, &role));
    TRY(check_member(o, &planned, key));
    TRY(reshare_review(o, &planned, role));
    TRY(sign_plan(o, &paths, &planned, key, &a));
    reshare_warn(&planned.plan);
    return Q_OK;
}

static const struct option reshare_approve_options[] = {
    OPTION_RESHARE_DIR,
    OPTION_REQUIRED("alias", "Name of the member"),
    OPTION_REQUIRED("previous-dir", "Folder of the genesis, or of the resharing before"),
    OPTION_REQUIRED("share-set-dir", "Folder of the members who shall get the new shares"),
    OPTIONS_RESHARE_PARTS,
    OPTIONS_KEY,
    OPTION_SWITCH("unsafe-auto-confirm", "Do not ask; the comparisons are still made"),
    OPTION_AUDIT,
};

const struct command command_reshare_approve = {
    .name = "reshare approve",
    .run = reshare_approve,
    .help = "As a member of the manifest set, review and approve a plan for resharing",
    COMMAND_OPTIONS(reshare_approve_options),
    .audited = true,
    .secrets = true,
};
