// Commands for the steps of a ceremony (see ceremony_steps.h). They are those of the provisioning
// guide; names that no option gives are the guide's too.
#include "client/survey/ceremony_steps.h"

#include "base/file.h"
#include "base/text.h"
#include "client/command_line.h"

static const char *given(const struct options *o, const char *name, const char *otherwise)
{
    const char *value = options_value(o, name);
    return value != NULL ? value : otherwise;
}

// --name, or name in folder.
static enum q_err inside(const struct planner *p, const char *option, const char *folder,
                         const char *name, const char **out)
{
    *out = options_value(p->o, option);
    return *out != NULL ? Q_OK : file_join(p->a, folder, name, out);
}

// A set folder that approve-manifest and the like accept: one without quorum_key.pub.
static enum q_err find_share_set(struct planner *p)
{
    const struct survey *s = p->s;
    p->at.genesis_set = s->share_set_dir != NULL ? s->share_set_dir : p->at.namespace_dir;
    p->at.share_set = s->share_set_dir;
    if (s->share_set_dir != NULL && !s->share_set.quorum_key_here)
        return Q_OK;
    return file_join(p->a, p->at.manifests, "share-set", &p->at.share_set);
}

enum q_err planner_start(struct planner *p)
{
    struct places *at = &p->at;
    const struct options *o = p->o;
    at->namespace_dir = given(o, "namespace-dir", "genesis-dir");
    at->manifests = given(o, "manifest-dir", given(o, "manifest-approvals-dir", "manifest-dir"));
    at->approvals = given(o, "manifest-approvals-dir", at->manifests);
    at->release = given(o, "qos-release-dir", "qos-release-dir");
    at->pivot = given(o, "pivot-path", "your_app");
    at->document = given(o, "attestation-doc-path", "attestation-dir/attestation_doc");
    at->envelope = "attestation-dir/manifest_envelope";
    at->host_ip = given(o, "host-ip", "127.0.0.1");
    at->host_port = given(o, "host-port", "3000");
    at->base_path =
        options_given(o, "endpoint-base-path") ? options_value(o, "endpoint-base-path") : NULL;
    at->root = options_value(o, "attestation-root-path");
    TRY(inside(p, "pcr3-preimage-path", at->namespace_dir, "pcr3-preimage.txt", &at->role));
    TRY(inside(p, "pivot-hash-path", at->manifests, "pivot-hash.txt", &at->pivot_hash));
    TRY(inside(p, "manifest-set-dir", at->manifests, "manifest-set", &at->manifest_set));
    TRY(file_join(p->a, at->namespace_dir, "quorum_key.pub", &at->quorum_key));
    at->patch_set = given(o, "patch-set-dir", at->manifest_set);
    return find_share_set(p);
}

// A step with the command built in line; none when line is empty.
static enum q_err step(struct planner *p, struct bytes who, const char *what,
                       const struct buf *line)
{
    struct ceremony *c = p->c;
    if (c->steps_count == CEREMONY_STEPS_MAX)
        return Q_OK;
    struct ceremony_step *s = &c->steps[c->steps_count++];
    *s = (struct ceremony_step){.who = who, .what = what};
    return line == NULL ? Q_OK : arena_copy(p->a, buf_bytes(line), &s->command);
}

#define OPERATOR BYTES_LIT("operator")

static enum q_err add_host(const struct planner *p, struct buf *line)
{
    TRY(line_option(line, "host-ip", p->at.host_ip));
    TRY(line_option(line, "host-port", p->at.host_port));
    return line_option(line, "endpoint-base-path", p->at.base_path);
}

static enum q_err add_trust(const struct planner *p, struct buf *line)
{
    return line_option(line, "attestation-root-path", p->at.root);
}

static enum q_err add_measurements(const struct planner *p, struct buf *line)
{
    TRY(line_option(line, "qos-release-dir", p->at.release));
    return line_option(line, "pcr3-preimage-path", p->at.role);
}

static enum q_err add_sets(const struct planner *p, bool patch, struct buf *line)
{
    TRY(line_option(line, "manifest-set-dir", p->at.manifest_set));
    TRY(line_option(line, "share-set-dir", p->at.share_set));
    TRY(line_option(line, "patch-set-dir", patch ? p->at.patch_set : NULL));
    return line_option(line, "quorum-key-path", p->at.quorum_key);
}

// "<alias>-dir/<alias><suffix>" as the option's value. False for an alias no file can be named by.
static bool usable(struct bytes alias)
{
    return text_check_name("alias", alias, false) == Q_OK;
}

static enum q_err add_own(const char *option, const char *prefix, struct bytes alias,
                          const char *suffix, struct planner *p, struct buf *line)
{
    struct bytes path;
    int n = (int)alias.n;
    const char *text = (const char *)alias.p;
    if (prefix == NULL)
        TRY(arena_printf(p->a, &path, "%.*s-dir/%.*s%s", n, text, n, text, suffix));
    else
        TRY(arena_printf(p->a, &path, "%s/%.*s%s", prefix, n, text, suffix));
    return line_option(line, option, (const char *)path.p);
}

static enum q_err add_alias(struct bytes alias, struct planner *p, struct buf *line)
{
    struct bytes text;
    TRY(arena_printf(p->a, &text, "%.*s", (int)alias.n, (const char *)alias.p));
    return line_option(line, "alias", (const char *)text.p);
}

// "member4" when there is no such alias yet.
static bool alias_taken(const struct survey *s, const char *alias)
{
    for (size_t i = 0; i < s->share_set.entries.n; i++) {
        if (bytes_is(s->share_set.entries.items[i].member.alias, alias))
            return true;
    }
    return false;
}

enum q_err step_key(struct planner *p)
{
    BUF_AUTO line = {0};
    struct bytes alias, public;
    size_t n = 1;
    do
        TRY(arena_printf(p->a, &alias, "member%zu", n++));
    while (alias_taken(p->s, (const char *)alias.p));
    TRY(arena_printf(p->a, &public, "%s.pub", (const char *)alias.p));
    const char *path;
    TRY(file_join(p->a, p->at.genesis_set, (const char *)public.p, &path));
    TRY(line_start(&line, "generate-file-key"));
    TRY(add_own("master-seed-path", NULL, alias, ".secret", p, &line));
    TRY(line_option(&line, "pub-path", path));
    return step(p, alias, "make a key on the own machine, and put its public half into the set",
                &line);
}

enum q_err step_threshold(struct planner *p)
{
    BUF_AUTO line = {0};
    const char *path;
    TRY(file_join(p->a, p->at.genesis_set, "quorum_threshold", &path));
    TRY(buf_append_str(&line, "echo 2 >"));
    TRY(line_word(&line, path));
    return step(p, OPERATOR, "when all keys are there, say how many members bring the key back",
                &line);
}

enum q_err step_genesis(struct planner *p)
{
    BUF_AUTO line = {0};
    TRY(line_start(&line, "boot-genesis"));
    TRY(line_option(&line, "share-set-dir", p->at.genesis_set));
    TRY(line_option(&line, "namespace-dir", p->at.namespace_dir));
    TRY(add_host(p, &line));
    TRY(add_measurements(p, &line));
    TRY(add_trust(p, &line));
    return step(p, OPERATOR, "have the quorum key made", &line);
}

enum q_err step_after_genesis(struct planner *p)
{
    const struct genesis_output *g = &p->s->genesis.output;
    for (size_t i = 0; p->s->genesis.seen == SEEN && i < g->member_outputs.n; i++) {
        BUF_AUTO line = {0};
        struct bytes alias = g->member_outputs.items[i].share_set_member.alias;
        if (!usable(alias))
            continue;
        TRY(line_start(&line, "after-genesis"));
        TRY(add_own("secret-path", NULL, alias, ".secret", p, &line));
        TRY(add_own("share-path", NULL, alias, ".share", p, &line));
        TRY(add_alias(alias, p, &line));
        TRY(line_option(&line, "namespace-dir", p->at.namespace_dir));
        TRY(add_measurements(p, &line));
        TRY(add_trust(p, &line));
        TRY(step(p, alias, "take the own share", &line));
    }
    return Q_OK;
}

enum q_err step_restart(struct planner *p)
{
    return step(p, OPERATOR, "restart qos_core and qos_host", NULL);
}

enum q_err step_manifest(struct planner *p)
{
    BUF_AUTO line = {0};
    const char *path;
    TRY(file_join(p->a, p->at.manifests, "manifest", &path));
    TRY(line_start(&line, "generate-manifest --nonce 1 --namespace production-v1 "
                          "--restart-policy never --pivot-args '[]'"));
    TRY(line_option(&line, "pivot-hash-path", p->at.pivot_hash));
    TRY(line_option(&line, "manifest-path", path));
    TRY(add_measurements(p, &line));
    TRY(add_sets(p, true, &line));
    TRY(add_trust(p, &line));
    return step(p, OPERATOR, "write down what the enclave shall run", &line);
}

static enum q_err approve(struct planner *p, struct bytes alias)
{
    BUF_AUTO line = {0};
    const struct found_manifest *m = p->s->manifests.newest;
    TRY(line_start(&line, "approve-manifest"));
    TRY(add_own("secret-path", NULL, alias, ".secret", p, &line));
    TRY(add_alias(alias, p, &line));
    TRY(line_option(&line, "manifest-path", m->path));
    TRY(line_option(&line, "manifest-approvals-dir", p->at.approvals));
    TRY(line_option(&line, "pivot-hash-path", p->at.pivot_hash));
    TRY(add_measurements(p, &line));
    TRY(add_sets(p, m->manifest.version != MANIFEST_V2, &line));
    TRY(add_trust(p, &line));
    return step(p, alias, "review the manifest and approve it", &line);
}

enum q_err step_approvals(struct planner *p)
{
    const struct manifest_survey *s = &p->s->manifests;
    size_t missing = s->newest->manifest.manifest_set.threshold - s->valid;
    for (size_t i = 0; i < p->c->rows.n && missing > 0; i++) {
        const struct ceremony_row *row = &p->c->rows.items[i];
        bool done = row->approval != NULL && row->approval->state == APPROVAL_VALID;
        if (!row->may_approve || done || !usable(row->member.alias))
            continue;
        TRY(approve(p, row->member.alias));
        missing--;
    }
    return Q_OK;
}

enum q_err step_envelope(struct planner *p)
{
    BUF_AUTO line = {0};
    TRY(line_start(&line, "generate-manifest-envelope"));
    TRY(line_option(&line, "manifest-approvals-dir", p->at.approvals));
    TRY(line_option(&line, "manifest-path", p->s->manifests.newest->path));
    return step(p, OPERATOR, "join the manifest and its approvals", &line);
}

enum q_err step_boot(struct planner *p)
{
    BUF_AUTO line = {0};
    const char *path;
    TRY(file_join(p->a, p->at.approvals, "manifest_envelope", &path));
    if (p->s->manifests.ready != NULL)
        path = p->s->manifests.ready->path;
    TRY(line_start(&line, "boot-standard"));
    TRY(line_option(&line, "manifest-envelope-path", path));
    TRY(line_option(&line, "pivot-path", p->at.pivot));
    TRY(add_host(p, &line));
    TRY(line_option(&line, "pcr3-preimage-path", p->at.role));
    TRY(add_trust(p, &line));
    return step(p, OPERATOR, "boot the enclave with the approved manifest", &line);
}

static enum q_err fetch(struct planner *p)
{
    BUF_AUTO line = {0};
    TRY(line_start(&line, "get-attestation-doc"));
    TRY(add_host(p, &line));
    TRY(line_option(&line, "attestation-doc-path", p->at.document));
    TRY(line_option(&line, "manifest-envelope-path", p->at.envelope));
    return step(p, OPERATOR, "fetch what members need to verify the enclave", &line);
}

static enum q_err wrap(struct planner *p, struct bytes alias)
{
    BUF_AUTO line = {0};
    TRY(line_start(&line, "proxy-re-encrypt-share"));
    TRY(add_own("share-path", NULL, alias, ".share", p, &line));
    TRY(add_own("secret-path", NULL, alias, ".secret", p, &line));
    TRY(line_option(&line, "attestation-doc-path", p->at.document));
    TRY(line_option(&line, "manifest-envelope-path", p->at.envelope));
    TRY(add_own("eph-wrapped-share-path", "shares-dir", alias, ".eph_wrapped.share", p, &line));
    TRY(add_own("approval-path", "shares-dir", alias, ".attestation.approval", p, &line));
    TRY(line_option(&line, "pcr3-preimage-path", p->at.role));
    TRY(line_option(&line, "manifest-set-dir", p->at.manifest_set));
    TRY(add_alias(alias, p, &line));
    TRY(add_trust(p, &line));
    return step(p, alias, "verify the enclave and encrypt the own share to it", &line);
}

static enum q_err post(struct planner *p, struct bytes alias)
{
    BUF_AUTO line = {0};
    TRY(line_start(&line, "post-share"));
    TRY(add_host(p, &line));
    TRY(add_own("eph-wrapped-share-path", "shares-dir", alias, ".eph_wrapped.share", p, &line));
    TRY(add_own("approval-path", "shares-dir", alias, ".attestation.approval", p, &line));
    return step(p, OPERATOR, "give the share to the enclave", &line);
}

enum q_err step_shares(struct planner *p)
{
    const struct manifest_envelope *e = p->s->enclave.envelope;
    if (e == NULL || e->share_set_approvals.n >= e->manifest.share_set.threshold)
        return Q_OK;
    size_t missing = e->manifest.share_set.threshold - e->share_set_approvals.n;
    TRY(ceremony_document_fits(p->s) == YES ? Q_OK : fetch(p));
    for (size_t i = 0; i < p->c->rows.n && missing > 0; i++) {
        const struct ceremony_row *row = &p->c->rows.items[i];
        if (!row->may_post || row->posted == YES || !usable(row->member.alias))
            continue;
        TRY(wrap(p, row->member.alias));
        TRY(post(p, row->member.alias));
        missing--;
    }
    return Q_OK;
}
