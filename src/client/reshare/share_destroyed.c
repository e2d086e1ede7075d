// Signing and checking the word of a member that the old share is gone (see share_destroyed.h).
#include "client/reshare/share_destroyed.h"

#include "codec/json.h"

#include <string.h>

static const struct type type_hash = {FIXED("hash", SHA256_SIZE)};
static const struct field fields[] = {
    FIELD(struct share_destroyed, domain, "domain", &type_text),
    FIELD(struct share_destroyed, alias, "alias", &type_text),
    FIELD(struct share_destroyed, quorum_key, "quorumKey", &type_bytes),
    FIELD(struct share_destroyed, epoch, "epoch", &type_u64),
    FIELD(struct share_destroyed, plan, "plan", &type_hash),
    FIELD(struct share_destroyed, time_s, "time", &type_u64),
    FIELD(struct share_destroyed, signature, "signature", &type_bytes),
};
static const struct type type_share_destroyed = {
    STRUCT(struct share_destroyed, "destruction statement", fields), .closed = true};

enum q_err share_destroyed_message(const struct share_destroyed *s, struct buf *out)
{
    if (s->alias.n > UINT32_MAX)
        return fail(Q_LIMIT, "destruction statement: alias too long");
    TRY(buf_append_str(out, SHARE_DESTROYED_DOMAIN));
    TRY(buf_append(out, BYTES_OF(s->plan)));
    TRY(buf_u64le(out, s->epoch));
    TRY(buf_append(out, s->quorum_key));
    TRY(buf_u32le(out, (uint32_t)s->alias.n));
    TRY(buf_append(out, s->alias));
    return buf_u64le(out, s->time_s);
}

static void about(struct share_destroyed *s, const struct reshare_plan *p,
                  const uint8_t plan_hash[static SHA256_SIZE])
{
    s->quorum_key = p->quorum_key;
    s->epoch = p->epoch - 1;
    memcpy(s->plan, plan_hash, sizeof s->plan);
}

enum q_err share_destroyed_make(const struct member_key *key, const char *alias,
                                const struct reshare_plan *p,
                                const uint8_t plan_hash[static SHA256_SIZE], int64_t time_s,
                                struct buf *out)
{
    BUF_AUTO message = {0};
    uint8_t signature[P256_SIGNATURE_SIZE];
    struct share_destroyed s = {.domain = BYTES_LIT(SHARE_DESTROYED_DOMAIN),
                                .alias = bytes_str(alias),
                                .time_s = (uint64_t)time_s,
                                .signature = BYTES_OF(signature)};
    about(&s, p, plan_hash);
    TRY(share_destroyed_message(&s, &message));
    TRY(member_key_sign(key, buf_bytes(&message), signature));
    return json_encode(&type_share_destroyed, &s, JSON_PLAIN, out);
}

enum q_err share_destroyed_read(struct bytes file, struct arena *a, struct share_destroyed *out)
{
    TRY(json_decode(&type_share_destroyed, file, a, out));
    if (bytes_is(out->domain, SHARE_DESTROYED_DOMAIN))
        return Q_OK;
    return fail(Q_BAD_INPUT, "destruction statement: domain: expected " SHARE_DESTROYED_DOMAIN
                             ", found another");
}

enum q_err share_destroyed_check(const struct share_destroyed *s, const struct member *m,
                                 const struct reshare_plan *p,
                                 const uint8_t plan_hash[static SHA256_SIZE])
{
    BUF_AUTO message = {0};
    struct p256_public key;
    struct share_destroyed expected = *s;
    about(&expected, p, plan_hash);
    if (!bytes_equal(s->alias, m->alias) || s->epoch != expected.epoch ||
        !bytes_equal(s->quorum_key, expected.quorum_key) ||
        !bytes_equal(BYTES_OF(s->plan), BYTES_OF(expected.plan)))
        return fail(Q_REFUSED, "destruction statement: expected one of this member about the share "
                               "before this resharing, found another");
    TRY(p256_public_parse(m->pub_key, &key));
    TRY(share_destroyed_message(s, &message));
    return err_context(p256_verify(&key, buf_bytes(&message), s->signature),
                       "destruction statement");
}
