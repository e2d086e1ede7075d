// Envelopes: byte for byte those of the model, opened again, refused by name (qos-wire 1.4 and
// 1.5).
#include "../vector_file.h"
#include "fixed_random.h"

#include "crypto/p256.h"

struct receiver {
    struct vector_file file;
    struct p256_pair *pair;
};

static void receiver_close(struct receiver *r)
{
    p256_pair_free(&r->pair);
    vector_file_close(&r->file);
}

#define RECEIVER_AUTO __attribute__((cleanup(receiver_close))) struct receiver

static void receiver_open(struct receiver *r)
{
    *r = (struct receiver){0};
    vector_file_own(&r->file, "crypto/p256_envelopes.json");
    assert_ok(p256_pair_from_seed(vector_hex(&r->file, r->file.root, "seed"), &r->pair));
}

static void assert_opened(enum q_err err, const struct secret *got, struct bytes expected)
{
    assert_ok(err);
    assert_bytes(secret_bytes(got), expected);
    assert_int_equal(got->p == NULL, expected.n == 0);
}

// Seals with this randomness, after bytes that must stay in front.
static void check_seal(const struct p256_pair *pair, struct bytes stream, struct bytes plaintext,
                       struct bytes expected)
{
    BUF_AUTO out = {0};
    assert_ok(buf_append_str(&out, "before"));
    fixed_random(stream);
    enum q_err err = p256_seal(p256_pair_public(pair), plaintext, &out);
    assert_int_equal(fixed_random_end(), 0);
    assert_ok(err);
    assert_memory_equal(out.p, "before", 6);
    assert_bytes(bytes_of(out.p + 6, out.n - 6), expected);
}

static void envelopes_are_those_of_the_model(void **state)
{
    (void)state;
    RECEIVER_AUTO r;
    receiver_open(&r);
    size_t i;
    json_t *v;
    json_array_foreach(vector_field(r.file.root, "sealed"), i, v)
    {
        BUF_AUTO stream = {0};
        assert_ok(buf_append(&stream, vector_hex(&r.file, v, "nonce")));
        assert_ok(buf_append(&stream, vector_hex(&r.file, v, "ephemeral")));
        check_seal(r.pair, buf_bytes(&stream), vector_hex(&r.file, v, "plaintext"),
                   vector_hex(&r.file, v, "envelope"));
    }
    assert_true(i >= 9);
}

static void envelopes_open_with_the_pair_and_with_the_shared_x(void **state)
{
    (void)state;
    RECEIVER_AUTO r;
    receiver_open(&r);
    size_t i;
    json_t *v;
    json_array_foreach(vector_field(r.file.root, "sealed"), i, v)
    {
        SECRET_AUTO plain = {0};
        SECRET_AUTO same = {0};
        struct bytes envelope = vector_hex(&r.file, v, "envelope");
        struct bytes expected = vector_hex(&r.file, v, "plaintext");
        assert_opened(p256_open(r.pair, envelope, &plain), &plain, expected);
        assert_opened(p256_open_with_shared(vector_hex(&r.file, v, "shared_x"),
                                            p256_pair_public(r.pair)->bytes, envelope, &same),
                      &same, expected);
    }
}

static void ephemeral_scalars_out_of_range_are_drawn_again(void **state)
{
    (void)state;
    RECEIVER_AUTO r;
    receiver_open(&r);
    const json_t *v = json_array_get(vector_field(r.file.root, "sealed"), 3);
    BUF_AUTO stream = {0};
    uint8_t zero[32] = {0}, high[32];
    memset(high, 0xff, sizeof high);
    assert_ok(buf_append(&stream, vector_hex(&r.file, v, "nonce")));
    assert_ok(buf_append(&stream, BYTES_OF(zero)));
    assert_ok(buf_append(&stream, BYTES_OF(high)));
    assert_ok(buf_append(&stream, vector_hex(&r.file, v, "ephemeral")));
    check_seal(r.pair, buf_bytes(&stream), vector_hex(&r.file, v, "plaintext"),
               vector_hex(&r.file, v, "envelope"));
}

static void sealing_with_broken_randomness_fails_and_appends_nothing(void **state)
{
    (void)state;
    RECEIVER_AUTO r;
    receiver_open(&r);
    static const uint8_t zeros[12 + 8 * 32] = {0};
    const size_t lengths[] = {0, 11, 12, 40, sizeof zeros};
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        BUF_AUTO out = {0};
        fixed_random(bytes_of(zeros, lengths[i]));
        enum q_err err = p256_seal(p256_pair_public(r.pair), BYTES_LIT("x"), &out);
        fixed_random_end();
        assert_int_not_equal(err, Q_OK);
        assert_int_equal(err_detail(),
                         lengths[i] == sizeof zeros ? P256_READ_SECRET : P256_IO_ERROR);
        assert_int_equal(out.n, 0);
    }
}

static void two_envelopes_of_one_plaintext_differ(void **state)
{
    (void)state;
    RECEIVER_AUTO r;
    receiver_open(&r);
    BUF_AUTO a = {0}, b = {0};
    assert_ok(p256_seal(p256_pair_public(r.pair), BYTES_LIT("x"), &a));
    assert_ok(p256_seal(p256_pair_public(r.pair), BYTES_LIT("x"), &b));
    assert_int_equal(a.n, 1 + P256_ENVELOPE_OVERHEAD);
    assert_int_equal(b.n, a.n);
    assert_memory_not_equal(a.p, b.p, 12);
    assert_memory_not_equal(a.p + 12, b.p + 12, P256_POINT_SIZE);
}

static void sealing_to_a_key_off_the_curve_fails(void **state)
{
    (void)state;
    struct p256_public zero = {{0}};
    BUF_AUTO out = {0};
    assert_refused(p256_seal(&zero, BYTES_LIT("x"), &out), Q_CRYPTO, "FailedToReadPublicKey: ");
    assert_int_equal(err_detail(), P256_READ_PUBLIC_KEY);
    assert_int_equal(out.n, 0);
}

static enum p256_error named_error(const char *name)
{
    int e = 0;
    while (e < P256_ERROR_COUNT && strcmp(p256_error_name((enum p256_error)e), name) != 0)
        e++;
    return (enum p256_error)e;
}

typedef enum q_err opener(const struct p256_pair *, struct bytes, struct secret *);

static void check_refused(struct receiver *r, const char *field, opener *open)
{
    size_t i;
    json_t *v;
    json_array_foreach(vector_field(r->file.root, field), i, v)
    {
        SECRET_AUTO plain = {0};
        const char *error = vector_text(v, "error");
        print_message("%s\n", vector_text(v, "name"));
        assert_refused(open(r->pair, vector_hex(&r->file, v, "envelope"), &plain), Q_CRYPTO, error);
        assert_int_equal(err_detail(), named_error(error));
        assert_null(plain.p);
    }
    assert_true(i >= 25);
}

static void malformed_and_wrong_envelopes_are_refused_by_name(void **state)
{
    (void)state;
    RECEIVER_AUTO r;
    receiver_open(&r);
    check_refused(&r, "refused", p256_open);
}

static void malformed_and_wrong_symmetric_envelopes_are_refused_by_name(void **state)
{
    (void)state;
    RECEIVER_AUTO r;
    receiver_open(&r);
    check_refused(&r, "refused_symmetric", p256_open_symmetric);
}

static void an_envelope_with_any_bit_changed_is_refused(void **state)
{
    (void)state;
    RECEIVER_AUTO r;
    receiver_open(&r);
    BUF_AUTO envelope = {0};
    assert_ok(p256_seal(p256_pair_public(r.pair), BYTES_LIT("share"), &envelope));
    for (size_t bit = 0; bit < 8 * envelope.n; bit++) {
        SECRET_AUTO plain = {0};
        envelope.p[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_int_not_equal(p256_open(r.pair, buf_bytes(&envelope), &plain), Q_OK);
        assert_true(err_detail() >= 0);
        assert_null(plain.p);
        envelope.p[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    SECRET_AUTO plain = {0};
    assert_opened(p256_open(r.pair, buf_bytes(&envelope), &plain), &plain, BYTES_LIT("share"));
}

static void the_point_of_an_envelope_is_given_out_only_when_it_is_on_the_curve(void **state)
{
    (void)state;
    RECEIVER_AUTO r;
    receiver_open(&r);
    BUF_AUTO envelope = {0};
    struct bytes point = BYTES_NONE;
    assert_ok(p256_seal(p256_pair_public(r.pair), BYTES_LIT("x"), &envelope));
    assert_ok(p256_envelope_point(buf_bytes(&envelope), &point));
    assert_bytes(point, bytes_of(envelope.p + 12, P256_POINT_SIZE));
    point = BYTES_NONE;
    envelope.p[12 + P256_POINT_SIZE - 1] ^= 1;
    assert_refused(p256_envelope_point(buf_bytes(&envelope), &point), Q_CRYPTO,
                   "FailedToDeserializePublicKey: ");
    envelope.n--;
    assert_refused(p256_envelope_point(buf_bytes(&envelope), &point), Q_CRYPTO,
                   "FailedToDeserializeEnvelope: ");
    assert_null(point.p);
}

static void a_shared_x_of_another_length_is_refused(void **state)
{
    (void)state;
    RECEIVER_AUTO r;
    receiver_open(&r);
    const json_t *v = json_array_get(vector_field(r.file.root, "sealed"), 1);
    struct bytes shared_x = vector_hex(&r.file, v, "shared_x");
    SECRET_AUTO plain = {0};
    shared_x.n--;
    assert_refused(p256_open_with_shared(shared_x, p256_pair_public(r.pair)->bytes,
                                         vector_hex(&r.file, v, "envelope"), &plain),
                   Q_CRYPTO, "FailedToCreateAes256GcmCipher: ");
    assert_null(plain.p);
}

static void symmetric_envelopes_are_those_of_the_model_and_open(void **state)
{
    (void)state;
    RECEIVER_AUTO r;
    receiver_open(&r);
    size_t i;
    json_t *v;
    json_array_foreach(vector_field(r.file.root, "symmetric"), i, v)
    {
        BUF_AUTO out = {0};
        SECRET_AUTO plain = {0};
        struct bytes plaintext = vector_hex(&r.file, v, "plaintext");
        fixed_random(vector_hex(&r.file, v, "nonce"));
        enum q_err err = p256_seal_symmetric(r.pair, plaintext, &out);
        assert_int_equal(fixed_random_end(), 0);
        assert_ok(err);
        assert_bytes(buf_bytes(&out), vector_hex(&r.file, v, "envelope"));
        assert_opened(p256_open_symmetric(r.pair, buf_bytes(&out), &plain), &plain, plaintext);
    }
    assert_true(i >= 9);
}

static struct bytes shared_primary_seed(struct vector_file *keys)
{
    const json_t *primary = json_array_get(keys->root, 0);
    assert_string_equal(vector_text(primary, "name"), "primary");
    return vector_hex(keys, primary, "master_seed");
}

static void envelopes_of_the_shared_vectors_are_reproduced_and_open(void **state)
{
    (void)state;
    VECTOR_FILE_AUTO f, keys;
    vector_file_shared(&f, "vectors/qos/crypto/envelopes_derived.json");
    vector_file_shared(&keys, "vectors/qos/crypto/keypairs.json");
    P256_PAIR_AUTO *primary = NULL;
    BUF_AUTO stream = {0}, symmetric = {0};
    SECRET_AUTO plain = {0};
    SECRET_AUTO same = {0};
    struct bytes plaintext = vector_hex(&f, f.root, "plaintext");
    struct bytes envelope = vector_hex(&f, f.root, "asymmetric_envelope");
    assert_ok(p256_pair_from_seed(shared_primary_seed(&keys), &primary));
    assert_ok(buf_append(&stream, vector_hex(&f, f.root, "nonce")));
    assert_ok(buf_append(&stream, vector_hex(&f, f.root, "ephemeral_secret")));
    check_seal(primary, buf_bytes(&stream), plaintext, envelope);
    assert_opened(p256_open(primary, envelope, &plain), &plain, plaintext);
    fixed_random(vector_hex(&f, f.root, "nonce"));
    enum q_err err = p256_seal_symmetric(primary, plaintext, &symmetric);
    assert_int_equal(fixed_random_end(), 0);
    assert_ok(err);
    assert_bytes(buf_bytes(&symmetric), vector_hex(&f, f.root, "symmetric_envelope"));
    assert_opened(p256_open_symmetric(primary, buf_bytes(&symmetric), &same), &same, plaintext);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(envelopes_are_those_of_the_model),
        cmocka_unit_test(envelopes_open_with_the_pair_and_with_the_shared_x),
        cmocka_unit_test(ephemeral_scalars_out_of_range_are_drawn_again),
        cmocka_unit_test(sealing_with_broken_randomness_fails_and_appends_nothing),
        cmocka_unit_test(two_envelopes_of_one_plaintext_differ),
        cmocka_unit_test(sealing_to_a_key_off_the_curve_fails),
        cmocka_unit_test(malformed_and_wrong_envelopes_are_refused_by_name),
        cmocka_unit_test(malformed_and_wrong_symmetric_envelopes_are_refused_by_name),
        cmocka_unit_test(an_envelope_with_any_bit_changed_is_refused),
        cmocka_unit_test(the_point_of_an_envelope_is_given_out_only_when_it_is_on_the_curve),
        cmocka_unit_test(a_shared_x_of_another_length_is_refused),
        cmocka_unit_test(symmetric_envelopes_are_those_of_the_model_and_open),
        cmocka_unit_test(envelopes_of_the_shared_vectors_are_reproduced_and_open),
    };
    return cmocka_run_group_tests_name("crypto/p256_envelope", tests, NULL, NULL);
}
