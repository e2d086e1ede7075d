// Which roots are accepted: the pinned one, those that say they are simulated, others only when
// told to.
#include "tee_vectors.h"

#include "crypto/hash.h"

#define OWN(name) SOURCE_ROOT "/tests/vectors/tee/" name

static void aws_root_has_the_published_hash(void **state)
{
    (void)state;
    static const char expected[] =
        "641a0321a3e244efe456463195d606317ed7cdcc3c1756e09893f3c68f79bb5b";
    uint8_t hash[SHA256_SIZE];
    char hex[2 * SHA256_SIZE + 1];
    assert_ok(sha256(attestation_aws_root, hash));
    sodium_bin2hex(hex, sizeof hex, hash, sizeof hash);
    assert_string_equal(hex, expected);
    TRUST_AUTO trust = {0};
    assert_ok(trust_aws(&trust));
    assert_false(trust.simulated);
    assert_int_equal(trust.not_before_s, 1572269285); // 2019-10-28 13:28:05
    assert_int_equal(trust.not_after_s, 2519044085);  // 2049-10-28 14:28:05
}

static void simulated_root_is_accepted_as_der_and_pem(void **state)
{
    (void)state;
    TRUST_AUTO der = {0}, pem = {0};
    assert_ok(trust_load(OWN("root.der"), false, &der));
    assert_true(der.simulated);
    assert_ok(trust_load(OWN("root.pem"), false, &pem));
    assert_true(pem.simulated);
    assert_bytes(buf_bytes(&der.root), buf_bytes(&pem.root));
}

static void unmarked_root_is_refused_unless_any_root(void **state)
{
    (void)state;
    TRUST_AUTO trust = {0};
    assert_refused(trust_load(OWN("plain_root.der"), false, &trust), Q_REFUSED,
                   "quorate-simulated");
    assert_null(trust.store);
    assert_ok(trust_load(OWN("plain_root.der"), true, &trust));
    assert_false(trust.simulated);
}

static void root_that_is_no_root_is_refused_always(void **state)
{
    (void)state;
    TRUST_AUTO trust = {0};
    assert_refused(trust_load(OWN("leaf.der"), true, &trust), Q_ATTESTATION, "basicConstraints");
    assert_refused(trust_load(OWN("unknown_critical_root.der"), true, &trust), Q_ATTESTATION,
                   "unknown critical extension 1.3.6.1.4.1.32473.1");
    assert_refused(trust_load(OWN("good.cose"), true, &trust), Q_BAD_INPUT, "DER certificate");
    assert_refused(trust_load(OWN("absent.der"), true, &trust), Q_IO, "absent.der");
    assert_refused(trust_from_der(BYTES_LIT(""), "nothing", true, &trust), Q_BAD_INPUT, "nothing");
}

static void pem_with_two_certificates_or_none_is_refused(void **state)
{
    (void)state;
    char path[] = "/tmp/quorate-trust-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    (void)close(fd);
    BUF_AUTO pem = {0}, twice = {0};
    TRUST_AUTO trust = {0};
    own_file("root.pem", "", &pem);
    assert_ok(buf_append(&twice, buf_bytes(&pem)));
    assert_ok(buf_append(&twice, buf_bytes(&pem)));
    assert_ok(file_write(path, buf_bytes(&twice), 0600, FILE_REPLACE));
    assert_refused(trust_load(path, false, &trust), Q_BAD_INPUT, "several");
    assert_ok(file_write(path, BYTES_LIT("-----BEGIN CERTIFICATE-----\n"), 0600, FILE_REPLACE));
    assert_refused(trust_load(path, false, &trust), Q_BAD_INPUT, "none");
    (void)unlink(path);
}

static void verification_without_a_root_is_refused(void **state)
{
    (void)state;
    ARENA_AUTO a = {0};
    const struct trust none = {0};
    BUF_AUTO document = {0};
    struct claims c;
    own_file("good", ".cose", &document);
    assert_refused(attestation_verify(buf_bytes(&document), &none, OWN_AT, &a, &c), Q_INTERNAL,
                   "no trusted root");
}

static void aws_root_never_trusts_a_simulated_document(void **state)
{
    (void)state;
    ARENA_AUTO a = {0};
    TRUST_AUTO trust = {0};
    BUF_AUTO document = {0};
    struct claims c;
    assert_ok(trust_aws(&trust));
    own_file("good", ".cose", &document);
    assert_refused(attestation_verify(buf_bytes(&document), &trust, OWN_AT, &a, &c), Q_ATTESTATION,
                   "cabundle[0]");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(aws_root_has_the_published_hash),
        cmocka_unit_test(simulated_root_is_accepted_as_der_and_pem),
        cmocka_unit_test(unmarked_root_is_refused_unless_any_root),
        cmocka_unit_test(root_that_is_no_root_is_refused_always),
        cmocka_unit_test(pem_with_two_certificates_or_none_is_refused),
        cmocka_unit_test(verification_without_a_root_is_refused),
        cmocka_unit_test(aws_root_never_trusts_a_simulated_document),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
