// Birth by genesis: what leaves with the members rebuilds the key, and nothing else is accepted.
#include "../cmocka_setup.h"

#include "base/hex.h"
#include "custody/genesis.h"
#include "crypto/p256.h"
#include "crypto/shamir.h"

#define MEMBERS 3

struct people {
    struct p256_pair *pairs[MEMBERS];
    struct member members[MEMBERS];
    struct genesis_set set;
    struct arena arena;
};

static const char *const names[MEMBERS] = {"alice", "bob", "carol"};

static int set_up(void **state)
{
    static struct people p;
    p = (struct people){.set = {.threshold = 2}};
    for (size_t i = 0; i < MEMBERS; i++) {
        if (p256_pair_generate(&p.pairs[i]) != Q_OK)
            return -1;
        p.members[i].alias = bytes_str(names[i]);
        p.members[i].pub_key = p256_public_bytes(p256_pair_public(p.pairs[i]));
    }
    p.set.members.items = p.members;
    p.set.members.n = MEMBERS;
    *state = &p;
    return 0;
}

static int tear_down(void **state)
{
    struct people *p = *state;
    for (size_t i = 0; i < MEMBERS; i++)
        p256_pair_free(&p->pairs[i]);
    arena_free(&p->arena);
    return 0;
}

static void open_share(const struct people *p, const struct genesis_output *g, size_t i,
                       struct secret *out)
{
    assert_ok(p256_open(p->pairs[i], g->member_outputs.items[i].encrypted_share, out));
    assert_int_equal(out->n, P256_SEED_SIZE + 1);
    assert_int_equal(out->p[0], i + 1);
    uint8_t hash[SHA512_SIZE];
    assert_ok(sha512(secret_bytes(out), hash));
    assert_memory_equal(hash, g->member_outputs.items[i].share_hash, sizeof hash);
}

static void rebuild(const struct people *p, const struct genesis_output *g, size_t i, size_t j)
{
    SECRET_AUTO a = {0};
    SECRET_AUTO b = {0};
    SECRET_AUTO seed = {0};
    open_share(p, g, i, &a);
    open_share(p, g, j, &b);
    struct bytes both[] = {secret_bytes(&a), secret_bytes(&b)};
    assert_ok(shamir_combine(both, 2, &seed));
    P256_PAIR_AUTO *pair = NULL;
    assert_ok(p256_pair_from_seed(secret_bytes(&seed), &pair));
    assert_bytes(p256_public_bytes(p256_pair_public(pair)), g->quorum_key);
}

static void any_two_of_three_rebuild_the_key(void **state)
{
    struct people *p = *state;
    struct genesis_output g;
    assert_ok(genesis_make(&p->set, BYTES_NONE, &p->arena, &g, NULL));
    for (size_t i = 0; i < MEMBERS; i++)
        for (size_t j = 0; j < MEMBERS; j++)
            if (i != j)
                rebuild(p, &g, i, j);
}

static void the_request_is_echoed_and_no_recovery_key_is_made_up(void **state)
{
    struct people *p = *state;
    struct genesis_output g;
    assert_ok(genesis_make(&p->set, BYTES_NONE, &p->arena, &g, NULL));
    assert_ok(genesis_output_matches(&g, &p->set, BYTES_NONE));
    assert_null(g.dr_key_wrapped_quorum_key.p);
    assert_int_equal(g.recovery_permutations.n, 0);
}

static void the_recovery_key_opens_the_whole_seed(void **state)
{
    struct people *p = *state;
    struct genesis_output g;
    P256_PAIR_AUTO *recovery = NULL;
    assert_ok(p256_pair_generate(&recovery));
    struct bytes dr_key = p256_public_bytes(p256_pair_public(recovery));
    assert_ok(genesis_make(&p->set, dr_key, &p->arena, &g, NULL));
    SECRET_AUTO seed = {0};
    assert_ok(p256_open(recovery, g.dr_key_wrapped_quorum_key, &seed));
    P256_PAIR_AUTO *pair = NULL;
    assert_ok(p256_pair_from_seed(secret_bytes(&seed), &pair));
    assert_bytes(p256_public_bytes(p256_pair_public(pair)), g.quorum_key);
    // quorum_key_hash is of the seed's hex text.
    SECRET_AUTO text = {0};
    uint8_t hash[SHA512_SIZE];
    assert_ok(hex_encode_secret(secret_bytes(&seed), &text));
    assert_ok(sha512(secret_bytes(&text), hash));
    assert_memory_equal(hash, g.quorum_key_hash, sizeof hash);
    SECRET_AUTO message = {0};
    assert_ok(p256_open(pair, g.test_message_ciphertext, &message));
    assert_bytes(secret_bytes(&message), BYTES_LIT(GENESIS_TEST_MESSAGE));
    assert_ok(p256_verify(p256_pair_public(pair), g.test_message, g.test_message_signature));
}

static void two_births_make_two_keys(void **state)
{
    struct people *p = *state;
    struct genesis_output a, b;
    assert_ok(genesis_make(&p->set, BYTES_NONE, &p->arena, &a, NULL));
    assert_ok(genesis_make(&p->set, BYTES_NONE, &p->arena, &b, NULL));
    assert_false(bytes_equal(a.quorum_key, b.quorum_key));
}

static void bad_sets_and_keys_are_refused(void **state)
{
    struct people *p = *state;
    struct genesis_output g;
    struct protocol_error why;
    uint8_t off_curve[P256_PUBLIC_SIZE] = {4};
    assert_int_equal(genesis_make(&p->set, BYTES_OF(off_curve), &p->arena, &g, &why), Q_REFUSED);
    assert_int_equal(why.tag, PE_INVALID_P256_DR_KEY);
    static const uint32_t thresholds[] = {0, 1, 4, 256, UINT32_MAX};
    for (size_t i = 0; i < sizeof thresholds / sizeof *thresholds; i++) {
        p->set.threshold = thresholds[i];
        assert_int_equal(genesis_make(&p->set, BYTES_NONE, &p->arena, &g, &why), Q_REFUSED);
        assert_int_equal(why.tag, PE_QOS_CRYPTO);
    }
    p->set.threshold = 2;
    p->members[2].alias = p->members[0].alias;
    assert_int_equal(genesis_make(&p->set, BYTES_NONE, &p->arena, &g, &why), Q_REFUSED);
    assert_int_equal(why.tag, PE_DUPLICATE_QUORUM_MEMBER);
    p->members[2].alias = bytes_str(names[2]);
    p->members[2].pub_key = BYTES_OF(off_curve);
    assert_int_equal(genesis_make(&p->set, BYTES_NONE, &p->arena, &g, &why), Q_REFUSED);
    assert_int_equal(why.tag, PE_P256_ERROR);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    if (secret_init(true) != Q_OK)
        return 1;
    const struct CMUnitTest tests[] = {
        TEST(any_two_of_three_rebuild_the_key),
        TEST(the_request_is_echoed_and_no_recovery_key_is_made_up),
        TEST(the_recovery_key_opens_the_whole_seed),
        TEST(two_births_make_two_keys),
        TEST(bad_sets_and_keys_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
