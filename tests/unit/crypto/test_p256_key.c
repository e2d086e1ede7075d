// Key pairs from seeds and public keys from others: qos-wire 1.1 and 1.2.
#include "../vector_file.h"
#include "fixed_random.h"

#include "crypto/p256_internal.h"

#include <openssl/crypto.h>

// Also checks the derived secrets, which no public function gives away.
static void check_pair(struct vector_file *f, const json_t *v, const char *seed,
                       const char *encrypt, const char *sign, const char *aes, const char *public)
{
    P256_PAIR_AUTO *pair = NULL;
    uint8_t point[P256_POINT_SIZE];
    assert_ok(p256_pair_from_seed(vector_hex(f, v, seed), &pair));
    assert_bytes(p256_pair_seed(pair), vector_hex(f, v, seed));
    assert_bytes(p256_public_bytes(p256_pair_public(pair)), vector_hex(f, v, public));
    assert_bytes(BYTES_OF(p256_pair_secrets(pair)->aes_key), vector_hex(f, v, aes));
    const char *const scalars[] = {encrypt, sign};
    for (size_t i = 0; i < 2; i++) {
        EC_KEY_AUTO *key = NULL;
        assert_ok(ec_key_from_scalar(&ec_p256, vector_hex(f, v, scalars[i]), &key));
        assert_ok(ec_key_point(&ec_p256, key, point));
        assert_memory_equal(point, pair->public.bytes + i * P256_POINT_SIZE, P256_POINT_SIZE);
    }
}

static void pairs_derive_from_their_seeds(void **state)
{
    (void)state;
    VECTOR_FILE_AUTO f;
    vector_file_own(&f, "crypto/p256_keys.json");
    size_t i;
    json_t *v;
    json_array_foreach(vector_field(f.root, "pairs"), i, v)
        check_pair(&f, v, "seed", "encrypt_scalar", "sign_scalar", "aes_key", "public");
    assert_true(i >= 6);
}

static void pairs_of_the_shared_vectors_derive_from_their_seeds(void **state)
{
    (void)state;
    VECTOR_FILE_AUTO f;
    vector_file_shared(&f, "vectors/qos/crypto/keypairs.json");
    size_t i;
    json_t *v;
    json_array_foreach(f.root, i, v) check_pair(&f, v, "master_seed", "encrypt_secret",
                                                "sign_secret", "aes_gcm_secret", "public_key");
    assert_true(i > 0);
}

static void seeds_of_other_lengths_are_refused(void **state)
{
    (void)state;
    const uint8_t seed[P256_SEED_SIZE + 1] = {1};
    const size_t lengths[] = {0, 1, P256_SEED_SIZE - 1, P256_SEED_SIZE + 1};
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        P256_PAIR_AUTO *pair = NULL;
        assert_refused(p256_pair_from_seed(bytes_of(seed, lengths[i]), &pair), Q_CRYPTO,
                       "InvalidMasterSeed: ");
        assert_int_equal(err_detail(), P256_INVALID_MASTER_SEED);
        assert_null(pair);
    }
}

static void a_generated_pair_is_the_one_of_its_random_seed(void **state)
{
    (void)state;
    uint8_t seed[P256_SEED_SIZE];
    memset(seed, 0x5a, sizeof seed);
    P256_PAIR_AUTO *generated = NULL;
    P256_PAIR_AUTO *expected = NULL;
    fixed_random(BYTES_OF(seed));
    enum q_err err = p256_pair_generate(&generated);
    assert_int_equal(fixed_random_end(), 0);
    assert_ok(err);
    assert_ok(p256_pair_from_seed(BYTES_OF(seed), &expected));
    assert_bytes(p256_pair_seed(generated), BYTES_OF(seed));
    assert_memory_equal(p256_pair_public(generated)->bytes, p256_pair_public(expected)->bytes,
                        P256_PUBLIC_SIZE);
}

static void two_generated_pairs_differ(void **state)
{
    (void)state;
    P256_PAIR_AUTO *a = NULL;
    P256_PAIR_AUTO *b = NULL;
    assert_ok(p256_pair_generate(&a));
    assert_ok(p256_pair_generate(&b));
    assert_false(bytes_equal(p256_pair_seed(a), p256_pair_seed(b)));
}

static void generate_fails_when_randomness_fails(void **state)
{
    (void)state;
    P256_PAIR_AUTO *pair = NULL;
    fixed_random(BYTES_LIT("too short"));
    enum q_err err = p256_pair_generate(&pair);
    fixed_random_end();
    assert_refused(err, Q_BAD_INPUT, "IOError: ");
    assert_int_equal(err_detail(), P256_IO_ERROR);
    assert_null(pair);
}

static void freeing_a_pair_twice_is_harmless(void **state)
{
    (void)state;
    struct p256_pair *pair = NULL;
    p256_pair_free(&pair);
    assert_ok(p256_pair_generate(&pair));
    p256_pair_free(&pair);
    assert_null(pair);
    p256_pair_free(&pair);
}

static void scalars_give_their_points(void **state)
{
    (void)state;
    VECTOR_FILE_AUTO f;
    vector_file_own(&f, "crypto/p256_keys.json");
    size_t i;
    json_t *v;
    json_array_foreach(vector_field(f.root, "scalars"), i, v)
    {
        EC_KEY_AUTO *key = NULL;
        uint8_t point[P256_POINT_SIZE];
        assert_ok(ec_key_from_scalar(&ec_p256, vector_hex(&f, v, "scalar"), &key));
        assert_ok(ec_key_point(&ec_p256, key, point));
        assert_bytes(BYTES_OF(point), vector_hex(&f, v, "point"));
    }
    assert_true(i > 0);
}

static void scalars_outside_1_to_n_minus_1_are_refused(void **state)
{
    (void)state;
    VECTOR_FILE_AUTO f;
    vector_file_own(&f, "crypto/p256_keys.json");
    size_t i;
    json_t *v;
    json_array_foreach(vector_field(f.root, "refused_scalars"), i, v)
    {
        EC_KEY_AUTO *key = NULL;
        assert_refused(ec_key_from_scalar(&ec_p256, vector_hex_value(&f, v), &key), Q_CRYPTO,
                       "P-256 scalar: expected");
        assert_null(key);
    }
    assert_true(i > 0);
}

static void every_public_key_of_a_pair_parses(void **state)
{
    (void)state;
    VECTOR_FILE_AUTO f;
    vector_file_own(&f, "crypto/p256_keys.json");
    size_t i;
    json_t *v;
    json_array_foreach(vector_field(f.root, "pairs"), i, v)
    {
        struct p256_public parsed;
        assert_ok(p256_public_parse(vector_hex(&f, v, "public"), &parsed));
        assert_bytes(p256_public_bytes(&parsed), vector_hex(&f, v, "public"));
    }
}

static enum p256_error named_error(const char *name)
{
    int e = 0;
    while (e < P256_ERROR_COUNT && strcmp(p256_error_name((enum p256_error)e), name) != 0)
        e++;
    assert_true(e < P256_ERROR_COUNT);
    return (enum p256_error)e;
}

static void malformed_public_keys_are_refused_by_name(void **state)
{
    (void)state;
    VECTOR_FILE_AUTO f;
    vector_file_own(&f, "crypto/p256_keys.json");
    size_t i;
    json_t *v;
    json_array_foreach(vector_field(f.root, "refused_publics"), i, v)
    {
        struct p256_public parsed = {{0}};
        const char *error = vector_text(v, "error");
        print_message("%s\n", vector_text(v, "name"));
        assert_refused(p256_public_parse(vector_hex(&f, v, "public"), &parsed), Q_CRYPTO, error);
        assert_int_equal(err_detail(), named_error(error));
        assert_true(bytes_is_zero(BYTES_OF(parsed.bytes)));
    }
    assert_true(i >= 30);
}

// The file has 65-byte points; a public key is two of them.
static void check_shared_point(struct bytes point, bool good)
{
    uint8_t twice[P256_PUBLIC_SIZE];
    struct p256_public parsed;
    assert_int_equal(point.n, P256_POINT_SIZE);
    memcpy(twice, point.p, point.n);
    memcpy(twice + point.n, point.p, point.n);
    if (good)
        assert_ok(p256_public_parse(BYTES_OF(twice), &parsed));
    else
        assert_refused(p256_public_parse(BYTES_OF(twice), &parsed), Q_CRYPTO,
                       "FailedToReadPublicKey: ");
}

static void public_keys_of_the_shared_vectors_get_their_verdict(void **state)
{
    (void)state;
    VECTOR_FILE_AUTO f;
    vector_file_shared(&f, "vectors/qos/crypto/pubkey_validation.json");
    struct bytes good = vector_hex(&f, f.root, "good_65");
    check_shared_point(good, true);
    check_shared_point(vector_hex(&f, f.root, "bad_prefix_65_MUST_FAIL"), false);
    const json_t *lengths = vector_field(f.root, "lengths");
    uint8_t wrong[P256_PUBLIC_SIZE + 2] = {4};
    struct p256_public parsed;
    // 64 and 66 bytes of one point are 1 byte too few and too many in the pair of points.
    assert_refused(p256_public_parse(bytes_of(wrong, P256_PUBLIC_SIZE - 1), &parsed), Q_CRYPTO,
                   vector_text(lengths, "64"));
    assert_refused(p256_public_parse(bytes_of(wrong, P256_PUBLIC_SIZE + 1), &parsed), Q_CRYPTO,
                   vector_text(lengths, "66"));
    assert_int_equal(vector_number(lengths, "combined_need"), P256_PUBLIC_SIZE);
}

// Of the scalars comes the public key again.
static void a_pair_gives_its_scalars_for_a_token(void **state)
{
    (void)state;
    P256_PAIR_AUTO *pair = NULL;
    SECRET_AUTO encrypt = {0}, sign = {0};
    EC_KEY_AUTO *first = NULL;
    EC_KEY_AUTO *second = NULL;
    uint8_t points[P256_PUBLIC_SIZE];
    assert_ok(p256_pair_generate(&pair));
    assert_ok(p256_pair_scalars(pair, &encrypt, &sign));
    assert_ok(ec_key_from_scalar(&ec_p256, secret_bytes(&encrypt), &first));
    assert_ok(ec_key_from_scalar(&ec_p256, secret_bytes(&sign), &second));
    assert_ok(ec_key_point(&ec_p256, first, points));
    assert_ok(ec_key_point(&ec_p256, second, points + P256_POINT_SIZE));
    assert_bytes(BYTES_OF(points), p256_public_bytes(p256_pair_public(pair)));
}

static void every_error_has_a_name_of_its_own(void **state)
{
    (void)state;
    for (int e = 0; e < P256_ERROR_COUNT; e++)
        assert_int_equal(named_error(p256_error_name((enum p256_error)e)), e);
    assert_int_equal(P256_COERCE_LENGTH, 20);
    assert_string_equal(p256_error_name(P256_INVALID_MASTER_SEED), "InvalidMasterSeed");
    assert_string_equal(p256_error_name((enum p256_error)P256_ERROR_COUNT), "UnknownP256Error");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pairs_derive_from_their_seeds),
        cmocka_unit_test(pairs_of_the_shared_vectors_derive_from_their_seeds),
        cmocka_unit_test(seeds_of_other_lengths_are_refused),
        cmocka_unit_test(a_generated_pair_is_the_one_of_its_random_seed),
        cmocka_unit_test(two_generated_pairs_differ),
        cmocka_unit_test(generate_fails_when_randomness_fails),
        cmocka_unit_test(freeing_a_pair_twice_is_harmless),
        cmocka_unit_test(scalars_give_their_points),
        cmocka_unit_test(scalars_outside_1_to_n_minus_1_are_refused),
        cmocka_unit_test(every_public_key_of_a_pair_parses),
        cmocka_unit_test(malformed_public_keys_are_refused_by_name),
        cmocka_unit_test(public_keys_of_the_shared_vectors_get_their_verdict),
        cmocka_unit_test(a_pair_gives_its_scalars_for_a_token),
        cmocka_unit_test(every_error_has_a_name_of_its_own),
    };
    return cmocka_run_group_tests_name("crypto/p256_key", tests, NULL, NULL);
}
