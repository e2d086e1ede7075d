// Comparing a manifest with what a member expects (see approve.h).
#include "client/manifest/approve.h"

#include "base/file.h"
#include "base/hex.h"
#include "base/text.h"
#include "client/manifest/member_signature.h"
#include "client/manifest/set_directory.h"
#include "client/attestation/trust_root.h"
#include "protocol/manifest.h"

#include <stdio.h>

// The original's words; the sentence with the details follows.
static enum q_err differs(enum q_err err, const char *text)
{
    if (err != Q_OK)
        fprintf(stderr, "%s\n", text);
    return err;
}

static enum q_err same_bytes(struct bytes manifest, struct bytes expected, const char *what)
{
    if (bytes_equal(manifest, expected))
        return Q_OK;
    return fail(Q_REFUSED, "%s: the manifest has another value than the files given", what);
}

static enum q_err same_enclave(const struct nitro_config *m, const struct nitro_config *expected)
{
    TRY(same_bytes(m->pcr0, expected->pcr0, "PCR0"));
    TRY(same_bytes(m->pcr1, expected->pcr1, "PCR1"));
    TRY(same_bytes(m->pcr2, expected->pcr2, "PCR2"));
    TRY(same_bytes(m->pcr3, expected->pcr3, "PCR3, the role"));
    TRY(same_bytes(m->qos_commit, expected->qos_commit, "qosCommit"));
    return trust_root_same(expected->root_certificate, m->root_certificate);
}

static enum q_err same_sets(const struct manifest *m, const struct manifest_parts *parts)
{
    TRY(differs(
        member_sets_same(&m->manifest_set, &parts->manifest_set, parts->from[PART_MANIFEST_SET]),
        "Manifest Set composition does not match"));
    TRY(differs(member_sets_same(&m->share_set, &parts->share_set, parts->from[PART_SHARE_SET]),
                "Share Set composition does not match"));
    if (m->version == MANIFEST_V2)
        return Q_OK;
    return differs(patch_sets_same(&m->patch_set, &parts->patch_set, parts->from[PART_PATCH_SET]),
                   "Patch Set composition does not match");
}

enum q_err manifest_compare(const struct manifest *m, const struct manifest_parts *parts)
{
    TRY(same_sets(m, parts));
    TRY(differs(same_enclave(&m->enclave, &parts->enclave), "Nitro configuration does not match"));
    TRY(differs(same_bytes(BYTES_OF(m->pivot.hash), BYTES_OF(parts->pivot_hash), "pivot hash"),
                "Pivot hash does not match"));
    return differs(same_bytes(m->namespace.quorum_key, parts->quorum_key, "quorum key"),
                   "Quorum public key does not match");
}

// What the original leaves to later commands or to the enclave to find out.
static enum q_err check_signer(const struct approval_task *t)
{
    const struct member me = member_of(t->alias, t->member);
    TRY(manifest_check_thresholds(t->manifest, NULL));
    TRY(pivot_check_bridges(&t->manifest->pivot, NULL));
    if (member_set_has(&t->manifest->manifest_set, &me))
        return Q_OK;
    return fail(Q_REFUSED,
                "NotManifestSetMember: expected a member of the manifest set, found no member %s "
                "with this key",
                t->alias);
}

// On stderr: stdout carries the questions, which scripts read line by line.
enum q_err manifest_hash_expect(const uint8_t hash[static SHA256_SIZE], const char *given)
{
    BUF_AUTO hex = {0};
    uint8_t expected[SHA256_SIZE];
    TRY(hex_encode(bytes_of(hash, SHA256_SIZE), &hex));
    const char *text = buf_text(&hex);
    if (text == NULL)
        return Q_NOMEM;
    fprintf(stderr, "Manifest hash: %s\n", text);
    if (given == NULL)
        return Q_OK;
    TRY(err_context(hex_decode_fixed(bytes_str(given), expected, sizeof expected),
                    "--expect-manifest-hash"));
    if (!bytes_equal(BYTES_OF(expected), bytes_of(hash, SHA256_SIZE)))
        return fail(Q_REFUSED, "--expect-manifest-hash: expected %s, found %s", given, text);
    return Q_OK;
}

enum q_err approve_check(const struct approval_task *t, uint8_t hash[static SHA256_SIZE])
{
    TRY(manifest_hash(t->manifest, hash));
    TRY(manifest_compare(t->manifest, t->parts));
    TRY(check_signer(t));
    return manifest_hash_expect(hash, t->expected_hash);
}

enum q_err approval_path(const char *folder, struct bytes alias, const struct namespace *n,
                         struct arena *a, const char **out)
{
    BUF_AUTO name = {0};
    TRY(text_check_name("--alias", alias, false));
    TRY(text_check_name("namespace", n->name, true));
    TRY(buf_append(&name, alias));
    TRY(buf_u8(&name, '-'));
    for (size_t i = 0; i < n->name.n; i++)
        TRY(buf_u8(&name, n->name.p[i] == '/' ? '-' : n->name.p[i]));
    TRY(buf_printf(&name, "-%u.approval", n->nonce));
    const char *text = buf_text(&name);
    return text == NULL ? Q_NOMEM : file_join(a, folder, text, out);
}
