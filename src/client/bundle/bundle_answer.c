// Whether an answer is one to this bundle (see bundle.h).
#include "client/bundle/bundle.h"

#include "client/attestation/evidence.h"
#include "client/manifest/member_signature.h"
#include "client/output.h"
#include "client/share/rewrap.h"

static enum q_err check_share(const struct bundle_answer *answer, const struct bundle *b)
{
    ARENA_AUTO a = {0};
    struct claims claims;
    struct p256_public key;
    const struct sealed_share *sealed = &answer->result.sealed;
    TRY(attestation_read(b->task.enclave.document, &a, &claims));
    TRY(evidence_public_key(&claims, &key));
    return share_binding_check(&answer->approval.member, b->manifest_hash, p256_public_bytes(&key),
                               sealed->share, BYTES_OF(sealed->binding));
}

enum q_err answer_check(const struct bundle_answer *answer, const struct bundle *b,
                        const uint8_t bundle_hash[static SHA256_SIZE])
{
    const struct manifest *m = bundle_manifest(b);
    bool shares = b->task.tag == BUNDLE_RE_ENCRYPT_SHARE;
    BUF_AUTO asked = {0}, found = {0};
    if (!bytes_equal(BYTES_OF(answer->bundle_hash), bytes_of(bundle_hash, SHA256_SIZE)) ||
        answer->result.tag != b->task.tag)
        return fail(Q_REFUSED, "answer: expected one to this bundle, found one to another");
    if (!bytes_equal(answer->approval.member.alias, b->alias))
        return fail(Q_REFUSED, "answer: expected one of %s, found one of %s",
                    output_shown(b->alias, &asked),
                    output_shown(answer->approval.member.alias, &found));
    TRY(approval_check(&answer->approval, shares ? &m->share_set : &m->manifest_set,
                       b->manifest_hash));
    return shares ? check_share(answer, b) : Q_OK;
}
