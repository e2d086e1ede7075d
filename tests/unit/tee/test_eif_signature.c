// Signing images: the section verifies, is the same each time, and only the certificate's own key makes
// one. The verdicts on sections of others are in test_eif.c.
#include "eif_vectors.h"

#include "base/file.h"

static struct eif_measurements measurements;

static int start(void **state)
{
    (void)state;
    memset(measurements.pcr[0], 0x5a, SHA384_SIZE);
    return secret_init(true) == Q_OK ? 0 : -1;
}

static void own(const char *name, char *path, size_t size)
{
    int n = snprintf(path, size, "%s/tests/vectors/eif/%s", SOURCE_ROOT, name);
    assert_true(n > 0 && (size_t)n < size);
}

static enum q_err sign_with(const char *key_name, struct buf *section)
{
    char path[1024];
    BUF_AUTO pem = {0};
    SECRET_AUTO key = {0};
    own("signer.pem", path, sizeof path);
    assert_ok(file_read(path, EIF_CERTIFICATE_MAX, &pem));
    own(key_name, path, sizeof path);
    assert_ok(file_read_secret(path, EIF_KEY_MAX, &key));
    return eif_sign(&measurements, buf_bytes(&pem), &key, section);
}

static void a_signature_verifies_and_is_the_same_each_time(void **state)
{
    (void)state;
    BUF_AUTO one = {0}, two = {0}, other_form = {0};
    struct eif_signer signer;
    assert_ok(sign_with("signer.key", &one));
    assert_ok(sign_with("signer.key", &two));
    assert_ok(sign_with("signer_sec1.key", &other_form));
    assert_bytes(buf_bytes(&one), buf_bytes(&two));
    assert_bytes(buf_bytes(&one), buf_bytes(&other_form));
    assert_ok(eif_signature_verify(buf_bytes(&one), &measurements, &signer));
    assert_int_equal(signer.not_before_s, 1767225600);
}

static void the_signature_is_for_this_image_alone(void **state)
{
    (void)state;
    BUF_AUTO section = {0};
    struct eif_signer signer;
    assert_ok(sign_with("signer.key", &section));
    struct eif_measurements other = measurements;
    other.pcr[0][47] ^= 1;
    assert_refused(eif_signature_verify(buf_bytes(&section), &other, &signer), Q_REFUSED,
                   "expected PCR0 of this image");
    other = measurements;
    other.pcr[1][0] ^= 1; // PCR1 and PCR2 are parts of PCR0
    assert_ok(eif_signature_verify(buf_bytes(&section), &other, &signer));
}

static void keys_that_cannot_sign_are_refused(void **state)
{
    (void)state;
    BUF_AUTO section = {0};
    assert_refused(sign_with("other.key", &section), Q_CRYPTO,
                   "expected the key of the certificate");
    assert_refused(sign_with("p256.key", &section), Q_BAD_INPUT,
                   "expected a P-384 key, found prime256v1");
    assert_refused(sign_with("signer_locked.key", &section), Q_BAD_INPUT, "without a passphrase");
    assert_refused(sign_with("signer.pem", &section), Q_BAD_INPUT, "expected a private key in PEM");
    assert_int_equal(section.n, 0);
}

// Where the certificate's text ends, which no signature covers: another one is another signer, as PCR8 says.
static size_t end_of_certificate(struct bytes section)
{
    static const char key[] = "isignature"; // a text of 9, as CBOR has it
    const uint8_t *found = memmem(section.p, section.n, key, sizeof key - 1);
    assert_non_null(found);
    return (size_t)(found - section.p);
}

static void a_section_cut_short_or_flipped_anywhere_is_refused(void **state)
{
    (void)state;
    BUF_AUTO section = {0};
    struct eif_signer signer;
    assert_ok(sign_with("signer.key", &section));
    for (size_t n = 0; n < section.n; n++)
        assert_int_not_equal(eif_signature_verify(bytes_of(section.p, n), &measurements, &signer),
                             Q_OK);
    for (size_t i = end_of_certificate(buf_bytes(&section)); i < section.n; i++) {
        section.p[i] ^= 1;
        if (eif_signature_verify(buf_bytes(&section), &measurements, &signer) == Q_OK)
            fail_msg("byte %zu flipped: accepted", i);
        section.p[i] ^= 1;
    }
}

static void another_certificate_of_the_same_key_is_another_signer(void **state)
{
    (void)state;
    BUF_AUTO section = {0};
    struct eif_signer signer;
    uint8_t pcr8[SHA384_SIZE];
    assert_ok(sign_with("signer.key", &section));
    assert_ok(eif_signature_verify(buf_bytes(&section), &measurements, &signer));
    memcpy(pcr8, signer.pcr8, sizeof pcr8);
    size_t end = end_of_certificate(buf_bytes(&section)), others = 0;
    for (size_t i = 0; i < end; i++) {
        section.p[i] ^= 4;
        if (eif_signature_verify(buf_bytes(&section), &measurements, &signer) == Q_OK)
            others += memcmp(pcr8, signer.pcr8, sizeof pcr8) != 0;
        section.p[i] ^= 4;
    }
    assert_true(others > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_signature_verifies_and_is_the_same_each_time),
        cmocka_unit_test(the_signature_is_for_this_image_alone),
        cmocka_unit_test(keys_that_cannot_sign_are_refused),
        cmocka_unit_test(a_section_cut_short_or_flipped_anywhere_is_refused),
        cmocka_unit_test(another_certificate_of_the_same_key_is_another_signer),
    };
    return cmocka_run_group_tests(tests, start, NULL);
}
