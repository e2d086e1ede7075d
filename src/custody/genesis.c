// The quorum key's birth and its shares (see genesis.h).
#include "custody/genesis.h"

#include "base/hex.h"
#include "crypto/p256.h"
#include "crypto/shamir.h"
#include "protocol/manifest.h"

static enum q_err seal_into(const struct p256_public *to, struct bytes plaintext, struct arena *a,
                            struct bytes *out)
{
    BUF_AUTO envelope = {0};
    TRY(p256_seal(to, plaintext, &envelope));
    return arena_copy(a, buf_bytes(&envelope), out);
}

static enum q_err give_share(const struct member *m, struct bytes share, struct arena *a,
                             struct genesis_member_output *out)
{
    struct p256_public key;
    TRY(p256_public_parse(m->pub_key, &key)); // genesis_set_check has seen that it is one
    out->share_set_member = *m;
    TRY(seal_into(&key, share, a, &out->encrypted_share));
    return sha512(share, out->share_hash);
}

static enum q_err give_shares(const struct genesis_set *set, struct bytes shares, struct arena *a,
                              struct genesis_output *out)
{
    size_t n = set->members.n;
    void *items;
    TRY(arena_array(a, n, sizeof *out->member_outputs.items, &items));
    out->member_outputs.items = items;
    out->member_outputs.n = n;
    size_t size = shares.n / n;
    for (size_t i = 0; i < n; i++)
        TRY(give_share(&set->members.items[i], bytes_of(shares.p + i * size, size), a,
                       &out->member_outputs.items[i]));
    return Q_OK;
}

static enum q_err wrap_for_recovery(const struct p256_public *dr_key, struct bytes seed,
                                    struct arena *a, struct genesis_output *out)
{
    SECRET_AUTO text = {0};
    TRY(hex_encode_secret(seed, &text));
    TRY(sha512(secret_bytes(&text), out->quorum_key_hash));
    return out->dr_key.p == NULL ? Q_OK
                                 : seal_into(dr_key, seed, a, &out->dr_key_wrapped_quorum_key);
}

// What shows, without the secret, that a rebuilt key is this one.
static enum q_err add_test_message(const struct p256_pair *pair, struct arena *a,
                                   struct genesis_output *out)
{
    uint8_t signature[P256_SIGNATURE_SIZE];
    out->test_message = BYTES_LIT(GENESIS_TEST_MESSAGE);
    TRY(p256_sign(pair, out->test_message, signature));
    TRY(arena_copy(a, BYTES_OF(signature), &out->test_message_signature));
    return seal_into(p256_pair_public(pair), out->test_message, a, &out->test_message_ciphertext);
}

enum q_err genesis_hand_out_keeping(const struct p256_pair *pair, const struct genesis_set *set,
                                    struct bytes dr_key, struct arena *a,
                                    struct genesis_output *out, struct secret *shares,
                                    struct protocol_error *why)
{
    TRY(genesis_set_check(set, why));
    struct p256_public recovery = {0};
    if (dr_key.p != NULL && p256_public_parse(dr_key, &recovery) != Q_OK)
        return refuse_p256(why, PE_INVALID_P256_DR_KEY, "disaster recovery key");
    *out = (struct genesis_output){.set = *set, .dr_key = dr_key};
    TRY(arena_copy(a, p256_public_bytes(p256_pair_public(pair)), &out->quorum_key));
    TRY(shamir_split(p256_pair_seed(pair), (unsigned)set->members.n, set->threshold, shares));
    TRY(give_shares(set, secret_bytes(shares), a, out));
    TRY(wrap_for_recovery(&recovery, p256_pair_seed(pair), a, out));
    return add_test_message(pair, a, out);
}

enum q_err genesis_hand_out(const struct p256_pair *pair, const struct genesis_set *set,
                            struct bytes dr_key, struct arena *a, struct genesis_output *out,
                            struct protocol_error *why)
{
    SECRET_AUTO shares = {0};
    return genesis_hand_out_keeping(pair, set, dr_key, a, out, &shares, why);
}

enum q_err genesis_make(const struct genesis_set *set, struct bytes dr_key, struct arena *a,
                        struct genesis_output *out, struct protocol_error *why)
{
    P256_PAIR_AUTO *pair = NULL;
    TRY(p256_pair_generate(&pair));
    return genesis_hand_out(pair, set, dr_key, a, out, why);
}
