// Proving a share (see share_proof.h).
#include "client/share/share_proof.h"

#include "client/manifest/member_signature.h"
#include "client/share/share_plain.h"
#include "protocol/genesis.h"

static enum q_err check_plain(const struct genesis_member_output *own, unsigned number,
                              const struct secret *share, const char *what)
{
    uint8_t hash[SHA512_SIZE];
    if (share->p[0] != number)
        return fail(Q_CRYPTO,
                    "%s: expected share number %u, as the genesis gave this member, found another",
                    what, number);
    TRY(sha512(secret_bytes(share), hash));
    if (!bytes_equal(BYTES_OF(hash), BYTES_OF(own->share_hash)))
        return fail(
            Q_CRYPTO,
            "%s: expected the share whose hash the genesis names, found another (of another "
            "genesis, or damaged); take the own share again with after-genesis",
            what);
    return Q_OK;
}

enum q_err share_proof(const struct genesis_output *g, const char *alias,
                       const struct member_key *key, struct bytes share, const char *what,
                       unsigned *number)
{
    const struct member me = member_of(alias, key);
    const struct genesis_member_output *own;
    SECRET_AUTO plain = {0};
    TRY(genesis_output_find(g, &me, &own));
    *number = (unsigned)(own - g->member_outputs.items) + 1;
    TRY(share_open(key, share, what, &plain));
    return check_plain(own, *number, &plain, what);
}
