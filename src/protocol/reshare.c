// Plans, approvals and outputs of a resharing: forms, hashes and rules (see reshare.h).
#include "protocol/reshare.h"

#include "codec/json.h"
#include "crypto/p256.h"
#include "protocol/manifest.h"
#include "protocol/types_internal.h"

static enum q_err check_format(struct bytes found, const char *expected, struct protocol_error *why)
{
    if (bytes_is(found, expected))
        return Q_OK;
    return refuse(why, PE_INVALID_MSG, "format: expected %s, found another", expected);
}

enum q_err reshare_plan_read(struct bytes file, struct arena *a, struct reshare_plan *out)
{
    TRY(err_context(json_decode_canonical(&type_reshare_plan, file, a, out), "reshare plan"));
    return reshare_plan_check(out, NULL);
}

enum q_err reshare_plan_write(const struct reshare_plan *p, struct buf *out)
{
    return json_encode(&type_reshare_plan, p, JSON_CANONICAL, out);
}

enum q_err reshare_output_read(struct bytes file, struct arena *a, struct reshare_output *out)
{
    TRY(err_context(json_decode_canonical(&type_reshare_output, file, a, out), "reshare output"));
    return reshare_output_check(out);
}

enum q_err reshare_output_write(const struct reshare_output *o, struct buf *out)
{
    return json_encode(&type_reshare_output, o, JSON_CANONICAL, out);
}

static enum q_err hash_of(const char *domain, const struct type *t, const void *value,
                          uint8_t out[static SHA256_SIZE])
{
    BUF_AUTO encoded = {0};
    TRY(buf_append_str(&encoded, domain));
    TRY(json_encode(t, value, JSON_CANONICAL, &encoded));
    return sha256(buf_bytes(&encoded), out);
}

enum q_err reshare_plan_hash(const struct reshare_plan *p, uint8_t out[static SHA256_SIZE])
{
    return hash_of(RESHARE_PLAN_FORMAT, &type_reshare_plan, p, out);
}

enum q_err reshare_output_hash(const struct reshare_output *o, uint8_t out[static SHA256_SIZE])
{
    return hash_of(RESHARE_OUTPUT_FORMAT, &type_reshare_output, o, out);
}

static enum q_err check_keys(const struct reshare_plan *p, struct protocol_error *why)
{
    struct p256_public key;
    if (p256_public_parse(p->quorum_key, &key) != Q_OK)
        return refuse_p256(why, PE_P256_ERROR, "quorum key");
    if (p->dr_key.p != NULL && p256_public_parse(p->dr_key, &key) != Q_OK)
        return refuse_p256(why, PE_INVALID_P256_DR_KEY, "disaster recovery key");
    return Q_OK;
}

static enum q_err check_plan(const struct reshare_plan *p, struct protocol_error *why)
{
    TRY(check_format(p->format, RESHARE_PLAN_FORMAT, why));
    if (p->namespace.n == 0)
        return refuse(why, PE_INVALID_MSG, "namespace: expected a name, found none");
    if (p->epoch == 0)
        return refuse(why, PE_INVALID_MSG, "epoch: expected 1 or more, found 0, the genesis");
    TRY(manifest_set_check("manifest set", &p->manifest_set, why));
    TRY(share_set_check("old share set", &p->old_share_set, why));
    TRY(share_set_check("new share set", &p->new_share_set, why));
    if (p->old_share_hashes.n != p->old_share_set.members.n)
        return refuse(why, PE_INVALID_MSG,
                      "old share hashes: expected one per member of the old share set, %zu, found "
                      "%zu",
                      p->old_share_set.members.n, p->old_share_hashes.n);
    return check_keys(p, why);
}

enum q_err reshare_plan_check(const struct reshare_plan *p, struct protocol_error *why)
{
    return err_context(check_plan(p, why), "reshare plan");
}

enum q_err reshare_approval_message(enum reshare_role role, const uint8_t hash[static SHA256_SIZE],
                                    struct buf *out)
{
    TRY(buf_append_str(out, role == RESHARE_ROLE_MANIFEST ? RESHARE_MANIFEST_DOMAIN
                                                          : RESHARE_SHARE_DOMAIN));
    return buf_append(out, bytes_of(hash, SHA256_SIZE));
}

const struct member_set *reshare_role_set(const struct reshare_plan *p, enum reshare_role role)
{
    return role == RESHARE_ROLE_MANIFEST ? &p->manifest_set : &p->old_share_set;
}

static const char *role_name(enum reshare_role role)
{
    return role == RESHARE_ROLE_MANIFEST ? "manifest set" : "old share set";
}

static enum q_err find_member(const struct reshare_plan *p, enum reshare_role role,
                              const struct member *m, const char *name, size_t *index,
                              struct protocol_error *why)
{
    size_t place;
    if (member_set_find(reshare_role_set(p, role), m, &place)) {
        if (index != NULL)
            *index = place;
        return Q_OK;
    }
    return refuse(
        why, role == RESHARE_ROLE_MANIFEST ? PE_NOT_MANIFEST_SET_MEMBER : PE_NOT_SHARE_SET_MEMBER,
        "approval of %s: expected a member of the %s, by alias and key", name, role_name(role));
}

enum q_err reshare_approval_check(const struct reshare_plan *p,
                                  const uint8_t hash[static SHA256_SIZE], enum reshare_role role,
                                  const struct approval *approval, size_t *index,
                                  struct protocol_error *why)
{
    struct p256_public key;
    BUF_AUTO shown = {0}, message = {0};
    const char *name = alias_shown(&approval->member, &shown);
    if (p256_public_parse(approval->member.pub_key, &key) != Q_OK)
        return refuse_p256(why, PE_P256_ERROR, "approval of %s: public key", name);
    TRY(reshare_approval_message(role, hash, &message));
    if (p256_verify(&key, buf_bytes(&message), approval->signature) != Q_OK)
        return refuse(why, PE_COULD_NOT_VERIFY_APPROVAL,
                      "approval of %s: expected a signature over this plan in the role of the %s",
                      name, role_name(role));
    return find_member(p, role, &approval->member, name, index, why);
}

static bool approved_before(const struct approval *approvals, size_t i)
{
    for (size_t k = 0; k < i; k++)
        if (member_equal(&approvals[k].member, &approvals[i].member))
            return true;
    return false;
}

enum q_err reshare_approvals_check(const struct reshare_plan *p,
                                   const uint8_t hash[static SHA256_SIZE], enum reshare_role role,
                                   const struct approval *approvals, size_t n,
                                   struct protocol_error *why)
{
    uint32_t needed = reshare_role_set(p, role)->threshold;
    for (size_t i = 0; i < n; i++) {
        TRY(reshare_approval_check(p, hash, role, &approvals[i], NULL, why));
        if (!approved_before(approvals, i))
            continue;
        BUF_AUTO shown = {0};
        return refuse(why, PE_DUPLICATE_APPROVAL, "approval of %s: there is one already",
                      alias_shown(&approvals[i].member, &shown));
    }
    if (n < needed)
        return refuse(why, PE_NOT_ENOUGH_APPROVALS, "%s: expected at least %u approvals, got %zu",
                      role_name(role), needed, n);
    return Q_OK;
}

enum q_err reshare_handover_message(const struct reshare_plan *p,
                                    const uint8_t hash[static SHA256_SIZE], struct bytes new_key,
                                    struct buf *out)
{
    TRY(buf_append_str(out, RESHARE_HANDOVER_DOMAIN));
    TRY(buf_append(out, bytes_of(hash, SHA256_SIZE)));
    TRY(buf_u64le(out, p->epoch));
    TRY(buf_append(out, p->quorum_key));
    return buf_append(out, new_key);
}

static enum q_err check_signature(struct bytes public_key, struct bytes message,
                                  struct bytes signature, const char *what)
{
    struct p256_public key;
    TRY(err_context(p256_public_parse(public_key, &key), "%s: public key", what));
    return err_context(p256_verify(&key, message, signature), "%s", what);
}

static enum q_err check_handover(const struct reshare_output *o,
                                 const uint8_t hash[static SHA256_SIZE])
{
    BUF_AUTO message = {0};
    struct bytes new_key = o->shares.quorum_key;
    bool same = bytes_equal(new_key, o->plan.quorum_key);
    if (same == o->plan.new_key)
        return fail(Q_REFUSED, "quorum key: expected %s, found %s",
                    o->plan.new_key ? "a new one" : "the plan's", same ? "the old one" : "another");
    if (o->plan.new_key != (o->handover != NULL))
        return fail(Q_REFUSED, "hand-over: expected one exactly when there is a new key");
    if (o->handover == NULL)
        return Q_OK;
    TRY(reshare_handover_message(&o->plan, hash, new_key, &message));
    TRY(check_signature(o->plan.quorum_key, buf_bytes(&message), o->handover->by_old,
                        "hand-over by the old key"));
    return check_signature(new_key, buf_bytes(&message), o->handover->by_new,
                           "hand-over by the new key");
}

static enum q_err check_shares(const struct reshare_output *o)
{
    const struct member_set *set = &o->plan.new_share_set;
    const struct genesis_set expected = {.members = {set->members.items, set->members.n},
                                         .threshold = set->threshold};
    TRY(genesis_output_matches(&o->shares, &expected, o->plan.dr_key));
    if ((o->shares.dr_key_wrapped_quorum_key.p != NULL) != (o->plan.dr_key.p != NULL))
        return fail(Q_REFUSED, "expected a wrapped quorum key exactly when there is a DR key");
    if (o->shares.recovery_permutations.n != 0 ||
        !bytes_is(o->shares.test_message, GENESIS_TEST_MESSAGE))
        return fail(Q_REFUSED, "expected the test message and no recovery permutations");
    return check_signature(o->shares.quorum_key, o->shares.test_message,
                           o->shares.test_message_signature, "test message");
}

static enum q_err check_output(const struct reshare_output *o)
{
    uint8_t hash[SHA256_SIZE];
    TRY(check_format(o->format, RESHARE_OUTPUT_FORMAT, NULL));
    TRY(reshare_plan_check(&o->plan, NULL));
    TRY(reshare_plan_hash(&o->plan, hash));
    TRY(reshare_approvals_check(&o->plan, hash, RESHARE_ROLE_MANIFEST, o->manifest_approvals.items,
                                o->manifest_approvals.n, NULL));
    TRY(reshare_approvals_check(&o->plan, hash, RESHARE_ROLE_SHARE, o->share_approvals.items,
                                o->share_approvals.n, NULL));
    TRY(err_context(check_shares(o), "shares"));
    return check_handover(o, hash);
}

enum q_err reshare_output_check(const struct reshare_output *o)
{
    return err_context(check_output(o), "reshare output");
}
