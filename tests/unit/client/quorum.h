// Three members, a genesis of theirs and a manifest for it, for the tests of the tools that look.
#ifndef QUORATE_TESTS_CLIENT_QUORUM_H
#define QUORATE_TESTS_CLIENT_QUORUM_H

#include "../folder.h"

#include "base/hex.h"
#include "client/manifest/member_signature.h"
#include "custody/genesis.h"
#include "protocol/manifest.h"
#include "tee/attestation.h"

#define QUORUM_MEMBERS 3
#define QUORUM_HELPER static inline __attribute__((unused))

static const char *const quorum_aliases[QUORUM_MEMBERS] = {"ann", "bob", "cyd"};

struct quorum {
    struct folder *folder;
    struct arena arena;
    struct p256_pair *pairs[QUORUM_MEMBERS], *stranger;
    struct member_key *keys[QUORUM_MEMBERS], *stranger_key; // the same ones
    struct member members[QUORUM_MEMBERS];
    struct genesis_output genesis;
    uint8_t pcr[SHA384_SIZE];
};

QUORUM_HELPER void quorum_pair(uint8_t seed_byte, struct p256_pair **out)
{
    uint8_t seed[P256_SEED_SIZE];
    memset(seed, seed_byte, sizeof seed);
    assert_ok(p256_pair_from_seed(BYTES_OF(seed), out));
}

QUORUM_HELPER void quorum_key(uint8_t seed_byte, struct member_key **out)
{
    struct p256_pair *pair = NULL;
    quorum_pair(seed_byte, &pair);
    assert_ok(member_key_from_pair(&pair, out));
}

QUORUM_HELPER int quorum_make(void **state)
{
    void *folder;
    assert_int_equal(folder_make(&folder), 0);
    struct quorum *q = calloc(1, sizeof *q);
    assert_non_null(q);
    q->folder = folder;
    memset(q->pcr, 0xab, sizeof q->pcr);
    for (size_t i = 0; i < QUORUM_MEMBERS; i++) {
        quorum_pair((uint8_t)(i + 1), &q->pairs[i]);
        quorum_key((uint8_t)(i + 1), &q->keys[i]);
        q->members[i] = member_of(quorum_aliases[i], q->keys[i]);
    }
    quorum_pair(99, &q->stranger);
    quorum_key(99, &q->stranger_key);
    const struct genesis_set set = {.threshold = 2,
                                    .members = {.items = q->members, .n = QUORUM_MEMBERS}};
    struct protocol_error why;
    assert_ok(genesis_make(&set, BYTES_NONE, &q->arena, &q->genesis, &why));
    *state = q;
    return 0;
}

QUORUM_HELPER int quorum_remove(void **state)
{
    struct quorum *q = *state;
    void *folder = q->folder;
    for (size_t i = 0; i < QUORUM_MEMBERS; i++) {
        p256_pair_free(&q->pairs[i]);
        member_key_free(&q->keys[i]);
    }
    p256_pair_free(&q->stranger);
    member_key_free(&q->stranger_key);
    arena_free(&q->arena);
    free(q);
    return folder_remove(&folder);
}

QUORUM_HELPER struct manifest quorum_manifest(struct quorum *q, uint32_t nonce)
{
    const struct member_set set = {.threshold = 2,
                                   .members = {.items = q->members, .n = QUORUM_MEMBERS}};
    struct bytes pcr = BYTES_OF(q->pcr);
    return (struct manifest){
        .version = MANIFEST_V1,
        .namespace = {BYTES_LIT("test"), nonce, q->genesis.quorum_key},
        .manifest_set = set,
        .share_set = set,
        .enclave = {.pcr0 = pcr,
                    .pcr1 = pcr,
                    .pcr2 = pcr,
                    .pcr3 = pcr,
                    .root_certificate = attestation_aws_root,
                    .qos_commit = BYTES_LIT("")},
    };
}

QUORUM_HELPER void quorum_put_manifest(struct quorum *q, const char *name, uint32_t nonce)
{
    BUF_AUTO json = {0};
    const struct manifest m = quorum_manifest(q, nonce);
    assert_ok(manifest_store(&m, &json));
    folder_file(q->folder, name, buf_text(&json));
}

QUORUM_HELPER void quorum_put_approval(struct quorum *q, const char *name,
                                       const struct member_key *key, const char *alias,
                                       uint32_t nonce)
{
    BUF_AUTO json = {0};
    uint8_t hash[SHA256_SIZE];
    const struct manifest m = quorum_manifest(q, nonce);
    assert_ok(manifest_hash(&m, hash));
    assert_ok(approval_make(key, alias, hash, &json));
    folder_file(q->folder, name, buf_text(&json));
}

QUORUM_HELPER void quorum_put_key(struct quorum *q, const char *name, const struct p256_pair *pair)
{
    BUF_AUTO hex = {0};
    assert_ok(hex_encode(p256_public_bytes(p256_pair_public(pair)), &hex));
    folder_file(q->folder, name, buf_text(&hex));
}

#endif
