// The forms in which tokens give out points, and that no other is taken (client/token/token_point.h). The certificates
// are made with OpenSSL here.
#include "../cmocka_setup.h"

#include "client/token/token_point.h"

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

static void point_of(uint8_t point[static P256_POINT_SIZE])
{
    P256_PAIR_AUTO *pair = NULL;
    assert_ok(p256_pair_generate(&pair));
    memcpy(point, p256_pair_public(pair)->bytes, P256_POINT_SIZE);
}

static void a_point_comes_raw_or_in_an_octet_string(void **state)
{
    (void)state;
    uint8_t point[P256_POINT_SIZE], der[TOKEN_POINT_DER_SIZE], parsed[P256_POINT_SIZE];
    point_of(point);
    token_point_der(point, der);
    assert_ok(token_point_parse(BYTES_OF(point), parsed));
    assert_memory_equal(parsed, point, sizeof point);
    memset(parsed, 0, sizeof parsed);
    assert_ok(token_point_parse(BYTES_OF(der), parsed));
    assert_memory_equal(parsed, point, sizeof point);
}

static void every_other_form_of_a_point_is_refused(void **state)
{
    (void)state;
    uint8_t der[TOKEN_POINT_DER_SIZE + 1] = {0}, parsed[P256_POINT_SIZE];
    uint8_t point[P256_POINT_SIZE];
    point_of(point);
    token_point_der(point, der);
    for (size_t n = 0; n <= sizeof der; n++) {
        if (n != TOKEN_POINT_DER_SIZE && n != P256_POINT_SIZE)
            assert_refused(token_point_parse(bytes_of(der, n), parsed), Q_BAD_INPUT,
                           "uncompressed point");
    }
    for (size_t at = 0; at < 3; at++) { // tag, length, form
        der[at] ^= 1;
        assert_refused(token_point_parse(bytes_of(der, TOKEN_POINT_DER_SIZE), parsed), Q_BAD_INPUT,
                       "uncompressed point");
        der[at] ^= 1;
    }
    point[0] = 2;
    assert_refused(token_point_parse(BYTES_OF(point), parsed), Q_BAD_INPUT, "uncompressed point");
}

static void written_out(int nid, bool seed, int byte, enum q_err expected)
{
    EC_GROUP *group = EC_GROUP_new_by_curve_name(nid);
    uint8_t *der = NULL;
    assert_non_null(group);
    EC_GROUP_set_asn1_flag(group, OPENSSL_EC_EXPLICIT_CURVE);
    if (!seed)
        (void)EC_GROUP_set_seed(group, NULL, 0);
    int n = i2d_ECPKParameters(group, &der);
    assert_true(n > byte);
    if (byte >= 0)
        der[byte] ^= 1;
    assert_int_equal(token_curve_check(bytes_of(der, (size_t)n)), expected);
    OPENSSL_free(der);
    EC_GROUP_free(group);
}

// A curve with another generator would make a stranger the holder of a known public key.
static void only_p256_is_accepted_by_name_or_written_out(void **state)
{
    (void)state;
    uint8_t name[10];
    memcpy(name, token_curve().p, sizeof name);
    assert_ok(token_curve_check(BYTES_OF(name)));
    name[9] ^= 1;
    assert_refused(token_curve_check(BYTES_OF(name)), Q_BAD_INPUT, "the curve P-256");
    assert_refused(token_curve_check(BYTES_LIT("")), Q_BAD_INPUT, "the curve P-256");
    written_out(NID_X9_62_prime256v1, true, -1, Q_OK);
    written_out(NID_secp384r1, true, -1, Q_BAD_INPUT);
    written_out(NID_secp256k1, true, -1, Q_BAD_INPUT);
    for (int byte = 0; byte < 200; byte++)
        written_out(NID_X9_62_prime256v1, true, byte, Q_BAD_INPUT);
}

static struct buf certificate_for(EVP_PKEY *key)
{
    struct buf der = {0};
    X509 *c = X509_new();
    assert_non_null(c);
    assert_int_equal(X509_set_pubkey(c, key), 1);
    assert_non_null(X509_gmtime_adj(X509_getm_notBefore(c), 0));
    assert_non_null(X509_gmtime_adj(X509_getm_notAfter(c), 60));
    assert_true(X509_sign(c, key, EVP_sha256()) > 0);
    uint8_t *made = NULL;
    int n = i2d_X509(c, &made);
    assert_true(n > 0);
    assert_ok(buf_append(&der, bytes_of(made, (size_t)n)));
    OPENSSL_free(made);
    X509_free(c);
    return der;
}

static void a_certificate_gives_its_point(void **state)
{
    (void)state;
    uint8_t point[P256_POINT_SIZE], expected[P256_POINT_SIZE];
    size_t n = 0;
    EVP_PKEY *key = EVP_EC_gen("P-256");
    assert_non_null(key);
    BUF_AUTO der = certificate_for(key);
    assert_int_equal(EVP_PKEY_get_octet_string_param(key, "pub", expected, sizeof expected, &n), 1);
    assert_ok(token_point_of_certificate(buf_bytes(&der), point));
    assert_memory_equal(point, expected, sizeof point);
    assert_ok(buf_u8(&der, 0));
    assert_refused(token_point_of_certificate(buf_bytes(&der), point), Q_BAD_INPUT,
                   "expected one X.509 certificate");
    for (size_t cut = 0; cut < der.n - 1; cut += 7)
        assert_refused(token_point_of_certificate(bytes_of(der.p, cut), point), Q_BAD_INPUT,
                       "expected one X.509 certificate");
    EVP_PKEY_free(key);
}

static void a_certificate_for_another_kind_of_key_is_refused(void **state)
{
    (void)state;
    EVP_PKEY *keys[] = {EVP_EC_gen("P-384"), EVP_EC_gen("secp256k1"), EVP_RSA_gen(2048)};
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        uint8_t point[P256_POINT_SIZE];
        assert_non_null(keys[i]);
        BUF_AUTO der = certificate_for(keys[i]);
        assert_refused(token_point_of_certificate(buf_bytes(&der), point), Q_BAD_INPUT,
                       "a key on P-256");
        EVP_PKEY_free(keys[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_point_comes_raw_or_in_an_octet_string),
        cmocka_unit_test(every_other_form_of_a_point_is_refused),
        cmocka_unit_test(only_p256_is_accepted_by_name_or_written_out),
        cmocka_unit_test(a_certificate_gives_its_point),
        cmocka_unit_test(a_certificate_for_another_kind_of_key_is_refused),
    };
    if (secret_init(true) != Q_OK)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
