// Live attestation documents against a manifest: each rule of qos-wire 7.3 refuses, and writes nothing.
#include "app_fixture.h"

#include <stdlib.h>
#include <time.h>

#define LATER (NOW_S + 60)

static struct app_evidence evidence_of(const struct enclave *e, const struct app_manifest *m)
{
    return (struct app_evidence){
        .document = e->document.p,
        .document_size = e->document.n,
        .manifest = m,
        .root = e->root.p,
        .root_size = e->root.n,
        .at = LATER,
    };
}

static void assert_evidence(const struct app_evidence *evidence, enum app_status expected,
                            const char *text)
{
    uint8_t key[APP_PUBLIC_KEY_SIZE], untouched[APP_PUBLIC_KEY_SIZE];
    char *claims = (char *)key;
    memset(key, 0xaa, sizeof key);
    memset(untouched, 0xaa, sizeof untouched);
    assert_status(app_evidence_verify(evidence, key, &claims), expected, text);
    assert_null(claims);
    assert_memory_equal(key, untouched, sizeof key);
}

// The envelope as it is now, with the document as it is now.
static void assert_refused_as_is(struct enclave *e, enum app_status expected, const char *text)
{
    enclave_store(e);
    struct app_manifest *m = parse_manifest(e);
    const struct app_evidence evidence = evidence_of(e, m);
    assert_evidence(&evidence, expected, text);
    app_manifest_free(m);
}

static struct bytes live_key(const struct enclave *e)
{
    return p256_public_bytes(p256_pair_public(e->live));
}

static void evidence_holds_from_the_first_to_the_last_second(void **state)
{
    struct enclave *e = *state;
    char *claims = NULL;
    uint8_t key[APP_PUBLIC_KEY_SIZE];
    struct app_manifest *m = parse_manifest(e);
    struct app_evidence evidence = evidence_of(e, m);
    assert_app_ok(app_evidence_verify(&evidence, key, &claims));
    assert_bytes(BYTES_OF(key), live_key(e));
    const char *until = strstr(claims, "\"validUntil\":");
    assert_non_null(until);
    evidence.at = strtoll(until + 13, NULL, 10);
    assert_app_ok(app_evidence_verify(&evidence, NULL, NULL));
    evidence.at++;
    assert_evidence(&evidence, APP_ATTESTATION, "attestation document");
    evidence.at = NOW_S - (int64_t)20 * 366 * 86400;
    assert_evidence(&evidence, APP_ATTESTATION, "attestation document");
    app_text_free(claims);
    app_manifest_free(m);
}

static void another_manifest_is_refused(void **state)
{
    struct enclave *e = *state;
    e->envelope.manifest.namespace.nonce++;
    assert_refused_as_is(e, APP_ATTESTATION, "DifferentUserData");
}

static void a_document_about_another_manifest_cannot_be_relabelled(void **state)
{
    struct enclave *e = *state;
    e->envelope.manifest.namespace.nonce++;
    enclave_approve(e);
    enclave_attest(e, BYTES_OF(e->hash), BYTES_NONE, live_key(e));
    assert_refused_as_is(e, APP_ATTESTATION, "DifferentPcr {"); // the commitment says otherwise
}

static void keys_that_are_not_committed_are_refused(void **state)
{
    struct enclave *e = *state;
    // The setup key is committed, but in PCR16.
    enclave_attest(e, BYTES_OF(e->hash), BYTES_NONE, p256_public_bytes(p256_pair_public(e->setup)));
    assert_refused_as_is(e, APP_ATTESTATION, "(PCR17)");
    enclave_attest(e, BYTES_OF(e->hash), BYTES_NONE,
                   p256_public_bytes(p256_pair_public(e->quorum)));
    assert_refused_as_is(e, APP_ATTESTATION, "(PCR17)");
    enclave_attest(e, BYTES_OF(e->hash), BYTES_NONE, BYTES_LIT("no key"));
    assert_refused_as_is(e, APP_ATTESTATION, "(PCR17)");
    enclave_attest(e, BYTES_OF(e->hash), BYTES_NONE, BYTES_NONE);
    assert_refused_as_is(e, APP_ATTESTATION, "MissingPubKey");
}

static void other_user_data_and_nonces_are_refused(void **state)
{
    struct enclave *e = *state;
    enclave_attest(e, BYTES_LIT("other"), BYTES_NONE, live_key(e));
    assert_refused_as_is(e, APP_ATTESTATION, "DifferentUserData");
    enclave_attest(e, BYTES_NONE, BYTES_NONE, live_key(e));
    assert_refused_as_is(e, APP_ATTESTATION, "MissingUserData");
    enclave_attest(e, BYTES_OF(e->hash), BYTES_LIT("n"), live_key(e));
    assert_refused_as_is(e, APP_ATTESTATION, "UnexpectedNonce");
}

// A manifest with another measurement, and a document that claims to be about it.
static void each_measurement_counts(void **state)
{
    struct enclave *e = *state;
    struct nitro_config *n = &e->envelope.manifest.enclave;
    struct bytes *values[] = {&n->pcr0, &n->pcr1, &n->pcr2, &n->pcr3};
    for (int i = 0; i < 4; i++) {
        uint8_t other[SHA384_SIZE];
        char text[32];
        const struct bytes good = *values[i];
        memcpy(other, good.p, sizeof other);
        other[47] ^= 1;
        *values[i] = BYTES_OF(other);
        enclave_approve(e);
        enclave_attest(e, BYTES_OF(e->hash), BYTES_NONE, live_key(e));
        (void)snprintf(text, sizeof text, "DifferentPcr%d", i);
        assert_refused_as_is(e, APP_ATTESTATION, text);
        *values[i] = good;
    }
}

static void placeholder_measurements_are_refused(void **state)
{
    struct enclave *e = *state;
    static const uint8_t zeros[SHA384_SIZE];
    struct nitro_config *n = &e->envelope.manifest.enclave;
    struct bytes *values[] = {&n->pcr0, &n->pcr1, &n->pcr2};
    for (int i = 0; i < 3; i++) {
        const struct bytes good = *values[i];
        *values[i] = BYTES_OF(zeros);
        assert_refused_as_is(e, APP_REFUSED, "zeros");
        *values[i] = good;
    }
}

static void the_trusted_root_is_the_manifests(void **state)
{
    struct enclave *e = *state;
    void *other = NULL;
    struct app_manifest *m = parse_manifest(e);
    struct app_evidence evidence = evidence_of(e, m);
    evidence.root = NULL; // AWS's
    evidence.root_size = 0;
    assert_evidence(&evidence, APP_REFUSED, "attestation root");
    evidence.root_size = 1;
    assert_evidence(&evidence, APP_BAD_INPUT, "attestation root");
    app_manifest_free(m);
    assert_int_equal(enclave_start(&other), 0); // its PKI is another
    const struct enclave *o = other;
    m = parse_manifest(e);
    evidence = evidence_of(e, m);
    evidence.root = o->root.p;
    evidence.root_size = o->root.n;
    assert_evidence(&evidence, APP_REFUSED, "attestation root");
    evidence = evidence_of(e, m);
    evidence.document = o->document.p; // of the same program, signed by the other PKI
    evidence.document_size = o->document.n;
    assert_evidence(&evidence, APP_ATTESTATION, "attestation document");
    app_manifest_free(m);
    assert_int_equal(enclave_stop(&other), 0);
}

static void roots_that_are_none_are_refused(void **state)
{
    struct enclave *e = *state;
    struct app_manifest *m = parse_manifest(e);
    struct app_evidence evidence = evidence_of(e, m);
    evidence.root_size--;
    assert_evidence(&evidence, APP_BAD_INPUT, "attestation root");
    evidence.root = "";
    evidence.root_size = 0;
    assert_evidence(&evidence, APP_BAD_INPUT, "attestation root");
    app_manifest_free(m);
}

static void every_byte_of_a_document_counts(void **state)
{
    struct enclave *e = *state;
    struct app_manifest *m = parse_manifest(e);
    struct app_evidence evidence = evidence_of(e, m);
    for (size_t i = 0; i < e->document.n; i += 23) {
        e->document.p[i] ^= 1;
        assert_evidence(&evidence, APP_ATTESTATION, "attestation document");
        e->document.p[i] ^= 1;
    }
    for (size_t n = 0; n < e->document.n; n += 97) {
        evidence.document_size = n;
        assert_evidence(&evidence, APP_ATTESTATION, "attestation document");
    }
    evidence.document_size = e->document.n;
    assert_app_ok(app_evidence_verify(&evidence, NULL, NULL));
    app_manifest_free(m);
}

static void missing_parts_are_bad_input(void **state)
{
    struct enclave *e = *state;
    struct app_manifest *m = parse_manifest(e);
    struct app_evidence evidence = evidence_of(e, m);
    assert_evidence(NULL, APP_BAD_INPUT, "evidence");
    evidence.manifest = NULL;
    assert_evidence(&evidence, APP_BAD_INPUT, "manifest");
    evidence.manifest = m;
    evidence.document = NULL;
    assert_evidence(&evidence, APP_BAD_INPUT, "document");
    app_manifest_free(m);
}

static void no_time_means_now(void **state)
{
    struct enclave *e = *state;
    struct app_manifest *m = parse_manifest(e);
    struct app_evidence evidence = evidence_of(e, m);
    evidence.at = time(NULL);
    enum app_status said = app_evidence_verify(&evidence, NULL, NULL);
    evidence.at = 0;
    assert_int_equal(app_evidence_verify(&evidence, NULL, NULL), said);
    app_manifest_free(m);
}

static int start(void **state)
{
    (void)state;
    return app_start(true, NULL) == APP_OK ? 0 : -1;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ENCLAVE_TEST(evidence_holds_from_the_first_to_the_last_second),
        ENCLAVE_TEST(another_manifest_is_refused),
        ENCLAVE_TEST(a_document_about_another_manifest_cannot_be_relabelled),
        ENCLAVE_TEST(keys_that_are_not_committed_are_refused),
        ENCLAVE_TEST(other_user_data_and_nonces_are_refused),
        ENCLAVE_TEST(each_measurement_counts),
        ENCLAVE_TEST(placeholder_measurements_are_refused),
        ENCLAVE_TEST(the_trusted_root_is_the_manifests),
        ENCLAVE_TEST(roots_that_are_none_are_refused),
        ENCLAVE_TEST(every_byte_of_a_document_counts),
        ENCLAVE_TEST(missing_parts_are_bad_input),
        ENCLAVE_TEST(no_time_means_now),
    };
    return cmocka_run_group_tests(tests, start, NULL);
}
