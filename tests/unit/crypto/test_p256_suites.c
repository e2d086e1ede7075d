// Keys of the suite whose seed is the scalar of both uses, and envelopes that are bound to a form and a purpose
// (renclave 2.3, 2.5, 8.2 C1 and C2), against an independent model and the shared vectors.
#include "../vector_file.h"
#include "fixed_random.h"

#include "crypto/p256.h"

static void pair_of(struct bytes seed, struct p256_pair **out)
{
    assert_ok(p256_pair_from_seed_suite(P256_SUITE_RENCLAVE, seed, out));
}

static void the_seed_is_the_scalar_of_both_halves(void **state)
{
    (void)state;
    VECTOR_FILE_AUTO f;
    P256_PAIR_AUTO *pair = NULL;
    SECRET_AUTO encrypt = {0};
    SECRET_AUTO sign = {0};
    vector_file_own(&f, "crypto/p256_suites.json");
    struct bytes seed = vector_hex(&f, f.root, "seed"), point = vector_hex(&f, f.root, "public");
    pair_of(seed, &pair);
    const struct p256_public *public = p256_pair_public(pair);
    assert_bytes(bytes_of(public->bytes, P256_POINT_SIZE), point);
    assert_bytes(bytes_of(public->bytes + P256_POINT_SIZE, P256_POINT_SIZE), point);
    assert_bytes(p256_public_short(public), point);
    assert_int_equal(p256_public_suite(public), P256_SUITE_RENCLAVE);
    assert_ok(p256_pair_scalars(pair, &encrypt, &sign));
    assert_bytes(secret_bytes(&encrypt), seed);
    assert_bytes(secret_bytes(&sign), seed);
}

static void one_seed_makes_the_keys_of_either_suite(void **state)
{
    (void)state;
    VECTOR_FILE_AUTO f;
    vector_file_shared(&f, "vectors/renclave/suite_mapping_vectors.json");
    size_t i;
    json_t *v;
    json_array_foreach(vector_field(f.root, "seeds"), i, v)
    {
        P256_PAIR_AUTO *raw = NULL;
        P256_PAIR_AUTO *derived = NULL;
        struct bytes seed = vector_hex(&f, v, "seed_hex");
        pair_of(seed, &raw);
        assert_ok(p256_pair_from_seed_suite(P256_SUITE_QOS, seed, &derived));
        assert_bytes(p256_public_short(p256_pair_public(raw)),
                     vector_hex(&f, v, "renclave_pub_65_hex"));
        assert_bytes(p256_public_short(p256_pair_public(derived)),
                     vector_hex(&f, v, "qos_pub_130_hex"));
        assert_int_equal(p256_public_suite(p256_pair_public(derived)), P256_SUITE_QOS);
    }
    assert_true(i >= 2);
}

static void seeds_that_are_no_scalar_are_refused(void **state)
{
    (void)state;
    uint8_t order[P256_SEED_SIZE], zero[P256_SEED_SIZE] = {0};
    size_t n;
    assert_int_equal(
        sodium_hex2bin(order, sizeof order,
                       "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551", 64, NULL,
                       &n, NULL),
        0);
    const struct bytes bad[] = {BYTES_OF(order), BYTES_OF(zero), bytes_of(order, 31),
                                bytes_of(order, 0)};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        P256_PAIR_AUTO *pair = NULL;
        assert_int_equal(p256_pair_from_seed_suite(P256_SUITE_RENCLAVE, bad[i], &pair), Q_CRYPTO);
        assert_null(pair);
    }
    P256_PAIR_AUTO *largest = NULL;
    order[31]--;
    pair_of(BYTES_OF(order), &largest);
}

static void one_key_has_one_form(void **state)
{
    (void)state;
    P256_PAIR_AUTO *raw = NULL;
    P256_PAIR_AUTO *derived = NULL;
    struct p256_public public;
    assert_ok(p256_pair_generate_suite(P256_SUITE_RENCLAVE, &raw));
    assert_ok(p256_pair_generate(&derived));
    struct bytes twice = p256_public_bytes(p256_pair_public(raw));
    struct bytes two = p256_public_bytes(p256_pair_public(derived));
    assert_int_equal(p256_public_parse_short(twice, &public), Q_CRYPTO);
    assert_ok(p256_public_parse_short(bytes_of(twice.p, P256_POINT_SIZE), &public));
    assert_bytes(p256_public_bytes(&public), twice);
    assert_ok(p256_public_parse_short(two, &public));
    assert_bytes(p256_public_short(&public), two);
    uint8_t bad[P256_POINT_SIZE];
    memcpy(bad, twice.p, sizeof bad);
    bad[40] ^= 1;
    assert_int_equal(p256_public_parse_short(BYTES_OF(bad), &public), Q_CRYPTO);
    const size_t lengths[] = {0, 1, 33, 64, 66, 129, 131};
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        uint8_t other[131] = {0};
        memcpy(other, two.p, two.n);
        assert_int_equal(p256_public_parse_short(bytes_of(other, lengths[i]), &public), Q_CRYPTO);
    }
}

static void signatures_are_the_deterministic_ones(void **state)
{
    (void)state;
    VECTOR_FILE_AUTO f;
    P256_PAIR_AUTO *pair = NULL;
    uint8_t signature[P256_SIGNATURE_SIZE];
    vector_file_shared(&f, "vectors/renclave/signature_vectors.json");
    struct bytes message = vector_hex(&f, f.root, "message_hex");
    pair_of(vector_hex(&f, f.root, "quorum_private_hex"), &pair);
    assert_ok(p256_sign(pair, message, signature));
    assert_bytes(BYTES_OF(signature), vector_hex(&f, f.root, "raw_rs_hex"));
    assert_ok(p256_verify(p256_pair_public(pair), message, BYTES_OF(signature)));
}

static struct p256_binding binding_of(struct vector_file *f, const json_t *v)
{
    return (struct p256_binding){.long_lengths = json_is_true(vector_field(v, "long_lengths")),
                                 .purpose = vector_hex(f, v, "purpose")};
}

static void bound_envelopes_are_those_of_the_model(void **state)
{
    (void)state;
    VECTOR_FILE_AUTO f;
    P256_PAIR_AUTO *pair = NULL;
    vector_file_own(&f, "crypto/p256_suites.json");
    pair_of(vector_hex(&f, f.root, "seed"), &pair);
    size_t i;
    json_t *v;
    json_array_foreach(vector_field(f.root, "sealed"), i, v)
    {
        BUF_AUTO stream = {0}, envelope = {0};
        SECRET_AUTO opened = {0};
        struct bytes plaintext = vector_hex(&f, v, "plaintext");
        assert_ok(buf_append(&stream, vector_hex(&f, v, "nonce")));
        assert_ok(buf_append(&stream, vector_hex(&f, v, "ephemeral")));
        fixed_random(buf_bytes(&stream));
        enum q_err err =
            p256_seal_bound(p256_pair_public(pair), binding_of(&f, v), plaintext, &envelope);
        assert_int_equal(fixed_random_end(), 0);
        assert_ok(err);
        assert_bytes(buf_bytes(&envelope), vector_hex(&f, v, "envelope"));
        assert_ok(p256_open_bound(pair, binding_of(&f, v), buf_bytes(&envelope), &opened));
        assert_bytes(secret_bytes(&opened), plaintext);
    }
    assert_true(i >= 40);
}

static void an_envelope_opens_for_its_own_form_and_purpose_only(void **state)
{
    (void)state;
    VECTOR_FILE_AUTO f;
    P256_PAIR_AUTO *pair = NULL;
    vector_file_own(&f, "crypto/p256_suites.json");
    const json_t *all = vector_field(f.root, "sealed");
    pair_of(vector_hex(&f, f.root, "seed"), &pair);
    size_t i, j;
    json_t *one, *other;
    json_array_foreach(all, i, one)
    {
        json_array_foreach(all, j, other)
        {
            SECRET_AUTO opened = {0};
            const struct p256_binding a = binding_of(&f, one), b = binding_of(&f, other);
            bool same = a.long_lengths == b.long_lengths && bytes_equal(a.purpose, b.purpose);
            enum q_err err = p256_open_bound(pair, b, vector_hex(&f, one, "envelope"), &opened);
            assert_int_equal(err == Q_OK, same);
        }
    }
}

static void a_purpose_that_is_too_long_is_a_defect(void **state)
{
    (void)state;
    P256_PAIR_AUTO *pair = NULL;
    BUF_AUTO envelope = {0};
    uint8_t purpose[P256_PURPOSE_MAX + 1] = {0};
    assert_ok(p256_pair_generate(&pair));
    assert_int_equal(p256_seal_bound(p256_pair_public(pair),
                                     (struct p256_binding){.purpose = BYTES_OF(purpose)},
                                     BYTES_LIT("x"), &envelope),
                     Q_INTERNAL);
    assert_int_equal(envelope.n, 0);
}

static void the_shared_envelopes_open_in_their_own_form_only(void **state)
{
    (void)state;
    VECTOR_FILE_AUTO f;
    P256_PAIR_AUTO *pair = NULL;
    vector_file_shared(&f, "vectors/renclave/envelope_vectors.json");
    pair_of(vector_hex(&f, f.root, "recipient_private_hex"), &pair);
    size_t i;
    json_t *v;
    json_array_foreach(vector_field(f.root, "vectors"), i, v)
    {
        SECRET_AUTO opened = {0};
        SECRET_AUTO nothing = {0};
        bool renclave = strcmp(vector_text(v, "aad"), "renclave") == 0;
        const struct p256_binding own = {.long_lengths = renclave};
        const struct p256_binding other = {.long_lengths = !renclave};
        struct bytes envelope = vector_hex(&f, v, "envelope_hex");
        assert_int_equal(envelope.n, vector_number(v, "len"));
        assert_ok(p256_open_bound(pair, own, envelope, &opened));
        assert_bytes(secret_bytes(&opened), vector_hex(&f, v, "plaintext_hex"));
        assert_int_equal(p256_open_bound(pair, other, envelope, &nothing), Q_CRYPTO);
    }
    assert_true(i >= 10);
}

static void forwarded_keys_of_the_vectors_open_and_verify(void **state)
{
    (void)state;
    VECTOR_FILE_AUTO f;
    P256_PAIR_AUTO *target = NULL;
    P256_PAIR_AUTO *quorum = NULL;
    vector_file_shared(&f, "vectors/renclave/key_forward_vectors.json");
    struct bytes seed = vector_hex(&f, f.root, "master_seed_hex");
    pair_of(vector_hex(&f, f.root, "target_ephemeral_private_hex"), &target);
    pair_of(seed, &quorum);
    static const char *const forms[] = {"aad_qos_u8", "aad_renclave_u64be"};
    for (int form = 0; form < 2; form++) {
        SECRET_AUTO opened = {0};
        const json_t *v = vector_field(f.root, forms[form]);
        struct bytes envelope = vector_hex(&f, v, "encrypted_quorum_key_hex");
        assert_ok(
            p256_verify(p256_pair_public(quorum), envelope, vector_hex(&f, v, "signature_hex")));
        assert_ok(p256_open_bound(target, (struct p256_binding){.long_lengths = form == 1},
                                  envelope, &opened));
        assert_bytes(secret_bytes(&opened), seed);
    }
    const json_t *attack = vector_field(f.root, "substitution_attack");
    assert_int_equal(p256_verify(p256_pair_public(quorum),
                                 vector_hex(&f, attack, "encrypted_quorum_key_hex"),
                                 vector_hex(&f, attack, "signature_hex")),
                     Q_CRYPTO);
}

int main(void)
{
    if (secret_init(true) != Q_OK)
        return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_seed_is_the_scalar_of_both_halves),
        cmocka_unit_test(one_seed_makes_the_keys_of_either_suite),
        cmocka_unit_test(seeds_that_are_no_scalar_are_refused),
        cmocka_unit_test(one_key_has_one_form),
        cmocka_unit_test(signatures_are_the_deterministic_ones),
        cmocka_unit_test(bound_envelopes_are_those_of_the_model),
        cmocka_unit_test(an_envelope_opens_for_its_own_form_and_purpose_only),
        cmocka_unit_test(a_purpose_that_is_too_long_is_a_defect),
        cmocka_unit_test(the_shared_envelopes_open_in_their_own_form_only),
        cmocka_unit_test(forwarded_keys_of_the_vectors_open_and_verify),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
