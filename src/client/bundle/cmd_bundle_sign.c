// bundle sign: a member, on a machine without a network, does what a bundle asks: the checks and
// questions are those of approve-manifest and proxy-re-encrypt-share, in their own code.
#include "client/command.h"

#include "base/file.h"
#include "base/text.h"
#include "client/manifest/approve.h"
#include "client/audit_trail.h"
#include "client/bundle/bundle.h"
#include "client/bundle/bundle_view.h"
#include "client/member_key.h"
#include "client/manifest/member_signature.h"
#include "client/output.h"
#include "client/manifest/review.h"
#include "client/share/rewrap.h"

#include <stdio.h>
#include <string.h>

struct signing {
    const struct options *options;
    struct bundle bundle;
    const char *alias;
    struct member_key *key;
    struct manifest_parts parts; // the bundle's, and the member's own where options name them
    struct rewrapped made;       // what the answer points into
    struct bundle_answer answer;
};

static enum q_err decide_manifest(const struct signing *s, const struct approval_task *t,
                                  uint8_t hash[static SHA256_SIZE])
{
    const struct prompt p = {stdin, stdout};
    TRY(approve_check(t, hash));
    if (options_given(s->options, "unsafe-auto-confirm"))
        return Q_OK;
    TRY(bundle_review(&p, t->manifest, &s->parts));
    return review_manifest(&p, t->manifest);
}

static enum q_err sign_manifest(struct signing *s, struct arena *a)
{
    uint8_t hash[SHA256_SIZE];
    TRY(manifest_parts_trust(s->options, a, &s->parts));
    const struct approval_task task = {&s->bundle.task.manifest, &s->parts, s->alias, s->key,
                                       options_value(s->options, "expect-manifest-hash")};
    enum q_err decision = decide_manifest(s, &task, hash);
    if (decision != Q_OK) {
        fprintf(stderr, "Exiting early without approving manifest\n");
        return decision;
    }
    return approval_sign(s->key, s->alias, hash, s->made.signature, &s->answer.approval);
}

static enum q_err decide_share(const struct signing *s, const struct rewrap_task *t)
{
    const struct prompt p = {stdin, stdout};
    const struct manifest *m = &t->envelope->manifest;
    TRY(rewrap_check(t));
    TRY(manifest_compare(m, &s->parts));
    TRY(manifest_hash_expect(s->bundle.manifest_hash,
                             options_value(s->options, "expect-manifest-hash")));
    if (options_given(s->options, "unsafe-auto-confirm"))
        return Q_OK;
    TRY(bundle_review(&p, m, &s->parts));
    return review_provision(&p, t->envelope, t->role);
}

static enum q_err verify_enclave(const struct signing *s, const struct rewrap_task *t,
                                 struct arena *a, struct p256_public *key)
{
    VERIFICATION_AUTO v = {0};
    struct claims claims;
    TRY(verification_start(s->options, &v));
    TRY(rewrap_verify(&v, t, a, &claims));
    return evidence_public_key(&claims, key);
}

static enum q_err sign_share(struct signing *s, struct arena *a)
{
    const struct booted_enclave *enclave = &s->bundle.task.enclave;
    const char *set = s->parts.from[PART_MANIFEST_SET];
    const char *share_path = options_value(s->options, "share-path");
    const struct rewrap_task task = {.envelope = &enclave->envelope,
                                     .document = enclave->document,
                                     .role = s->parts.role,
                                     .manifest_set = &s->parts.manifest_set,
                                     .manifest_set_from = set == NULL ? "bundle" : set,
                                     .alias = s->alias,
                                     .member = s->key};
    struct p256_public key;
    if (share_path == NULL)
        return fail(Q_BAD_INPUT, "--share-path: needed, the bundle asks for the member's share");
    TRY(verify_enclave(s, &task, a, &key));
    enum q_err decision = decide_share(s, &task);
    if (decision != Q_OK) {
        fprintf(stderr, "Exiting early without re-encrypting / approving\n");
        return decision;
    }
    TRY(rewrap_share(&task, &key, share_path, &s->made));
    s->answer.approval = s->made.approval;
    s->answer.result.sealed.share = buf_bytes(&s->made.share);
    memcpy(s->answer.result.sealed.binding, s->made.binding, sizeof s->made.binding);
    return Q_OK;
}

// The bundle's file is answered by its hash.
static enum q_err read_bundle(struct signing *s, struct arena *a)
{
    BUF_AUTO file = {0};
    struct bytes alias;
    struct bundle *b = &s->bundle;
    const char *path = options_value(s->options, "bundle-path");
    const char *expected = options_value(s->options, "alias");
    TRY(file_read(path, BUNDLE_MAX, &file));
    TRY(bundle_read(buf_bytes(&file), path, a, b));
    TRY(err_context(text_check_name("alias", b->alias, false), "%s", path));
    if (expected != NULL && !bytes_is(b->alias, expected))
        return fail(Q_REFUSED, "--alias: the bundle does not ask %s", expected);
    TRY(arena_printf(a, &alias, "%.*s", (int)b->alias.n, (const char *)b->alias.p));
    s->alias = (const char *)alias.p;
    s->answer =
        (struct bundle_answer){.format = BYTES_LIT(ANSWER_FORMAT), .result = {.tag = b->task.tag}};
    TRY(sha256(buf_bytes(&file), s->answer.bundle_hash));
    audit_note_who(b->alias);
    audit_note_manifest(bundle_manifest(b));
    return bundle_show(b);
}

static enum q_err write_answer(const struct options *o, const struct bundle_answer *answer)
{
    OUTPUT_AUTO out = {0};
    BUF_AUTO file = {0};
    TRY(answer_write(answer, &file));
    TRY(output_stage(&out, "Answer", options_value(o, "answer-path"), buf_bytes(&file),
                     OUTPUT_REMADE));
    return output_publish(&out);
}

static enum q_err sign(struct signing *s, struct arena *a)
{
    TRY(read_bundle(s, a));
    const struct bundle *b = &s->bundle;
    TRY(member_key_read(s->options, &s->key));
    TRY(manifest_parts_given(s->options, bundle_manifest(b), b->role, a, &s->parts));
    TRY(b->task.tag == BUNDLE_APPROVE_MANIFEST ? sign_manifest(s, a) : sign_share(s, a));
    return write_answer(s->options, &s->answer);
}

static enum q_err bundle_sign(const struct options *o)
{
    ARENA_AUTO a = {0};
    struct signing s = {.options = o};
    enum q_err err = sign(&s, &a);
    rewrapped_free(&s.made);
    member_key_free(&s.key);
    return err;
}

static const struct option bundle_sign_options[] = {
    OPTION_REQUIRED("bundle-path", "The bundle"),
    OPTION_REQUIRED("answer-path", "File for the answer"),
    OPTION_OPTIONAL("share-path", "The member's share, for a bundle that asks for it"),
    OPTION_OPTIONAL("alias", "Sign only what asks this member"),
    OPTION_OPTIONAL("pcr3-preimage-path", "File with the role behind PCR3"),
    OPTIONS_MANIFEST_PARTS_MAYBE,
    OPTIONS_KEY,
    OPTIONS_VERIFY,
    OPTION_OPTIONAL("expect-manifest-hash", "Sign only for the manifest with this hash, in hex"),
    OPTION_SWITCH("unsafe-auto-confirm", "Do not ask; the comparisons are still made"),
    OPTION_AUDIT,
};

const struct command command_bundle_sign = {
    .name = "bundle sign",
    .run = bundle_sign,
    .help = "As a member without a network, review a bundle and do what it asks",
    COMMAND_OPTIONS(bundle_sign_options),
    .audited = true,
    .secrets = true,
};
