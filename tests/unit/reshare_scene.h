// A resharing for unit tests: old members with the shares of a quorum key, new members, a manifest set, and a
// plan that they would approve. Include it after cmocka_setup.h.
#ifndef QUORATE_TESTS_RESHARE_SCENE_H
#define QUORATE_TESTS_RESHARE_SCENE_H

#include "crypto/p256.h"
#include "crypto/shamir.h"
#include "protocol/manifest.h"
#include "protocol/reshare.h"

#define OLD 3
#define NEW 4
#define SCENE_PEOPLE (OLD + NEW) // the old members are the manifest set, too
#define SCENE_SHARE_SIZE (P256_SEED_SIZE + 1)

struct reshare_scene {
    struct p256_pair *pairs[SCENE_PEOPLE], *quorum;
    struct member people[SCENE_PEOPLE];
    struct secret shares; // OLD of them, of threshold two
    struct share_hash hashes[OLD];
    struct reshare_plan plan;
    uint8_t hash[SHA256_SIZE];
    uint8_t signatures[2][OLD][P256_SIGNATURE_SIZE];
    struct approval approvals[2][OLD]; // by role
};

static inline struct bytes scene_share(const struct reshare_scene *s, size_t i)
{
    return bytes_of(s->shares.p + i * SCENE_SHARE_SIZE, SCENE_SHARE_SIZE);
}

static inline struct member_set scene_set(struct member *members, size_t n, uint32_t threshold)
{
    return (struct member_set){.threshold = threshold, .members = {members, n}};
}

// Hash and approvals of the plan as it is now.
static inline void scene_approve(struct reshare_scene *s)
{
    assert_ok(reshare_plan_hash(&s->plan, s->hash));
    for (int role = 0; role < 2; role++)
        for (size_t i = 0; i < OLD; i++) {
            BUF_AUTO message = {0};
            assert_ok(reshare_approval_message((enum reshare_role)role, s->hash, &message));
            assert_ok(p256_sign(s->pairs[i], buf_bytes(&message), s->signatures[role][i]));
            s->approvals[role][i] = (struct approval){.signature = BYTES_OF(s->signatures[role][i]),
                                                      .member = s->people[i]};
        }
}

static inline void scene_open(struct reshare_scene *s)
{
    static const char *const names[SCENE_PEOPLE] = {"alice", "bob",   "carol", "dora",
                                                    "emil",  "freda", "gus"};
    *s = (struct reshare_scene){0};
    for (size_t i = 0; i < SCENE_PEOPLE; i++) {
        assert_ok(p256_pair_generate(&s->pairs[i]));
        s->people[i] = (struct member){.alias = bytes_str(names[i]),
                                       .pub_key = p256_public_bytes(p256_pair_public(s->pairs[i]))};
    }
    assert_ok(p256_pair_generate(&s->quorum));
    assert_ok(shamir_split(p256_pair_seed(s->quorum), OLD, 2, &s->shares));
    for (size_t i = 0; i < OLD; i++)
        assert_ok(sha512(scene_share(s, i), s->hashes[i].bytes));
    const struct bytes pcr = BYTES_LIT("pcr");
    s->plan = (struct reshare_plan){
        .format = BYTES_LIT(RESHARE_PLAN_FORMAT),
        .namespace = BYTES_LIT("tests"),
        .epoch = 1,
        .quorum_key = p256_public_bytes(p256_pair_public(s->quorum)),
        .old_share_set = scene_set(s->people, OLD, 2),
        .old_share_hashes = {s->hashes, OLD},
        .new_share_set = scene_set(s->people + OLD, NEW, 3),
        .manifest_set = scene_set(s->people, OLD, 2),
        .enclave = {pcr, pcr, pcr, pcr, BYTES_LIT("root"), BYTES_LIT("")},
    };
    scene_approve(s);
}

static inline void scene_close(struct reshare_scene *s)
{
    for (size_t i = 0; i < SCENE_PEOPLE; i++)
        p256_pair_free(&s->pairs[i]);
    p256_pair_free(&s->quorum);
    secret_free(&s->shares);
}

static inline int scene_setup(void **state)
{
    static struct reshare_scene scene;
    scene_open(&scene);
    *state = &scene;
    return 0;
}

static inline int scene_teardown(void **state)
{
    scene_close(*state);
    return 0;
}

#endif
