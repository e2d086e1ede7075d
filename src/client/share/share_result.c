// Signing and checking the word of a member about the own share (see share_result.h).
#include "client/share/share_result.h"

#include "client/output.h"
#include "codec/json.h"

#include <inttypes.h>
#include <stddef.h>
#include <string.h>

#define CLOCKS_DIFFER_S 300

static const struct type type_hash = {FIXED("hash", SHA256_SIZE)};
static const struct field result_fields[] = {
    FIELD(struct share_result, domain, "domain", &type_text),
    FIELD(struct share_result, genesis, "genesis", &type_hash),
    FIELD(struct share_result, alias, "alias", &type_text),
    FIELD(struct share_result, time_s, "time", &type_u64),
    FIELD(struct share_result, signature, "signature", &type_bytes),
};
static const struct type type_share_result = {
    STRUCT(struct share_result, "share result", result_fields), .closed = true};

enum q_err share_result_message(const struct share_result *r, struct buf *out)
{
    if (r->alias.n > UINT32_MAX)
        return fail(Q_LIMIT, "share result: alias too long");
    TRY(buf_append(out, BYTES_LIT(SHARE_RESULT_DOMAIN)));
    TRY(buf_append(out, BYTES_OF(r->genesis)));
    TRY(buf_u32le(out, (uint32_t)r->alias.n));
    TRY(buf_append(out, r->alias));
    return buf_u64le(out, r->time_s);
}

enum q_err share_result_make(const struct member_key *key, const char *alias,
                             const uint8_t genesis[static SHA256_SIZE], int64_t time_s,
                             struct buf *out)
{
    BUF_AUTO message = {0};
    uint8_t signature[P256_SIGNATURE_SIZE];
    struct share_result r = {.domain = BYTES_LIT(SHARE_RESULT_DOMAIN),
                             .alias = bytes_str(alias),
                             .time_s = (uint64_t)time_s,
                             .signature = BYTES_OF(signature)};
    memcpy(r.genesis, genesis, sizeof r.genesis);
    TRY(share_result_message(&r, &message));
    TRY(member_key_sign(key, buf_bytes(&message), signature));
    return json_encode(&type_share_result, &r, JSON_PLAIN, out);
}

enum q_err share_result_read(struct bytes file, struct arena *a, struct share_result *out)
{
    TRY(json_decode(&type_share_result, file, a, out));
    if (bytes_is(out->domain, SHARE_RESULT_DOMAIN))
        return Q_OK;
    BUF_AUTO shown = {0};
    return fail(Q_BAD_INPUT, "share result: domain: expected " SHARE_RESULT_DOMAIN ", found %s",
                output_shown(out->domain, &shown));
}

static enum q_err check_signature(const struct share_result *r, const struct member *m)
{
    BUF_AUTO message = {0};
    struct p256_public key;
    TRY(p256_public_parse(m->pub_key, &key));
    TRY(share_result_message(r, &message));
    return err_context(p256_verify(&key, buf_bytes(&message), r->signature), "share result");
}

enum q_err share_result_check(const struct share_result *r, const struct member *m,
                              const uint8_t genesis[static SHA256_SIZE], int64_t now_s)
{
    BUF_AUTO shown = {0};
    TRY(check_signature(r, m));
    if (!bytes_equal(r->alias, m->alias))
        return fail(Q_REFUSED, "share result: expected the word of this member, found that of %s",
                    output_shown(r->alias, &shown));
    if (!bytes_equal(BYTES_OF(r->genesis), bytes_of(genesis, SHA256_SIZE)))
        return fail(Q_REFUSED, "share result: expected one about this genesis, found one about "
                               "another");
    if (now_s < 0 || r->time_s > (uint64_t)now_s + CLOCKS_DIFFER_S)
        return fail(Q_REFUSED,
                    "share result: expected a time in the past, found one %" PRIu64 " s ahead",
                    r->time_s - (now_s < 0 ? 0 : (uint64_t)now_s));
    return Q_OK;
}
