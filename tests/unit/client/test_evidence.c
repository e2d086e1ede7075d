// What commands demand of attestation documents (client/attestation/evidence.h), with documents of a simulated
// TEE.
#include "../folder.h"

#include "base/clock.h"
#include "client/attestation/evidence.h"
#include "client/attestation/trust_root.h"

#define ROLE "arn:aws:iam::1:role/test"

static const struct option verify_table[] = {
    {.name = "attestation-root-path", .kind = OPTION_VALUE},
    {.name = "unsafe-any-attestation-root"},
    {.name = "unsafe-skip-attestation"},
    {.name = "unsafe-allow-debug"},
    {.name = "validation-time-override", .kind = OPTION_VALUE},
};

static enum q_err start(struct verification *v, int count, const char *const *words)
{
    struct options o;
    char *copy[8];
    assert_true(count < 8);
    for (int i = 0; i < count; i++)
        copy[i] = (char *)(uintptr_t)words[i];
    assert_ok(
        options_parse(verify_table, sizeof verify_table / sizeof verify_table[0], count, copy, &o));
    return verification_start(&o, v);
}

// An enclave in the folder, its root in root.der there, and a document of it.
static void make_document(struct folder *f, struct buf *document)
{
    TEE_AUTO *tee = NULL;
    const struct tee_options options = {
        .provider = "sim", .sim_dir = f->path, .role = ROLE, .clock = &clock_wall};
    assert_ok(tee_open(&options, &tee));
    assert_ok(tee_attest(tee, BYTES_LIT("data"), BYTES_NONE, BYTES_NONE, document));
}

static void root_of_a_simulation_is_trusted_only_when_it_is_named(void **state)
{
    struct folder *f = *state;
    ARENA_AUTO a = {0};
    BUF_AUTO document = {0};
    struct claims c;
    make_document(f, &document);
    const char *words[] = {"--attestation-root-path", folder_path(f, "root.der")};
    VERIFICATION_AUTO named = {0};
    assert_ok(start(&named, 2, words));
    assert_ok(evidence_read(&named, buf_bytes(&document), &a, &c));
    assert_true(c.verified);
    assert_true(c.simulated);
    VERIFICATION_AUTO aws = {0};
    assert_ok(start(&aws, 0, NULL));
    assert_refused(evidence_read(&aws, buf_bytes(&document), &a, &c), Q_ATTESTATION, "root");
}

static void environment_names_the_root_when_no_option_does(void **state)
{
    struct folder *f = *state;
    BUF_AUTO document = {0};
    make_document(f, &document);
    assert_int_equal(setenv(TRUST_ROOT_VARIABLE, folder_path(f, "root.der"), 1), 0);
    VERIFICATION_AUTO v = {0};
    enum q_err err = start(&v, 0, NULL);
    assert_int_equal(unsetenv(TRUST_ROOT_VARIABLE), 0);
    assert_ok(err);
    assert_true(v.trust.simulated);
}

static void expired_document_names_the_option_and_its_value(void **state)
{
    struct folder *f = *state;
    ARENA_AUTO a = {0};
    BUF_AUTO document = {0};
    struct claims c;
    char value[64];
    make_document(f, &document);
    const char *words[] = {"--attestation-root-path", folder_path(f, "root.der"),
                           "--validation-time-override", "4000000000"};
    VERIFICATION_AUTO v = {0};
    assert_ok(start(&v, 4, words));
    assert_ok(attestation_read(buf_bytes(&document), &a, &c));
    (void)snprintf(value, sizeof value, "--validation-time-override %lld",
                   (long long)(c.timestamp_ms / 1000));
    assert_refused(evidence_read(&v, buf_bytes(&document), &a, &c), Q_ATTESTATION, value);
    v.overridable = false; // a command without that option
    assert_refused(evidence_read(&v, buf_bytes(&document), &a, &c), Q_ATTESTATION,
                   "get a fresh document");
}

static void forged_document_is_no_matter_of_time(void **state)
{
    struct folder *f = *state;
    ARENA_AUTO a = {0};
    BUF_AUTO document = {0};
    struct claims c;
    make_document(f, &document);
    document.p[document.n - 1] ^= 1;
    const char *words[] = {"--attestation-root-path", folder_path(f, "root.der")};
    VERIFICATION_AUTO v = {0};
    assert_ok(start(&v, 2, words));
    assert_int_equal(evidence_read(&v, buf_bytes(&document), &a, &c), Q_ATTESTATION);
    assert_null(strstr(err_text(), "--validation-time-override"));
}

static void skipping_reads_and_believes_nothing(void **state)
{
    struct folder *f = *state;
    ARENA_AUTO a = {0};
    BUF_AUTO document = {0};
    struct claims c;
    make_document(f, &document);
    const char *words[] = {"--unsafe-skip-attestation"};
    VERIFICATION_AUTO v = {0};
    assert_ok(start(&v, 1, words));
    assert_ok(evidence_read(&v, buf_bytes(&document), &a, &c));
    assert_false(c.verified);
    assert_int_not_equal(evidence_read(&v, BYTES_LIT("no document"), &a, &c), Q_OK);
    // What verification would demand of claims that only were read.
    VERIFICATION_AUTO strict = {0};
    const struct manifest m = {.version = MANIFEST_V1};
    assert_ok(evidence_check_setup(&v, &c, &m));
    assert_ok(start(&strict, 0, NULL));
    assert_int_not_equal(evidence_check_setup(&strict, &c, &m), Q_OK);
}

static struct manifest manifest_for(struct bytes root, struct bytes pcr)
{
    return (struct manifest){
        .version = MANIFEST_V1,
        .enclave = {.pcr0 = pcr, .pcr1 = pcr, .pcr2 = pcr, .root_certificate = root},
    };
}

static void manifest_of_another_root_is_refused_with_both_fingerprints(void **state)
{
    struct folder *f = *state;
    BUF_AUTO document = {0};
    make_document(f, &document);
    const char *words[] = {"--attestation-root-path", folder_path(f, "root.der")};
    VERIFICATION_AUTO sim = {0}, aws = {0};
    assert_ok(start(&sim, 2, words));
    assert_ok(start(&aws, 0, NULL));
    const struct bytes pcr = BYTES_LIT("measured");
    const struct manifest real = manifest_for(attestation_aws_root, pcr);
    const struct manifest simulated = manifest_for(buf_bytes(&sim.trust.root), pcr);
    assert_ok(evidence_manifest_ready(&aws, &real));
    assert_ok(evidence_manifest_ready(&sim, &simulated));
    assert_refused(evidence_manifest_ready(&sim, &real), Q_REFUSED,
                   "641a0321a3e244efe456463195d606317ed7cdcc3c1756e09893f3c68f79bb5b");
    assert_refused(evidence_manifest_ready(&aws, &simulated), Q_REFUSED,
                   "the root of a simulated TEE");
    assert_refused(evidence_manifest_ready(&aws, &simulated), Q_REFUSED, "--attestation-root-path");
}

static void manifest_without_measurements_is_refused_unless_debug_is_allowed(void **state)
{
    (void)state;
    static const uint8_t zero[SHA384_SIZE];
    const struct manifest m = manifest_for(attestation_aws_root, BYTES_OF(zero));
    const char *allow[] = {"--unsafe-allow-debug"}, *skip[] = {"--unsafe-skip-attestation"};
    VERIFICATION_AUTO strict = {0}, debug = {0}, skipping = {0};
    assert_ok(start(&strict, 0, NULL));
    assert_ok(start(&debug, 1, allow));
    assert_ok(start(&skipping, 1, skip));
    assert_refused(evidence_manifest_ready(&strict, &m), Q_REFUSED, "placeholders");
    assert_ok(evidence_manifest_ready(&debug, &m));
    assert_ok(evidence_manifest_ready(&skipping, &m));
}

static void role_must_be_the_one_behind_pcr3(void **state)
{
    (void)state;
    uint8_t pcr3[SHA384_SIZE];
    assert_ok(role_measurement(BYTES_LIT(ROLE), pcr3));
    const struct manifest m = {.enclave = {.pcr3 = BYTES_OF(pcr3)}};
    assert_ok(evidence_role_matches(&m, BYTES_LIT(ROLE)));
    assert_refused(evidence_role_matches(&m, BYTES_LIT("arn:aws:iam::1:role/other")), Q_REFUSED,
                   "Pcr3PreimageDoesNotMatchManifest");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(root_of_a_simulation_is_trusted_only_when_it_is_named,
                                        folder_make, folder_remove),
        cmocka_unit_test_setup_teardown(environment_names_the_root_when_no_option_does, folder_make,
                                        folder_remove),
        cmocka_unit_test_setup_teardown(expired_document_names_the_option_and_its_value,
                                        folder_make, folder_remove),
        cmocka_unit_test_setup_teardown(forged_document_is_no_matter_of_time, folder_make,
                                        folder_remove),
        cmocka_unit_test_setup_teardown(skipping_reads_and_believes_nothing, folder_make,
                                        folder_remove),
        cmocka_unit_test_setup_teardown(manifest_of_another_root_is_refused_with_both_fingerprints,
                                        folder_make, folder_remove),
        cmocka_unit_test(manifest_without_measurements_is_refused_unless_debug_is_allowed),
        cmocka_unit_test(role_must_be_the_one_behind_pcr3),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
