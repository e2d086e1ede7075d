// ES384: accepts what the model signed, with high and low s; refuses everything else (RFC 9053).
#include "../vector_file.h"

#include "crypto/p384.h"

static void signatures_are_those_of_the_model(void **state)
{
    (void)state;
    VECTOR_FILE_AUTO f;
    vector_file_own(&f, "crypto/p384.json");
    struct bytes scalar = vector_hex(&f, f.root, "scalar");
    size_t i, made = 0;
    json_t *v;
    json_array_foreach(vector_field(f.root, "valid"), i, v)
    {
        uint8_t signature[P384_SIGNATURE_SIZE];
        if (!json_is_true(vector_field(v, "deterministic")))
            continue;
        assert_ok(p384_sign(scalar, vector_hex(&f, v, "message"), signature));
        assert_bytes(BYTES_OF(signature), vector_hex(&f, v, "signature"));
        made++;
    }
    assert_true(made >= 10);
}

static void signatures_with_high_and_low_s_verify(void **state)
{
    (void)state;
    VECTOR_FILE_AUTO f;
    vector_file_own(&f, "crypto/p384.json");
    struct bytes point = vector_hex(&f, f.root, "point");
    size_t i, high = 0;
    json_t *v;
    json_array_foreach(vector_field(f.root, "valid"), i, v)
    {
        assert_ok(p384_verify(point, vector_hex(&f, v, "message"), vector_hex(&f, v, "signature")));
        high += json_is_true(vector_field(v, "high_s"));
    }
    assert_true(high > 0 && high < i);
}

static void malformed_and_wrong_signatures_are_refused(void **state)
{
    (void)state;
    VECTOR_FILE_AUTO f;
    vector_file_own(&f, "crypto/p384.json");
    struct bytes point = vector_hex(&f, f.root, "point");
    size_t i;
    json_t *v;
    json_array_foreach(vector_field(f.root, "refused"), i, v)
    {
        print_message("%s\n", vector_text(v, "name"));
        assert_refused(
            p384_verify(point, vector_hex(&f, v, "message"), vector_hex(&f, v, "signature")),
            Q_CRYPTO, vector_text(v, "error"));
    }
    assert_true(i >= 20);
}

static void malformed_points_are_refused(void **state)
{
    (void)state;
    VECTOR_FILE_AUTO f;
    vector_file_own(&f, "crypto/p384.json");
    const json_t *valid = json_array_get(vector_field(f.root, "valid"), 0);
    size_t i;
    json_t *v;
    json_array_foreach(vector_field(f.root, "refused_points"), i, v)
    {
        print_message("%s\n", vector_text(v, "name"));
        assert_refused(p384_verify(vector_hex(&f, v, "point"), vector_hex(&f, valid, "message"),
                                   vector_hex(&f, valid, "signature")),
                       Q_CRYPTO, "P-384 point: expected");
    }
    assert_true(i >= 15);
}

static void malformed_scalars_sign_nothing(void **state)
{
    (void)state;
    VECTOR_FILE_AUTO f;
    vector_file_own(&f, "crypto/p384.json");
    size_t i;
    json_t *v;
    json_array_foreach(vector_field(f.root, "refused_scalars"), i, v)
    {
        uint8_t signature[P384_SIGNATURE_SIZE] = {0};
        assert_refused(p384_sign(vector_hex_value(&f, v), BYTES_LIT("m"), signature), Q_CRYPTO,
                       "P-384 scalar: expected");
        assert_true(bytes_is_zero(BYTES_OF(signature)));
    }
    assert_true(i >= 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(signatures_are_those_of_the_model),
        cmocka_unit_test(signatures_with_high_and_low_s_verify),
        cmocka_unit_test(malformed_and_wrong_signatures_are_refused),
        cmocka_unit_test(malformed_points_are_refused),
        cmocka_unit_test(malformed_scalars_sign_nothing),
    };
    return cmocka_run_group_tests_name("crypto/p384", tests, NULL, NULL);
}
