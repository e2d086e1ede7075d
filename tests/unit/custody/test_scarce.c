// Shares and keys when memory runs out or OpenSSL fails: nothing is taken because of that, nothing leaks, and the
// same shares make the key once all is well again.
#include "../cmocka_setup.h"

#include "../failing/failing_calls.h"
#include "../folder.h"

#include "base/clock.h"
#include "custody/genesis.h"
#include "custody/keyring.h"
#include "custody/policy_forward.h"
#include "custody/shares.h"

#define MEMBERS 3
#define LONG_NAME 255 // shown, it fills a buffer's first size

static struct scene {
    struct member people[MEMBERS];
    struct member_set set;
    struct p256_pair *key, *member;
    struct secret shares;
    struct bytes wanted;
} scene;

static const struct namespace scene_namespace = {
    .name = {(const uint8_t *)"space", 5}, .nonce = 3, .quorum_key = {(const uint8_t *)"key", 3}};

static int set_up(void **state)
{
    (void)state;
    static char names[MEMBERS][LONG_NAME + 1];
    for (size_t i = 0; i < MEMBERS; i++) {
        memset(names[i], 'a' + (int)i, LONG_NAME);
        scene.people[i] =
            (struct member){.alias = bytes_str(names[i]), .pub_key = bytes_str(names[i])};
    }
    scene.set = (struct member_set){.threshold = 2};
    scene.set.members.items = scene.people;
    scene.set.members.n = MEMBERS;
    assert_ok(p256_pair_generate(&scene.key));
    assert_ok(p256_pair_generate(&scene.member));
    assert_ok(shamir_split(p256_pair_seed(scene.key), MEMBERS, 2, &scene.shares));
    scene.wanted = p256_public_bytes(p256_pair_public(scene.key));
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    p256_pair_free(&scene.key);
    p256_pair_free(&scene.member);
    secret_free(&scene.shares);
    return 0;
}

static enum q_err hold(size_t member, bool bound, struct share_list *list)
{
    static const uint8_t signature[P256_SIGNATURE_SIZE];
    struct share_list next;
    struct secret plaintext = {0};
    struct held_share *posted = NULL;
    TRY(secret_copy(&plaintext, bytes_of(scene.shares.p + member * SHARE_SIZE, SHARE_SIZE)));
    TRY(held_share_new(member, bound, signature, &plaintext, &posted, NULL));
    enum q_err err = shares_with(list, posted, &scene.set, &next, NULL);
    if (err == Q_OK)
        shares_become(list, &next, posted);
    else
        held_share_free(&posted);
    return err;
}

// From posting to the key; *context says which key is wanted.
static bool rebuild(void *context)
{
    const struct bytes *wanted = context;
    struct share_list list = {.n = 0};
    P256_PAIR_AUTO *pair = NULL;
    ARENA_AUTO a = {0};
    struct manifest_envelope envelope = {0};
    struct protocol_error why;
    enum q_err err = hold(0, true, &list);
    if (err == Q_OK)
        err = hold(1, false, &list);
    if (err == Q_OK)
        err = shares_approvals(&list, &scene.set, &a, &envelope);
    if (err == Q_OK)
        err = shares_combine(&list, &scene.set, *wanted, &pair, &why);
    shares_release(&list);
    assert_int_equal(err == Q_OK, pair != NULL);
    return err == Q_OK;
}

static void the_key_is_rebuilt_after_every_failure(void **state)
{
    (void)state;
    assert_true(failing_each(FAILING_MEMORY, rebuild, &scene.wanted) > 4);
    assert_true(failing_each(FAILING_CRYPTO, rebuild, &scene.wanted) > 4);
    assert_true(rebuild(&scene.wanted));
}

static void another_key_stays_refused_whatever_fails(void **state)
{
    (void)state;
    struct bytes other = p256_public_bytes(p256_pair_public(scene.member));
    for (int kind = 0; kind < FAILING_FILES; kind++)
        for (unsigned n = 0; n < 60; n++) {
            failing_at((enum failing_kind)kind, n);
            assert_false(rebuild(&other));
            (void)failing_stop();
        }
}

static bool refuse_others(void *context)
{
    (void)context;
    struct share_list list = {.n = 0};
    bool kept = hold(0, true, &list) == Q_OK && hold(0, false, &list) == Q_OK;
    shares_release(&list);
    assert_false(kept); // an unsigned share never takes the place of a signed one
    return false;
}

static void a_refusal_stays_one_when_its_sentence_has_no_memory(void **state)
{
    (void)state;
    (void)refuse_others(NULL);
    (void)failing_each(FAILING_MEMORY, refuse_others, NULL);
}

static bool name_the_unsigned(void *context)
{
    (void)context;
    struct share_list list = {.n = 0};
    BUF_AUTO names = {0};
    bool good = hold(0, false, &list) == Q_OK && hold(1, false, &list) == Q_OK &&
                shares_unsigned_aliases(&list, &scene.set, &names) == Q_OK;
    shares_release(&list);
    return good;
}

static void long_names_meet_allocations_that_fail(void **state)
{
    (void)state;
    assert_true(name_the_unsigned(NULL));
    assert_true(failing_each(FAILING_MEMORY, name_the_unsigned, NULL) > 4);
}

static bool use_the_key(void *context)
{
    (void)context;
    KEYRING_AUTO *ring = NULL;
    P256_PAIR_AUTO *pair = NULL;
    static const enum key_use uses[] = {USE_SIGN, USE_SEAL, USE_DERIVE, USE_RELEASE};
    const struct key_description what = {.id = KEY_QUORUM,
                                         .suite = SUITE_QOS_P256,
                                         .uses = USE_SIGN | USE_SEAL | USE_OPEN | USE_DERIVE |
                                                 USE_RELEASE};
    bool good = keyring_new(&ring) == Q_OK &&
                p256_pair_from_seed(p256_pair_seed(scene.key), &pair) == Q_OK &&
                keyring_put(ring, &what, &pair) == Q_OK;
    for (size_t i = 0; good && i < sizeof uses / sizeof *uses; i++) {
        SECRET_AUTO out = {0};
        SECRET_AUTO opened = {0};
        good = custody_use(ring, KEY_QUORUM, uses[i], BYTES_LIT("message"), &out) == Q_OK;
        if (good && uses[i] == USE_SEAL)
            good = custody_use(ring, KEY_QUORUM, USE_OPEN, secret_bytes(&out), &opened) == Q_OK;
    }
    return good;
}

static void the_keyring_s_door_meets_calls_that_fail(void **state)
{
    (void)state;
    assert_true(use_the_key(NULL));
    assert_true(failing_each(FAILING_MEMORY, use_the_key, NULL) > 8);
    assert_true(failing_each(FAILING_CRYPTO, use_the_key, NULL) > 40);
    assert_true(use_the_key(NULL));
}

struct passing {
    struct tee *tee;
    struct buf document;
};

static enum q_err say_yes(const void *terms, const struct transfer_sides *sides, struct arena *a,
                          struct protocol_error *why)
{
    (void)terms;
    (void)a;
    (void)why;
    assert_true(sides->peer.verified);
    return Q_OK;
}

static bool pass_the_key_on(void *context)
{
    const struct passing *p = context;
    KEYRING_AUTO *ring = NULL;
    P256_PAIR_AUTO *pair = NULL;
    SECRET_AUTO seed = {0};
    TRANSFER_ENVELOPE_AUTO made = {.sealed = {0}};
    ARENA_AUTO a = {0};
    struct protocol_error why;
    const struct key_description what = {
        .id = KEY_QUORUM, .suite = SUITE_QOS_P256, .uses = USE_SIGN | USE_EXPORT};
    if (keyring_new(&ring) != Q_OK ||
        p256_pair_from_seed(p256_pair_seed(scene.key), &pair) != Q_OK ||
        keyring_put(ring, &what, &pair) != Q_OK)
        return false;
    const struct transfer t = {.tee = p->tee,
                               .evidence = buf_bytes(&p->document),
                               .policy = {.ask = say_yes},
                               .payload = {.keyring = ring, .key = KEY_QUORUM},
                               .sink = transfer_to_envelope(&made)};
    if (transfer(&t, &a, &why) != Q_OK)
        return false;
    return p256_open(scene.member, secret_bytes(&made.sealed), &seed) == Q_OK &&
           secret_equal(secret_bytes(&seed), p256_pair_seed(scene.key));
}

static void passing_a_key_on_meets_calls_that_fail(void **state)
{
    (void)state;
    void *folder;
    struct passing p = {.tee = NULL};
    (void)folder_make(&folder);
    const struct tee_options options = {.provider = "sim",
                                        .sim_dir = ((struct folder *)folder)->path,
                                        .mock = true,
                                        .clock = &clock_wall};
    assert_ok(tee_open(&options, &p.tee));
    assert_ok(tee_attest(p.tee, BYTES_NONE, BYTES_NONE,
                         p256_public_bytes(p256_pair_public(scene.member)), &p.document));
    assert_true(pass_the_key_on(&p));
    assert_true(failing_each(FAILING_MEMORY, pass_the_key_on, &p) > 8);
    assert_true(failing_each(FAILING_CRYPTO, pass_the_key_on, &p) > 40);
    assert_true(pass_the_key_on(&p));
    tee_close(&p.tee);
    buf_free(&p.document);
    (void)folder_remove(&folder);
}

// Every refusal of the policy, with two members who approve and a manifest that is not right.
static bool allow(void *context)
{
    struct manifest *ours = context;
    ARENA_AUTO a = {0};
    struct protocol_error why;
    uint8_t hash[SHA256_SIZE], signature[P256_SIGNATURE_SIZE];
    struct approval approval = {.member = ours->manifest_set.members.items[0]};
    struct manifest_envelope theirs = {.manifest = *ours};
    theirs.manifest.namespace = scene_namespace;
    if (manifest_hash(&theirs.manifest, hash) != Q_OK ||
        p256_sign(scene.member, BYTES_OF(hash), signature) != Q_OK)
        return false;
    approval.signature = BYTES_OF(signature);
    theirs.manifest_set_approvals.items = &approval;
    theirs.manifest_set_approvals.n = 1;
    const struct forward_terms terms = {.ours = ours, .theirs = &theirs};
    return forward_check_manifests(&terms, &a, &why) == Q_OK;
}

static void a_forward_s_refusals_stay_ones_whatever_fails(void **state)
{
    (void)state;
    struct member member = {.alias = BYTES_LIT("alice"),
                            .pub_key = p256_public_bytes(p256_pair_public(scene.member))};
    struct manifest ours = {.version = MANIFEST_V1, .namespace = scene_namespace};
    ours.manifest_set = (struct member_set){.threshold = 1};
    ours.manifest_set.members.items = &member;
    ours.manifest_set.members.n = 1;
    ours.share_set = scene.set;
    assert_true(allow(&ours));
    assert_true(failing_each(FAILING_MEMORY, allow, &ours) > 4);
    assert_true(failing_each(FAILING_CRYPTO, allow, &ours) > 4);
    struct namespace wrong[] = {scene_namespace, scene_namespace, scene_namespace};
    wrong[0].nonce = 9;
    wrong[1].name = BYTES_LIT("other");
    wrong[2].quorum_key = BYTES_LIT("other");
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        ours.namespace = wrong[i];
        assert_false(allow(&ours));
        for (int kind = 0; kind < FAILING_FILES; kind++)
            for (unsigned n = 0; n < 30; n++) {
                failing_at((enum failing_kind)kind, n);
                assert_false(allow(&ours));
                (void)failing_stop();
            }
    }
}

static bool make_genesis(void *context)
{
    (void)context;
    ARENA_AUTO a = {0};
    struct genesis_output out;
    struct protocol_error why;
    struct member members[2] = {{.alias = BYTES_LIT("alice")}, {.alias = BYTES_LIT("bob")}};
    struct genesis_set set = {.threshold = 2};
    members[0].pub_key = scene.wanted;
    members[1].pub_key = p256_public_bytes(p256_pair_public(scene.member));
    set.members.items = members;
    set.members.n = 2;
    return genesis_make(&set, members[1].pub_key, &a, &out, &why) == Q_OK;
}

static void genesis_meets_calls_that_fail(void **state)
{
    (void)state;
    assert_true(make_genesis(NULL));
    assert_true(failing_each(FAILING_MEMORY, make_genesis, NULL) > 8);
    assert_true(failing_each(FAILING_CRYPTO, make_genesis, NULL) > 40);
    assert_true(make_genesis(NULL));
}

#define SCENE_TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCENE_TEST(the_key_is_rebuilt_after_every_failure),
        SCENE_TEST(another_key_stays_refused_whatever_fails),
        SCENE_TEST(a_refusal_stays_one_when_its_sentence_has_no_memory),
        SCENE_TEST(long_names_meet_allocations_that_fail),
        SCENE_TEST(the_keyring_s_door_meets_calls_that_fail),
        SCENE_TEST(genesis_meets_calls_that_fail),
        SCENE_TEST(passing_a_key_on_meets_calls_that_fail),
        SCENE_TEST(a_forward_s_refusals_stay_ones_whatever_fails),
    };
    return cmocka_run_group_tests_name("custody/scarce", tests, NULL, NULL);
}
