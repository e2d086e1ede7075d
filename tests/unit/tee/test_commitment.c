// Commitments and role measurements against the original's vectors in ../shared.
#include "tee_vectors.h"

#include "tee/tee.h"

static void check_one(struct vector_file *f, const char *name, enum commitment which)
{
    const json_t *v = vector_field(f->root, name);
    struct bytes hash = vector_hex(f, v, "manifest_hash");
    struct bytes public = vector_hex(f, v, "ephemeral_public_key");
    uint8_t made[SHA384_SIZE];
    assert_int_equal(hash.n, SHA256_SIZE);
    assert_ok(commitment_make(which, hash.p, public, made));
    assert_bytes(BYTES_OF(made), vector_hex(f, v, "commitment_sha384"));
    assert_ok(commitment_register(which, hash.p, public, made));
    assert_bytes(BYTES_OF(made), vector_hex(f, v, "expected_pcr"));
}

static void commitments_are_the_original_ones(void **state)
{
    (void)state;
    VECTOR_FILE_AUTO f = {0};
    vector_file_shared(&f, "vectors/qos/nsm/pcr_commitments.json");
    check_one(&f, "setup", COMMITMENT_SETUP);
    check_one(&f, "live", COMMITMENT_LIVE);
}

static void role_measures_as_pcr3(void **state)
{
    (void)state;
    VECTOR_FILE_AUTO f = {0};
    vector_file_shared(&f, "vectors/qos/nsm/pcr_commitments.json");
    const json_t *v = vector_field(f.root, "pcr3");
    uint8_t made[SHA384_SIZE];
    assert_ok(role_measurement(bytes_str(vector_text(v, "role_arn")), made));
    assert_bytes(BYTES_OF(made), vector_hex(&f, v, "pcr3"));
}

// Documents modelled on the original's mock, whose root is not marked as simulated.
static void check_mock(const char *file, enum commitment which)
{
    char path[1024];
    shared_path(file, path, sizeof path);
    VECTOR_FILE_AUTO facts = {0};
    vector_file_shared(&facts, "vectors/qos/derived/mock_attestation_doc.json");
    BUF_AUTO document = {0};
    ARENA_AUTO a = {0};
    TRUST_AUTO trust = {0};
    struct claims c;
    assert_ok(file_read(path, ATTESTATION_MAX_SIZE, &document));
    assert_ok(attestation_read(buf_bytes(&document), &a, &c));
    assert_refused(trust_from_der(c.root, "mock root", false, &trust), Q_REFUSED,
                   "quorate-simulated");
    assert_ok(trust_from_der(c.root, "mock root", true, &trust));
    assert_ok(attestation_verify(buf_bytes(&document), &trust, c.timestamp_ms / 1000, &a, &c));
    assert_false(c.simulated);

    struct bytes hash = vector_hex(&facts, facts.root, "manifest_hash");
    struct expectation e = {.user_data = hash, .committed = true, .commitment = which};
    memcpy(e.manifest_hash, hash.p, sizeof e.manifest_hash);
    for (int i = 0; i < MEASUREMENT_COUNT; i++)
        e.measurements[i] = bytes_of(c.registers[i].value, c.registers[i].n);
    e.allow_debug = c.debug;
    assert_ok(claims_check(&c, &e));
    e.commitment = which == COMMITMENT_SETUP ? COMMITMENT_LIVE : COMMITMENT_SETUP;
    assert_refused(claims_check(&c, &e), Q_ATTESTATION, "DifferentPcr {");
}

static void mock_setup_document_is_committed(void **state)
{
    (void)state;
    check_mock("vectors/qos/derived/mock_setup_attestation_doc", COMMITMENT_SETUP);
}

static void mock_live_document_is_committed(void **state)
{
    (void)state;
    check_mock("vectors/qos/derived/mock_live_attestation_doc", COMMITMENT_LIVE);
}

static void commitments_differ_by_domain_key_and_manifest(void **state)
{
    (void)state;
    uint8_t hash[SHA256_SIZE] = {7}, a[SHA384_SIZE], b[SHA384_SIZE];
    assert_ok(commitment_make(COMMITMENT_SETUP, hash, BYTES_LIT("key"), a));
    assert_ok(commitment_make(COMMITMENT_LIVE, hash, BYTES_LIT("key"), b));
    assert_memory_not_equal(a, b, sizeof a);
    assert_ok(commitment_make(COMMITMENT_SETUP, hash, BYTES_LIT("kez"), b));
    assert_memory_not_equal(a, b, sizeof a);
    hash[0] = 8;
    assert_ok(commitment_make(COMMITMENT_SETUP, hash, BYTES_LIT("key"), b));
    assert_memory_not_equal(a, b, sizeof a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(commitments_are_the_original_ones),
        cmocka_unit_test(role_measures_as_pcr3),
        cmocka_unit_test(mock_setup_document_is_committed),
        cmocka_unit_test(mock_live_document_is_committed),
        cmocka_unit_test(commitments_differ_by_domain_key_and_manifest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
