// Inspecting a document (tee/attestation.h) says the same as verifying it, over every document of
// tests/vectors/tee: what verify refuses, inspect refuses with the same sentence, at the same step.
#include "tee_vectors.h"

static struct bytes first_why(const struct attestation_report *report)
{
    for (size_t i = 0; i < ATTESTATION_STEPS; i++) {
        if (report->steps[i].made && report->steps[i].result != Q_OK)
            return report->steps[i].why;
    }
    return BYTES_NONE;
}

static void assert_same_claims(const struct claims *a, const struct claims *b)
{
    assert_int_equal(a->verified, b->verified);
    assert_int_equal(a->simulated, b->simulated);
    assert_int_equal(a->debug, b->debug);
    assert_int_equal(a->timestamp_ms, b->timestamp_ms);
    assert_int_equal(a->not_before_s, b->not_before_s);
    assert_int_equal(a->not_after_s, b->not_after_s);
    assert_bytes(a->public_key, b->public_key);
    assert_bytes(a->user_data, b->user_data);
    assert_bytes(a->nonce, b->nonce);
}

static void inspection_and_verification_agree(void **state)
{
    const json_t *entry = *state;
    ARENA_AUTO a = {0};
    TRUST_AUTO trust = {0};
    BUF_AUTO document = {0};
    struct claims verified, inspected;
    struct attestation_report report;
    char sentence[Q_ERR_TEXT_SIZE];
    own_trust(vector_text(entry, "root"), &trust);
    own_file(vector_text(entry, "name"), ".cose", &document);
    int64_t at = json_integer_value(vector_field(entry, "at"));
    enum q_err first = attestation_verify(buf_bytes(&document), &trust, at, &a, &verified);
    (void)snprintf(sentence, sizeof sentence, "%s", first == Q_OK ? "" : err_text());
    enum q_err second =
        attestation_inspect(buf_bytes(&document), &trust, at, &a, &inspected, &report);
    assert_int_equal(first, second);
    assert_int_equal(verified.verified, inspected.verified);
    if (first == Q_OK) {
        assert_same_claims(&verified, &inspected);
        return;
    }
    assert_string_equal(sentence, err_text());
    struct bytes why = first_why(&report);
    assert_true(why.n > 0);
    assert_non_null(memmem(sentence, strlen(sentence), why.p, why.n));
}

int main(void)
{
    VECTOR_FILE_AUTO cases = {0};
    vector_file_own(&cases, "tee/cases.json");
    size_t count = json_array_size(cases.root);
    struct CMUnitTest *tests = count < 100 ? NULL : calloc(count, sizeof *tests);
    if (tests == NULL)
        return 1;
    for (size_t i = 0; i < count; i++) {
        json_t *entry = json_array_get(cases.root, i);
        tests[i] = (struct CMUnitTest){.name = vector_text(entry, "name"),
                                       .test_func = inspection_and_verification_agree,
                                       .initial_state = entry};
    }
    int failed = _cmocka_run_group_tests("tee_inspect", tests, count, NULL, NULL);
    free(tests);
    return failed;
}
