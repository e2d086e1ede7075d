// Opening shares (see share_opening.h).
#include "client/instance/share_opening.h"

#include "base/text.h"
#include "client/key_file.h"
#include "client/share/share_plain.h"

static bool is_of(const struct p256_pair *pair, const struct member *m)
{
    return bytes_equal(p256_public_bytes(p256_pair_public(pair)), m->pub_key);
}

static bool find(const struct p256_pair *pair, const struct member_set *set, const char *alias,
                 size_t *index)
{
    for (size_t i = 0; i < set->members.n; i++) {
        const struct member *m = &set->members.items[i];
        if ((alias == NULL || bytes_is(m->alias, alias)) && is_of(pair, m)) {
            *index = i;
            return true;
        }
    }
    return false;
}

// A seed does not say of which suite it is; the members' keys do.
enum q_err secret_owner(const struct options *o, const char *secret_path,
                        const struct member_set *set, const char *alias, struct p256_pair **pair,
                        size_t *index)
{
    P256_PAIR_AUTO *qos = NULL, *raw = NULL;
    TRY(seed_file_read(o, secret_path, &qos));
    if (find(qos, set, alias, index)) {
        *pair = qos;
        qos = NULL;
        return Q_OK;
    }
    if (p256_pair_from_seed_suite(P256_SUITE_RENCLAVE, p256_pair_seed(qos), &raw) == Q_OK &&
        find(raw, set, alias, index)) {
        *pair = raw;
        raw = NULL;
        return Q_OK;
    }
    if (alias != NULL)
        return fail(Q_MISSING, "%s: expected the secret of %s, found another's", secret_path,
                    alias);
    return fail(Q_MISSING, "%s: expected the secret of a member of this genesis, found another's",
                secret_path);
}

enum q_err share_owner(const struct options *o, const char *secret_path,
                       const struct genesis_answer *g, const char *alias, struct p256_pair **pair,
                       size_t *index)
{
    return secret_owner(o, secret_path, &g->envelope.manifest.share_set, alias, pair, index);
}

enum q_err share_of(const struct genesis_answer *g, size_t index, const struct p256_pair *pair,
                    struct secret *out)
{
    const struct genesis_member_output *mine = &g->output.member_outputs.items[index];
    SECRET_AUTO share = {0};
    BUF_AUTO shown = {0};
    uint8_t hash[SHA512_SIZE];
    TRY(text_display(mine->share_set_member.alias, &shown));
    const char *alias = buf_text(&shown);
    TRY(err_context(p256_open(pair, mine->encrypted_share, &share),
                    "share of %s: Failed to decrypt share with personal key",
                    alias == NULL ? "?" : alias));
    if (share.n != SHARE_PLAIN_SIZE || share.p[0] != index + 1)
        return fail(Q_CRYPTO,
                    "share of %s: InvalidShare: expected %d bytes with number %zu, found "
                    "another",
                    alias == NULL ? "?" : alias, SHARE_PLAIN_SIZE, index + 1);
    TRY(sha512(secret_bytes(&share), hash));
    if (!bytes_equal(BYTES_OF(hash), BYTES_OF(mine->share_hash)))
        return fail(Q_CRYPTO,
                    "share of %s: share_hash: expected the hash that the genesis names, "
                    "found another",
                    alias == NULL ? "?" : alias);
    *out = share;
    share = (struct secret){0};
    return Q_OK;
}
