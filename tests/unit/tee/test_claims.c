// Claims against expectations: every rule of qos-wire 7.3, in its order, with the original's names.
#include "tee_vectors.h"

#include "tee/tee.h"

struct fixture {
    struct arena arena;
    struct claims claims;
    struct expectation expected;
};

// Claims and expectation that agree, with everything a committed enclave shows.
static void agree(struct fixture *f, const char *name, enum commitment which)
{
    *f = (struct fixture){0};
    own_claims(name, &f->arena, &f->claims);
    f->expected = (struct expectation){
        .user_data = f->claims.user_data, .committed = true, .commitment = which};
    assert_ok(sha256(BYTES_LIT("manifest"), f->expected.manifest_hash));
    for (int i = 0; i < MEASUREMENT_COUNT; i++)
        f->expected.measurements[i] =
            bytes_of(f->claims.registers[i].value, f->claims.registers[i].n);
}

static int start(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    agree(f, "committed_setup", COMMITMENT_SETUP);
    *state = f;
    return 0;
}

static int stop(void **state)
{
    struct fixture *f = *state;
    arena_free(&f->arena);
    free(f);
    return 0;
}

static const uint8_t other[48] = {1, 2, 3};

static void both_commitments_of_the_model_are_accepted(void **state)
{
    struct fixture *f = *state;
    assert_ok(claims_check(&f->claims, &f->expected));
    arena_free(&f->arena);
    agree(f, "committed_live", COMMITMENT_LIVE);
    assert_ok(claims_check(&f->claims, &f->expected));
}

static void unverified_claims_are_refused(void **state)
{
    struct fixture *f = *state;
    f->claims.verified = false;
    assert_refused(claims_check(&f->claims, &f->expected), Q_ATTESTATION, "verified");
}

static void user_data_must_be_there_and_equal(void **state)
{
    struct fixture *f = *state;
    f->expected.user_data = BYTES_OF(other);
    assert_refused(claims_check(&f->claims, &f->expected), Q_ATTESTATION,
                   "DifferentUserData { expected: \"010203");
    f->claims.user_data = BYTES_NONE;
    assert_refused(claims_check(&f->claims, &f->expected), Q_ATTESTATION, "MissingUserData");
}

static void nonce_must_be_absent_even_when_empty(void **state)
{
    struct fixture *f = *state;
    f->claims.nonce = BYTES_LIT("");
    assert_refused(claims_check(&f->claims, &f->expected), Q_ATTESTATION, "UnexpectedNonce");
}

static void each_measurement_must_be_there_and_equal(void **state)
{
    struct fixture *f = *state;
    for (int i = 0; i < MEASUREMENT_COUNT; i++) {
        char text[64];
        struct bytes kept = f->expected.measurements[i];
        f->expected.measurements[i] = BYTES_OF(other);
        (void)snprintf(text, sizeof text, "DifferentPcr%d { expected: \"010203", i);
        assert_refused(claims_check(&f->claims, &f->expected), Q_ATTESTATION, text);
        f->expected.measurements[i] = bytes_of(kept.p, kept.n - 1); // a prefix is not equal
        assert_int_equal(claims_check(&f->claims, &f->expected), Q_ATTESTATION);
        f->expected.measurements[i] = BYTES_NONE; // nothing expected matches nothing
        assert_int_equal(claims_check(&f->claims, &f->expected), Q_ATTESTATION);
        f->expected.measurements[i] = kept;
        f->claims.registers[i].present = false;
        (void)snprintf(text, sizeof text, "MissingPcr { index: %d }", i);
        assert_refused(claims_check(&f->claims, &f->expected), Q_ATTESTATION, text);
        f->claims.registers[i].present = true;
    }
    assert_ok(claims_check(&f->claims, &f->expected));
}

static void checks_come_in_the_order_of_the_original(void **state)
{
    struct fixture *f = *state;
    const struct fixture good = *f;
    f->claims.public_key = BYTES_NONE;
    f->claims.registers[31].present = false;
    assert_refused(claims_check(&f->claims, &f->expected), Q_ATTESTATION,
                   "MissingPcr { index: 31 }");
    f->expected.measurements[3] = BYTES_OF(other);
    assert_refused(claims_check(&f->claims, &f->expected), Q_ATTESTATION, "DifferentPcr3");
    f->expected.measurements[0] = BYTES_OF(other);
    assert_refused(claims_check(&f->claims, &f->expected), Q_ATTESTATION, "DifferentPcr0");
    f->claims.nonce = BYTES_LIT("n");
    assert_refused(claims_check(&f->claims, &f->expected), Q_ATTESTATION, "UnexpectedNonce");
    f->expected.user_data = BYTES_LIT("n");
    assert_refused(claims_check(&f->claims, &f->expected), Q_ATTESTATION, "DifferentUserData");
    *f = good;
}

static void debug_is_refused_unless_allowed(void **state)
{
    struct fixture *f = *state;
    arena_free(&f->arena);
    agree(f, "good_debug", COMMITMENT_SETUP);
    f->expected.committed = false;
    assert_refused(claims_check(&f->claims, &f->expected), Q_ATTESTATION, "debug mode");
    f->expected.allow_debug = true;
    assert_ok(claims_check(&f->claims, &f->expected));
}

static void commitment_must_match_manifest_key_and_kind(void **state)
{
    struct fixture *f = *state;
    f->expected.manifest_hash[31] ^= 1;
    assert_refused(claims_check(&f->claims, &f->expected), Q_ATTESTATION, "DifferentPcr {");
    f->expected.manifest_hash[31] ^= 1;
    f->expected.commitment = COMMITMENT_LIVE;
    assert_refused(claims_check(&f->claims, &f->expected), Q_ATTESTATION, "DifferentPcr {");
    f->expected.commitment = COMMITMENT_SETUP;
    f->claims.public_key.n--;
    assert_refused(claims_check(&f->claims, &f->expected), Q_ATTESTATION, "DifferentPcr {");
    f->claims.public_key = BYTES_NONE;
    assert_refused(claims_check(&f->claims, &f->expected), Q_ATTESTATION, "MissingPubKey");
}

static void commitment_is_not_asked_for_unless_committed(void **state)
{
    struct fixture *f = *state;
    f->claims.public_key = BYTES_NONE;
    f->claims.registers[16].present = false;
    f->expected.committed = false;
    assert_ok(claims_check(&f->claims, &f->expected));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(both_commitments_of_the_model_are_accepted, start, stop),
        cmocka_unit_test_setup_teardown(unverified_claims_are_refused, start, stop),
        cmocka_unit_test_setup_teardown(user_data_must_be_there_and_equal, start, stop),
        cmocka_unit_test_setup_teardown(nonce_must_be_absent_even_when_empty, start, stop),
        cmocka_unit_test_setup_teardown(each_measurement_must_be_there_and_equal, start, stop),
        cmocka_unit_test_setup_teardown(checks_come_in_the_order_of_the_original, start, stop),
        cmocka_unit_test_setup_teardown(debug_is_refused_unless_allowed, start, stop),
        cmocka_unit_test_setup_teardown(commitment_must_match_manifest_key_and_kind, start, stop),
        cmocka_unit_test_setup_teardown(commitment_is_not_asked_for_unless_committed, start, stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
