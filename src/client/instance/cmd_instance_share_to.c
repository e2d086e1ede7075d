// instance share-to: passes the quorum key from one instance to the next and from that to the one after it, each
// verified before it gets anything (renclave 3.2). What was done already is not done again.
#include "client/command.h"

#include "client/audit_trail.h"
#include "client/boot/encrypted_key.h"
#include "client/instance/genesis_evidence.h"
#include "client/instance/tee_answer.h"
#include "client/manifest/approvals_dir.h"
#include "protocol/manifest.h"

#include <stdio.h>

struct chain {
    const struct options *o;
    struct verification v;
    struct arena *a;
    struct api_manifest_envelope envelope;
    struct manifest_envelope core;
    uint8_t hash[SHA256_SIZE];
};

// ---- the manifest that all of them have

// Members' approvals, without which an instance on hardware takes no manifest.
static enum q_err add_approvals(struct chain *c)
{
    const char *folder = options_value(c->o, "manifest-approvals-dir");
    struct api_manifest_envelope approved;
    if (folder == NULL)
        return Q_OK;
    TRY(approvals_dir_read(folder, c->a, &c->core));
    TRY(api_manifest_from_core(&c->core, c->a, &approved));
    c->envelope.manifest_set_approvals = approved.manifest_set_approvals;
    return Q_OK;
}

static enum q_err read_manifest(struct chain *c)
{
    struct genesis_answer g;
    TRY(genesis_answer_read(options_value(c->o, "response"), c->a, &g));
    c->envelope = g.reply.manifest_envelope;
    c->core = g.envelope;
    audit_note_manifest(&c->core.manifest);
    TRY(instance_check_manifest(c->o, &c->v, &c->core.manifest));
    TRY(genesis_answer_check_binding(&c->v, &g));
    return add_approvals(c);
}

// ---- one step of the chain

static enum q_err phase_of(struct instance_link *l, struct arena *a, struct bytes *phase)
{
    struct api_status_reply status;
    TRY(instance_get(l, "/enclave/application-status", &type_api_status_reply, a, &status));
    *phase = status.phase;
    return Q_OK;
}

// That it has the key of this very manifest is shown by what it attests, not by what it says.
static enum q_err check_provisioned(struct chain *c, struct instance_link *l)
{
    struct bytes document;
    struct p256_public key;
    return instance_attest(l, &c->v, &c->core.manifest, true, c->a, &document, &key);
}

static enum q_err hand_over(struct chain *c, struct instance_link *from, struct instance_link *to)
{
    struct bytes document;
    struct p256_public setup_key;
    struct encrypted_quorum_key key;
    TRY(err_context(instance_share_manifest(to, &c->envelope, c->a), "share-manifest"));
    TRY(instance_attest(to, &c->v, &c->core.manifest, false, c->a, &document, &setup_key));
    TRY(err_context(instance_export_key(from, &c->envelope, document, c->a, &key), "export-key"));
    TRY(err_context(encrypted_key_check(&key, &c->core.manifest), "%s", from->base));
    return err_context(instance_inject_key(to, &key, c->a), "inject-key");
}

static enum q_err pass_on(struct chain *c, struct instance_link *from, struct instance_link *to)
{
    struct bytes phase;
    TRY(phase_of(to, c->a, &phase));
    bool before = bytes_is(phase, "ApplicationReady");
    if (!before)
        TRY(hand_over(c, from, to));
    TRY(check_provisioned(c, to));
    printf("%s: %s\n", to->base, before ? "has the quorum key already" : "has got the quorum key");
    return Q_OK;
}

static enum q_err walk(struct chain *c, const struct p256_pair *admin)
{
    struct instance_link from, to;
    TRY(instance_link_to("from", options_value(c->o, "from"), &from));
    from.key = admin;
    TRY(read_manifest(c));
    for (size_t i = 0; i < c->o->values_count; i++) {
        TRY(instance_link_to("to", c->o->values[i], &to));
        to.key = admin;
        TRY(err_context(pass_on(c, &from, &to), "%s to %s", from.base, to.base));
        from = to;
    }
    return Q_OK;
}

static enum q_err share_to(const struct options *o)
{
    ARENA_AUTO a = {0};
    P256_PAIR_AUTO *admin = NULL;
    struct chain c = {.o = o, .a = &a};
    struct instance_link link;
    for (size_t i = 0; i < o->values_count; i++) // before anything is done
        TRY(instance_link_to("to", o->values[i], &link));
    TRY(instance_key_read(o, "admin-key", &admin));
    enum q_err err = verification_start(o, &c.v);
    if (err == Q_OK)
        err = walk(&c, admin);
    verification_end(&c.v);
    return err;
}

static const struct option share_to_options[] = {
    OPTION_REQUIRED("from", "The instance that has the key: http://HOST:PORT"),
    {.name = "to",
     .kind = OPTION_VALUE,
     .required = true,
     .multiple = true,
     .help = "The next instance; several make a chain, each gets the key from the one before"},
    OPTION_REQUIRED("response", "The genesis response, which has the manifest"),
    OPTION_OPTIONAL("manifest-approvals-dir",
                    "Folder with members' approvals, from instance approve (hardware wants them)"),
    OPTIONS_RELEASE,
    OPTIONS_VERIFY,
    OPTIONS_ADMIN,
    OPTION_PASSPHRASE,
    OPTION_UNLOCKED,
    OPTION_AUDIT,
};

const struct command command_instance_share_to = {
    .name = "instance share-to",
    .run = share_to,
    .help = "Pass an instance's quorum key to another one, or along a chain of them",
    COMMAND_OPTIONS(share_to_options),
    .audited = true,
    .secrets = true,
};
