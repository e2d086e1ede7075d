// Deterministic ECDSA against three witnesses: the RFC's own examples (A.2.5, A.2.6), the model's
// nonces with their repetitions, and libgcrypt's signatures.
#include "../vector_file.h"

#include "base/random.h"
#include "crypto/ecdsa.h"
#include "crypto/hash.h"
#include "crypto/rfc6979.h"

#include <gcrypt.h>

static const struct ecdsa_suite *suite_of(unsigned size)
{
    return size == ec_p256.size ? &ecdsa_p256_sha256 : &ecdsa_p384_sha384;
}

static void signatures_are_those_of_the_rfc(void **state)
{
    (void)state;
    VECTOR_FILE_AUTO f;
    vector_file_own(&f, "crypto/rfc6979.json");
    size_t i;
    json_t *v;
    json_array_foreach(vector_field(f.root, "published"), i, v)
    {
        unsigned size = vector_number(v, "size");
        const struct ecdsa_suite *suite = suite_of(size);
        EC_KEY_AUTO *key = NULL;
        uint8_t signature[2 * EC_MAX_SIZE];
        assert_ok(ec_key_from_scalar(suite->curve, vector_hex(&f, v, "scalar"), &key));
        assert_ok(ecdsa_sign(suite, key, bytes_str(vector_text(v, "message")), signature));
        assert_bytes(bytes_of(signature, 2 * (size_t)size), vector_hex(&f, v, "signature"));
    }
    assert_int_equal(i, 4);
}

static void check_nonces(struct vector_file *f, const json_t *v)
{
    unsigned size = vector_number(v, "size");
    RFC6979_AUTO nonces = {0};
    assert_ok(rfc6979_start(&nonces, suite_of(size)->digest, size, vector_hex(f, v, "scalar").p,
                            vector_hex(f, v, "hash").p));
    size_t i;
    json_t *expected;
    json_array_foreach(vector_field(v, "nonces"), i, expected)
    {
        uint8_t nonce[EC_MAX_SIZE];
        assert_ok(rfc6979_next(&nonces, nonce));
        assert_bytes(bytes_of(nonce, size), vector_hex_value(f, expected));
    }
    assert_int_equal(i, 3);
}

static void later_nonces_follow_step_h3(void **state)
{
    (void)state;
    VECTOR_FILE_AUTO f;
    vector_file_own(&f, "crypto/rfc6979.json");
    size_t i;
    json_t *v;
    json_array_foreach(vector_field(f.root, "drawn"), i, v) check_nonces(&f, v);
    assert_int_equal(i, 8);
}

struct oracle {
    const char *curve, *hash;
};

// A number of libgcrypt's answer, left-padded to size bytes.
static void oracle_number(gcry_sexp_t answer, const char *name, uint8_t *out, size_t size)
{
    gcry_sexp_t part = gcry_sexp_find_token(answer, name, 0);
    assert_non_null(part);
    gcry_mpi_t number = gcry_sexp_nth_mpi(part, 1, GCRYMPI_FMT_USG);
    assert_non_null(number);
    uint8_t raw[EC_MAX_SIZE];
    size_t n = 0;
    assert_int_equal(gcry_mpi_print(GCRYMPI_FMT_USG, raw, sizeof raw, &n, number), 0);
    assert_true(n <= size);
    memset(out, 0, size);
    memcpy(out + size - n, raw, n);
    gcry_mpi_release(number);
    gcry_sexp_release(part);
}

static void oracle_sign(const struct oracle *o, struct bytes scalar, struct bytes hash,
                        uint8_t *signature)
{
    gcry_sexp_t key = NULL, data = NULL, answer = NULL;
    assert_int_equal(gcry_sexp_build(&key, NULL, "(private-key(ecc(curve %s)(d %b)))", o->curve,
                                     (int)scalar.n, scalar.p),
                     0);
    assert_int_equal(gcry_sexp_build(&data, NULL, "(data(flags rfc6979)(hash %s %b))", o->hash,
                                     (int)hash.n, hash.p),
                     0);
    assert_int_equal(gcry_pk_sign(&answer, data, key), 0);
    oracle_number(answer, "r", signature, scalar.n);
    oracle_number(answer, "s", signature + scalar.n, scalar.n);
    gcry_sexp_release(key);
    gcry_sexp_release(data);
    gcry_sexp_release(answer);
}

static void check_against_oracle(const struct ecdsa_suite *suite, const struct oracle *o)
{
    size_t size = suite->curve->size;
    uint8_t scalar[EC_MAX_SIZE], message[EC_MAX_SIZE], hash[EC_MAX_SIZE];
    uint8_t ours[2 * EC_MAX_SIZE], theirs[2 * EC_MAX_SIZE];
    assert_ok(random_bytes(scalar, size));
    assert_ok(random_bytes(message, sizeof message));
    scalar[0] &= 0x7f; // below n
    EC_KEY_AUTO *key = NULL;
    assert_ok(ec_key_from_scalar(suite->curve, bytes_of(scalar, size), &key));
    assert_ok(ecdsa_sign(suite, key, BYTES_OF(message), ours));
    assert_ok(suite->hash(BYTES_OF(message), hash));
    oracle_sign(o, bytes_of(scalar, size), bytes_of(hash, size), theirs);
    assert_memory_equal(ours, theirs, 2 * size);
}

static void signatures_are_those_of_libgcrypt(void **state)
{
    (void)state;
    assert_non_null(gcry_check_version(NULL));
    gcry_control(GCRYCTL_DISABLE_SECMEM, 0);
    gcry_control(GCRYCTL_INITIALIZATION_FINISHED, 0);
    const struct oracle p256 = {"NIST P-256", "sha256"}, p384 = {"NIST P-384", "sha384"};
    for (int i = 0; i < 100; i++)
        check_against_oracle(&ecdsa_p256_sha256, &p256);
    for (int i = 0; i < 20; i++)
        check_against_oracle(&ecdsa_p384_sha384, &p384);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(signatures_are_those_of_the_rfc),
        cmocka_unit_test(later_nonces_follow_step_h3),
        cmocka_unit_test(signatures_are_those_of_libgcrypt),
    };
    return cmocka_run_group_tests_name("crypto/rfc6979", tests, NULL, NULL);
}
