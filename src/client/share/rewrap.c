// Verifying an enclave and encrypting a share to it (see rewrap.h).
#include "client/share/rewrap.h"

#include "base/file.h"
#include "client/manifest/member_signature.h"
#include "client/manifest/set_directory.h"
#include "client/share/share_plain.h"
#include "protocol/manifest.h"
#include "protocol/share.h"

#include <stdio.h>

enum q_err rewrap_verify(const struct verification *v, const struct rewrap_task *t, struct arena *a,
                         struct claims *claims)
{
    const struct manifest *m = &t->envelope->manifest;
    TRY(evidence_manifest_ready(v, m));
    TRY(evidence_read(v, t->document, a, claims));
    if (!v->skip)
        TRY(evidence_role_matches(m, t->role));
    return evidence_check_setup(v, claims, m);
}

static enum q_err check_approvals(const struct manifest_envelope *e)
{
    enum q_err err = envelope_check_approvals(e, NULL);
    if (err != Q_OK)
        fprintf(stderr, "Manifest envelope did not have valid approvals: %s\n", err_text());
    return err;
}

static enum q_err check_set(const struct rewrap_task *t)
{
    enum q_err err = member_sets_same(&t->envelope->manifest.manifest_set, t->manifest_set,
                                      t->manifest_set_from);
    if (err != Q_OK)
        fprintf(stderr, "Manifest's manifest set does not match locally found Manifest Set\n");
    return err;
}

static enum q_err check_own(const struct rewrap_task *t)
{
    const struct member me = member_of(t->alias, t->member);
    if (member_set_has(&t->envelope->manifest.share_set, &me))
        return Q_OK;
    fprintf(stderr, "The provided share set key and alias are not part of the Share Set\n");
    return fail(Q_REFUSED,
                "NotShareSetMember: expected a member of the share set, found no member %s with "
                "this key",
                t->alias);
}

enum q_err rewrap_check(const struct rewrap_task *t)
{
    TRY(check_approvals(t->envelope));
    TRY(check_set(t));
    return check_own(t);
}

static enum q_err encrypt(const struct rewrap_task *t, const struct p256_public *key,
                          const char *share_path, struct buf *out)
{
    BUF_AUTO file = {0};
    SECRET_AUTO share = {0};
    TRY(file_read(share_path, SHARE_FILE_MAX, &file));
    TRY(share_open(t->member, buf_bytes(&file), share_path, &share));
    return p256_seal(key, secret_bytes(&share), out);
}

// So that nobody can post another ciphertext in the member's name.
static enum q_err sign_binding(const struct rewrap_task *t, const struct p256_public *key,
                               struct rewrapped *out)
{
    BUF_AUTO message = {0};
    TRY(share_binding_message(out->manifest_hash, p256_public_bytes(key), buf_bytes(&out->share),
                              &message));
    return member_key_sign(t->member, buf_bytes(&message), out->binding);
}

enum q_err rewrap_share(const struct rewrap_task *t, const struct p256_public *key,
                        const char *share_path, struct rewrapped *out)
{
    TRY(encrypt(t, key, share_path, &out->share));
    TRY(manifest_hash(&t->envelope->manifest, out->manifest_hash));
    TRY(approval_sign(t->member, t->alias, out->manifest_hash, out->signature, &out->approval));
    return sign_binding(t, key, out);
}

void rewrapped_free(struct rewrapped *r)
{
    buf_free(&r->share);
}

enum q_err share_binding_check(const struct member *member,
                               const uint8_t manifest_hash[static SHA256_SIZE],
                               struct bytes setup_key, struct bytes share, struct bytes binding)
{
    BUF_AUTO message = {0};
    struct p256_public key;
    TRY(p256_public_parse(member->pub_key, &key));
    TRY(share_binding_message(manifest_hash, setup_key, share, &message));
    return err_context(p256_verify(&key, buf_bytes(&message), binding), "share binding");
}
