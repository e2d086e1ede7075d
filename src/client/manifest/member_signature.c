// Making and checking approvals (see member_signature.h).
#include "client/manifest/member_signature.h"

#include "base/log.h"
#include "client/output.h"
#include "codec/json.h"
#include "protocol/manifest.h"

struct member member_of(const char *alias, const struct member_key *key)
{
    return (struct member){.alias = bytes_str(alias),
                           .pub_key = p256_public_bytes(member_key_public(key))};
}

enum q_err approval_sign(const struct member_key *key, const char *alias,
                         const uint8_t manifest_hash[static SHA256_SIZE],
                         uint8_t signature[static P256_SIGNATURE_SIZE], struct approval *out)
{
    TRY(member_key_sign(key, bytes_of(manifest_hash, SHA256_SIZE), signature));
    *out = (struct approval){.signature = bytes_of(signature, P256_SIGNATURE_SIZE),
                             .member = member_of(alias, key)};
    return Q_OK;
}

enum q_err approval_json(const struct approval *approval, struct buf *json)
{
    return json_encode(&type_approval, approval, JSON_PLAIN, json);
}

enum q_err approval_make(const struct member_key *key, const char *alias,
                         const uint8_t manifest_hash[static SHA256_SIZE], struct buf *json)
{
    uint8_t signature[P256_SIGNATURE_SIZE];
    struct approval approval;
    TRY(approval_sign(key, alias, manifest_hash, signature, &approval));
    return approval_json(&approval, json);
}

enum q_err approval_check(const struct approval *approval, const struct member_set *set,
                          const uint8_t manifest_hash[static SHA256_SIZE])
{
    BUF_AUTO alias = {0};
    struct p256_public key;
    const char *who = output_shown(approval->member.alias, &alias);
    if (!member_set_has(set, &approval->member))
        return fail(Q_REFUSED, "approval of %s: expected a member of the set, found no such one",
                    who);
    TRY(err_context(p256_public_parse(approval->member.pub_key, &key), "approval of %s", who));
    return err_context(p256_verify(&key, bytes_of(manifest_hash, SHA256_SIZE), approval->signature),
                       "approval of %s", who);
}

void statement_warn(struct bytes payload)
{
    if (payload.n == SHA256_SIZE)
        log_warn("%d bytes: a signature over the hash of a manifest approves that manifest",
                 SHA256_SIZE);
    if (bytes_begin_with(payload, BYTES_LIT("quorate-")))
        log_warn("begins with quorate-: a signature over this may approve a plan, give a share or "
                 "state something in the signer's name");
}
