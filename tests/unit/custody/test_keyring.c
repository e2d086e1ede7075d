// The keyring and its one door.
#include "../cmocka_setup.h"

#include "custody/keyring.h"

static void put(struct keyring *k, uint32_t id, unsigned uses)
{
    P256_PAIR_AUTO *pair = NULL;
    assert_ok(p256_pair_generate(&pair));
    struct key_description what = {.id = id, .suite = SUITE_QOS_P256, .uses = uses};
    assert_ok(keyring_put(k, &what, &pair));
    assert_null(pair);
}

static void every_use_that_is_not_allowed_is_refused(void **state)
{
    (void)state;
    static const enum key_use uses[] = {USE_SIGN,   USE_OPEN,    USE_SEAL,
                                        USE_DERIVE, USE_RELEASE, USE_EXPORT};
    for (size_t allowed = 0; allowed < sizeof uses / sizeof *uses; allowed++) {
        KEYRING_AUTO *k = NULL;
        assert_ok(keyring_new(&k));
        put(k, KEY_QUORUM, uses[allowed]);
        for (size_t u = 0; u < sizeof uses / sizeof *uses; u++) {
            SECRET_AUTO out = {0};
            enum q_err err = custody_use(k, KEY_QUORUM, uses[u], BYTES_LIT("x"), &out);
            if (u != allowed)
                assert_int_equal(err, Q_REFUSED);
            else if (uses[u] == USE_OPEN || uses[u] == USE_EXPORT)
                assert_int_equal(err, Q_CRYPTO); // "x" is no envelope, and no public key
            else
                assert_int_equal(err, Q_OK);
            assert_true(err == Q_OK || out.p == NULL);
        }
    }
}

static void what_is_sealed_opens_and_what_is_signed_verifies(void **state)
{
    (void)state;
    KEYRING_AUTO *k = NULL;
    assert_ok(keyring_new(&k));
    put(k, KEY_QUORUM, USE_SIGN | USE_OPEN | USE_SEAL);
    SECRET_AUTO envelope = {0};
    SECRET_AUTO plaintext = {0};
    SECRET_AUTO signature = {0};
    assert_ok(custody_use(k, KEY_QUORUM, USE_SEAL, BYTES_LIT("seed"), &envelope));
    assert_ok(custody_use(k, KEY_QUORUM, USE_OPEN, secret_bytes(&envelope), &plaintext));
    assert_bytes(secret_bytes(&plaintext), BYTES_LIT("seed"));
    assert_ok(custody_use(k, KEY_QUORUM, USE_SIGN, BYTES_LIT("text"), &signature));
    const struct p256_public *key = keyring_public(k, KEY_QUORUM);
    assert_ok(p256_verify(key, BYTES_LIT("text"), secret_bytes(&signature)));
}

static void what_is_exported_is_the_seed_and_opens_for_its_receiver_alone(void **state)
{
    (void)state;
    KEYRING_AUTO *k = NULL;
    assert_ok(keyring_new(&k));
    put(k, KEY_QUORUM, USE_EXPORT | USE_RELEASE);
    put(k, KEY_SETUP, USE_OPEN);
    put(k, KEY_LIVE, USE_OPEN);
    SECRET_AUTO envelope = {0};
    SECRET_AUTO seed = {0};
    SECRET_AUTO none = {0};
    P256_PAIR_AUTO *again = NULL;
    struct bytes receiver = p256_public_bytes(keyring_public(k, KEY_SETUP));
    assert_ok(custody_use(k, KEY_QUORUM, USE_EXPORT, receiver, &envelope));
    assert_int_not_equal(custody_use(k, KEY_LIVE, USE_OPEN, secret_bytes(&envelope), &none), Q_OK);
    assert_ok(custody_use(k, KEY_SETUP, USE_OPEN, secret_bytes(&envelope), &seed));
    assert_ok(p256_pair_from_seed(secret_bytes(&seed), &again));
    assert_bytes(p256_public_bytes(p256_pair_public(again)),
                 p256_public_bytes(keyring_public(k, KEY_QUORUM)));
}

static void derived_keys_differ_by_label_and_repeat(void **state)
{
    (void)state;
    KEYRING_AUTO *k = NULL;
    assert_ok(keyring_new(&k));
    put(k, KEY_QUORUM, USE_DERIVE);
    SECRET_AUTO a = {0};
    SECRET_AUTO again = {0};
    SECRET_AUTO b = {0};
    assert_ok(custody_use(k, KEY_QUORUM, USE_DERIVE, BYTES_LIT("a"), &a));
    assert_ok(custody_use(k, KEY_QUORUM, USE_DERIVE, BYTES_LIT("a"), &again));
    assert_ok(custody_use(k, KEY_QUORUM, USE_DERIVE, BYTES_LIT("b"), &b));
    assert_int_equal(a.n, KEY_DERIVED_SIZE);
    assert_true(secret_equal(secret_bytes(&a), secret_bytes(&again)));
    assert_false(secret_equal(secret_bytes(&a), secret_bytes(&b)));
}

// Known answer: python3-cryptography HKDF(SHA512, 32, salt=b"quorate-derive-v1", info=b"label") of 32 x 0x07.
static void derivation_is_hkdf_sha512(void **state)
{
    (void)state;
    static const uint8_t expected[KEY_DERIVED_SIZE] = {
        0x92, 0x1c, 0x30, 0x0c, 0xfb, 0xd1, 0x39, 0xa7, 0xf0, 0xcf, 0x94,
        0xa5, 0x5d, 0x03, 0x9a, 0xf1, 0x71, 0x2c, 0x2a, 0xc1, 0xe5, 0x67,
        0x4b, 0xd4, 0xd2, 0x22, 0x20, 0xe9, 0x2d, 0xd2, 0xe6, 0x57};
    uint8_t seed[P256_SEED_SIZE];
    memset(seed, 7, sizeof seed);
    P256_PAIR_AUTO *pair = NULL;
    assert_ok(p256_pair_from_seed(BYTES_OF(seed), &pair));
    KEYRING_AUTO *k = NULL;
    assert_ok(keyring_new(&k));
    struct key_description what = {.suite = SUITE_QOS_P256, .uses = USE_DERIVE};
    assert_ok(keyring_put(k, &what, &pair));
    SECRET_AUTO out = {0};
    assert_ok(custody_use(k, 0, USE_DERIVE, BYTES_LIT("label"), &out));
    assert_bytes(secret_bytes(&out), BYTES_OF(expected));
}

static void a_forgotten_secret_leaves_the_public_half_only(void **state)
{
    (void)state;
    KEYRING_AUTO *k = NULL;
    assert_ok(keyring_new(&k));
    put(k, KEY_SETUP, USE_OPEN | USE_SEAL);
    SECRET_AUTO out = {0};
    assert_ok(custody_use(k, KEY_SETUP, USE_SEAL, BYTES_LIT("x"), &out));
    keyring_forget_secret(k, KEY_SETUP);
    SECRET_AUTO opened = {0};
    assert_refused(custody_use(k, KEY_SETUP, USE_OPEN, secret_bytes(&out), &opened), Q_MISSING,
                   "gone");
    assert_non_null(keyring_public(k, KEY_SETUP));
    assert_int_equal(keyring_describe(k, KEY_SETUP)->uses, USE_OPEN | USE_SEAL);
    keyring_remove(k, KEY_SETUP);
    assert_null(keyring_public(k, KEY_SETUP));
    assert_null(keyring_describe(k, KEY_SETUP));
}

static void an_id_is_taken_once_and_within_the_ring(void **state)
{
    (void)state;
    KEYRING_AUTO *k = NULL;
    assert_ok(keyring_new(&k));
    put(k, KEY_QUORUM, USE_SIGN);
    P256_PAIR_AUTO *pair = NULL;
    assert_ok(p256_pair_generate(&pair));
    struct key_description what = {.id = KEY_QUORUM, .suite = SUITE_QOS_P256, .uses = USE_SIGN};
    assert_refused(keyring_put(k, &what, &pair), Q_INTERNAL, "there already");
    what.id = KEYRING_SIZE;
    assert_refused(keyring_put(k, &what, &pair), Q_INTERNAL, "below");
    what = (struct key_description){.id = KEY_LIVE, .suite = (enum key_suite)99};
    assert_refused(keyring_put(k, &what, &pair), Q_INTERNAL, "suite");
    assert_non_null(pair);
    SECRET_AUTO out = {0};
    assert_refused(custody_use(k, KEYRING_SIZE, USE_SIGN, BYTES_LIT("x"), &out), Q_MISSING,
                   "no key");
    assert_refused(custody_use(k, KEY_LIVE, USE_SIGN, BYTES_LIT("x"), &out), Q_MISSING, "no key");
}

static void an_envelope_for_a_purpose_is_made_by_the_door_too(void **state)
{
    (void)state;
    KEYRING_AUTO *k = NULL;
    BUF_AUTO envelope = {0};
    SECRET_AUTO opened = {0};
    const struct key_description may = {
        .id = 1, .suite = SUITE_RENCLAVE_P256, .uses = USE_SEAL | USE_OPEN};
    const struct key_description may_not = {.id = 2, .suite = SUITE_QOS_P256, .uses = USE_OPEN};
    assert_ok(keyring_new(&k));
    assert_ok(keyring_generate(k, &may));
    assert_ok(keyring_generate(k, &may_not));
    assert_ok(custody_seal_for(k, 1, BYTES_LIT("one"), BYTES_LIT("text"), &envelope));
    assert_int_equal(
        custody_use_for(k, 1, USE_OPEN, BYTES_LIT("two"), buf_bytes(&envelope), &opened), Q_CRYPTO);
    assert_ok(custody_use_for(k, 1, USE_OPEN, BYTES_LIT("one"), buf_bytes(&envelope), &opened));
    assert_bytes(secret_bytes(&opened), BYTES_LIT("text"));
    buf_clear(&envelope);
    assert_int_equal(custody_seal_for(k, 2, BYTES_LIT("one"), BYTES_LIT("text"), &envelope),
                     Q_REFUSED);
    assert_int_equal(custody_seal_for(k, 3, BYTES_LIT("one"), BYTES_LIT("text"), &envelope),
                     Q_MISSING);
    assert_int_equal(envelope.n, 0);
}

int main(void)
{
    if (secret_init(true) != Q_OK)
        return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_use_that_is_not_allowed_is_refused),
        cmocka_unit_test(what_is_sealed_opens_and_what_is_signed_verifies),
        cmocka_unit_test(what_is_exported_is_the_seed_and_opens_for_its_receiver_alone),
        cmocka_unit_test(derived_keys_differ_by_label_and_repeat),
        cmocka_unit_test(derivation_is_hkdf_sha512),
        cmocka_unit_test(a_forgotten_secret_leaves_the_public_half_only),
        cmocka_unit_test(an_id_is_taken_once_and_within_the_ring),
        cmocka_unit_test(an_envelope_for_a_purpose_is_made_by_the_door_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
