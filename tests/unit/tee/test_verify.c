// Every document of tests/vectors/tee gets its verdict: good ones with the claims the model
// expects, those with one defect an error that names the check.
#include "tee_vectors.h"

static void check_claims(const struct claims *c, const json_t *expected)
{
    assert_true(c->verified);
    assert_true(c->simulated);
    if (expected == NULL)
        return;
    assert_int_equal(c->not_before_s, json_integer_value(vector_field(expected, "not_before")));
    assert_int_equal(c->not_after_s, json_integer_value(vector_field(expected, "not_after")));
    assert_int_equal(c->debug, json_is_true(vector_field(expected, "debug")));
    const json_t *registers = json_object_get(expected, "registers");
    if (registers != NULL)
        assert_int_equal(c->register_count, json_integer_value(registers));
    const json_t *timestamp = json_object_get(expected, "timestamp");
    if (timestamp != NULL)
        assert_int_equal(c->timestamp_ms, json_integer_value(timestamp));
    const json_t *nonce = json_object_get(expected, "nonce");
    if (nonce != NULL)
        assert_true(c->nonce.p != NULL && c->nonce.n == (size_t)json_integer_value(nonce));
}

static void document_gets_its_verdict(void **state)
{
    const json_t *entry = *state;
    ARENA_AUTO a = {0};
    TRUST_AUTO trust = {0};
    BUF_AUTO document = {0};
    struct claims claims;
    own_trust(vector_text(entry, "root"), &trust);
    own_file(vector_text(entry, "name"), ".cose", &document);
    int64_t at = json_integer_value(vector_field(entry, "at"));
    enum q_err err = attestation_verify(buf_bytes(&document), &trust, at, &a, &claims);
    if (strcmp(vector_text(entry, "verdict"), "accept") == 0) {
        assert_ok(err);
        check_claims(&claims, json_object_get(entry, "claims"));
        return;
    }
    const char *error = json_string_value(json_object_get(entry, "error"));
    assert_int_not_equal(err, Q_OK);
    assert_false(claims.verified);
    assert_non_null(strstr(err_text(), "attestation document: "));
    if (error != NULL && strstr(err_text(), error) == NULL)
        fail_msg("expected \"%s\" in \"%s\"", error, err_text());
}

int main(void)
{
    VECTOR_FILE_AUTO cases = {0};
    vector_file_own(&cases, "tee/cases.json");
    size_t count = json_array_size(cases.root);
    struct CMUnitTest *tests = calloc(count, sizeof *tests);
    if (tests == NULL || count < 100)
        return 1;
    for (size_t i = 0; i < count; i++) {
        json_t *entry = json_array_get(cases.root, i);
        tests[i] = (struct CMUnitTest){.name = vector_text(entry, "name"),
                                       .test_func = document_gets_its_verdict,
                                       .initial_state = entry};
    }
    int failed = _cmocka_run_group_tests("tee_verify", tests, count, NULL, NULL);
    free(tests);
    return failed;
}
