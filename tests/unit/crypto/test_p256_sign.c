// P-256 signatures: made as RFC 6979 says, accepted with high and low s, refused by name (qos-wire
// 1.3).
#include "../vector_file.h"

#include "crypto/p256.h"

struct signer {
    struct vector_file file;
    struct p256_pair *pair;
};

static void signer_close(struct signer *s)
{
    p256_pair_free(&s->pair);
    vector_file_close(&s->file);
}

#define SIGNER_AUTO __attribute__((cleanup(signer_close))) struct signer

static void signer_open(struct signer *s)
{
    *s = (struct signer){0};
    vector_file_own(&s->file, "crypto/p256_signatures.json");
    assert_ok(p256_pair_from_seed(vector_hex(&s->file, s->file.root, "seed"), &s->pair));
}

static void signatures_are_those_of_the_model(void **state)
{
    (void)state;
    SIGNER_AUTO s;
    signer_open(&s);
    size_t i, made = 0;
    json_t *v;
    json_array_foreach(vector_field(s.file.root, "valid"), i, v)
    {
        uint8_t signature[P256_SIGNATURE_SIZE];
        if (!json_is_true(vector_field(v, "deterministic")))
            continue;
        assert_ok(p256_sign(s.pair, vector_hex(&s.file, v, "message"), signature));
        assert_bytes(BYTES_OF(signature), vector_hex(&s.file, v, "signature"));
        made++;
    }
    assert_true(made >= 10);
}

static void signatures_with_high_and_low_s_verify(void **state)
{
    (void)state;
    SIGNER_AUTO s;
    signer_open(&s);
    size_t i, high = 0;
    json_t *v;
    json_array_foreach(vector_field(s.file.root, "valid"), i, v)
    {
        assert_ok(p256_verify(p256_pair_public(s.pair), vector_hex(&s.file, v, "message"),
                              vector_hex(&s.file, v, "signature")));
        high += json_is_true(vector_field(v, "high_s"));
    }
    assert_true(high > 0 && high < i);
}

static void malformed_and_wrong_signatures_are_refused_by_name(void **state)
{
    (void)state;
    SIGNER_AUTO s;
    signer_open(&s);
    size_t i;
    json_t *v;
    json_array_foreach(vector_field(s.file.root, "refused"), i, v)
    {
        const char *error = vector_text(v, "error");
        print_message("%s\n", vector_text(v, "name"));
        assert_refused(p256_verify(p256_pair_public(s.pair), vector_hex(&s.file, v, "message"),
                                   vector_hex(&s.file, v, "signature")),
                       Q_CRYPTO, error);
        assert_int_equal(err_detail(), strcmp(error, "FailedSignatureVerification") == 0
                                           ? P256_SIGNATURE_VERIFICATION
                                           : P256_DESERIALIZE_SIGNATURE);
    }
    assert_true(i >= 20);
}

static void a_signature_with_any_bit_changed_is_refused(void **state)
{
    (void)state;
    SIGNER_AUTO s;
    signer_open(&s);
    uint8_t signature[P256_SIGNATURE_SIZE];
    struct bytes message = BYTES_LIT("qos-test-message");
    assert_ok(p256_sign(s.pair, message, signature));
    for (size_t bit = 0; bit < 8 * sizeof signature; bit++) {
        signature[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_int_equal(p256_verify(p256_pair_public(s.pair), message, BYTES_OF(signature)),
                         Q_CRYPTO);
        signature[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    assert_ok(p256_verify(p256_pair_public(s.pair), message, BYTES_OF(signature)));
}

static void a_signature_by_another_key_is_refused(void **state)
{
    (void)state;
    P256_PAIR_AUTO *ours = NULL;
    P256_PAIR_AUTO *theirs = NULL;
    uint8_t signature[P256_SIGNATURE_SIZE];
    assert_ok(p256_pair_generate(&ours));
    assert_ok(p256_pair_generate(&theirs));
    assert_ok(p256_sign(theirs, BYTES_LIT("m"), signature));
    assert_refused(p256_verify(p256_pair_public(ours), BYTES_LIT("m"), BYTES_OF(signature)),
                   Q_CRYPTO, "FailedSignatureVerification: ");
}

static void the_encryption_half_verifies_nothing(void **state)
{
    (void)state;
    SIGNER_AUTO s;
    signer_open(&s);
    struct p256_public swapped;
    const uint8_t *own = p256_pair_public(s.pair)->bytes;
    memcpy(swapped.bytes, own + P256_POINT_SIZE, P256_POINT_SIZE);
    memcpy(swapped.bytes + P256_POINT_SIZE, own, P256_POINT_SIZE);
    uint8_t signature[P256_SIGNATURE_SIZE];
    assert_ok(p256_sign(s.pair, BYTES_LIT("m"), signature));
    assert_ok(p256_verify(p256_pair_public(s.pair), BYTES_LIT("m"), BYTES_OF(signature)));
    assert_refused(p256_verify(&swapped, BYTES_LIT("m"), BYTES_OF(signature)), Q_CRYPTO,
                   "FailedSignatureVerification: ");
}

static void a_public_key_that_was_never_parsed_verifies_nothing(void **state)
{
    (void)state;
    const struct p256_public zero = {{0}};
    uint8_t signature[P256_SIGNATURE_SIZE];
    memset(signature, 1, sizeof signature);
    assert_refused(p256_verify(&zero, BYTES_LIT("m"), BYTES_OF(signature)), Q_CRYPTO,
                   "FailedToReadPublicKey: ");
}

// The seed of the named pair in keypairs.json.
static struct bytes shared_seed(struct vector_file *keys, const char *name)
{
    size_t i;
    json_t *v;
    json_array_foreach(keys->root, i, v)
    {
        if (strcmp(vector_text(v, "name"), name) == 0)
            return vector_hex(keys, v, "master_seed");
    }
    fail_msg("no key pair %s", name);
    return BYTES_NONE;
}

static void the_golden_signature_is_reproduced(void **state)
{
    (void)state;
    VECTOR_FILE_AUTO f, keys;
    vector_file_shared(&f, "vectors/qos/crypto/p256_sign.json");
    vector_file_shared(&keys, "vectors/qos/crypto/keypairs.json");
    P256_PAIR_AUTO *primary = NULL;
    uint8_t signature[P256_SIGNATURE_SIZE];
    struct bytes message = bytes_str(vector_text(f.root, "message_ascii"));
    assert_ok(p256_pair_from_seed(shared_seed(&keys, "primary"), &primary));
    assert_ok(p256_sign(primary, message, signature));
    assert_bytes(BYTES_OF(signature), vector_hex(&f, f.root, "signature"));
    assert_ok(p256_verify(p256_pair_public(primary), message, BYTES_OF(signature)));
}

static void finding_37_der_says_the_same_as_the_raw_form(void **state)
{
    (void)state;
    VECTOR_FILE_AUTO f;
    vector_file_shared(&f, "vectors/renclave/signature_vectors.json");
    BUF_AUTO der = {0};
    assert_ok(p256_signature_der(vector_hex(&f, f.root, "raw_rs_hex"), &der));
    assert_bytes(buf_bytes(&der), vector_hex(&f, f.root, "der_hex"));
    assert_int_equal(der.n, P256_SIGNATURE_DER_MAX);
}

static void der_of_what_is_no_signature_is_refused(void **state)
{
    (void)state;
    uint8_t raw[P256_SIGNATURE_SIZE + 1] = {0};
    BUF_AUTO der = {0};
    raw[31] = 1; // s is 0
    assert_int_equal(p256_signature_der(bytes_of(raw, 64), &der), Q_CRYPTO);
    raw[63] = 1;
    assert_int_equal(p256_signature_der(bytes_of(raw, 65), &der), Q_CRYPTO);
    assert_int_equal(p256_signature_der(bytes_of(raw, 63), &der), Q_CRYPTO);
    assert_int_equal(der.n, 0);
    assert_ok(p256_signature_der(bytes_of(raw, 64), &der));
    assert_bytes(buf_bytes(&der), BYTES_LIT("\x30\x06\x02\x01\x01\x02\x01\x01"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(signatures_are_those_of_the_model),
        cmocka_unit_test(signatures_with_high_and_low_s_verify),
        cmocka_unit_test(malformed_and_wrong_signatures_are_refused_by_name),
        cmocka_unit_test(a_signature_with_any_bit_changed_is_refused),
        cmocka_unit_test(a_signature_by_another_key_is_refused),
        cmocka_unit_test(the_encryption_half_verifies_nothing),
        cmocka_unit_test(a_public_key_that_was_never_parsed_verifies_nothing),
        cmocka_unit_test(the_golden_signature_is_reproduced),
        cmocka_unit_test(finding_37_der_says_the_same_as_the_raw_form),
        cmocka_unit_test(der_of_what_is_no_signature_is_refused),
    };
    return cmocka_run_group_tests_name("crypto/p256_sign", tests, NULL, NULL);
}
