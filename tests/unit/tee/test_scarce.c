// Attestation documents when memory runs out or OpenSSL fails: a document is never taken because of that, and the
// same one is taken, or refused, as before once all is well again.
#include "tee_vectors.h"

#include "../failing/failing_calls.h"

#include "tee/tee.h"

struct verification {
    struct trust trust;
    struct buf document;
    enum q_err before;
    size_t budget;
};

static void start(struct verification *v, const char *name)
{
    *v = (struct verification){0};
    own_trust("root.der", &v->trust);
    own_file(name, ".cose", &v->document);
}

static void end(struct verification *v)
{
    trust_free(&v->trust);
    buf_free(&v->document);
}

static bool verify(void *context)
{
    struct verification *v = context;
    ARENA_AUTO a = {.budget = v->budget};
    struct claims claims = {0};
    enum q_err err = attestation_verify(buf_bytes(&v->document), &v->trust, OWN_AT, &a, &claims);
    assert_int_equal(claims.verified, err == Q_OK);
    assert_true(v->before == Q_OK || err != Q_OK); // what is refused stays refused
    v->before = err;
    return err == Q_OK;
}

static bool inspect(void *context)
{
    struct verification *v = context;
    ARENA_AUTO a = {.budget = v->budget};
    struct claims claims = {0};
    struct attestation_report report;
    enum q_err err =
        attestation_inspect(buf_bytes(&v->document), &v->trust, OWN_AT, &a, &claims, &report);
    assert_int_equal(claims.verified, err == Q_OK);
    return err == Q_OK;
}

static void with_failing_calls(const char *name, bool good)
{
    struct verification v;
    start(&v, name);
    assert_int_equal(verify(&v), good);
    enum q_err before = v.before;
    for (int kind = 0; kind < FAILING_FILES; kind++) {
        v.before = before;
        (void)failing_each((enum failing_kind)kind, inspect, &v);
        for (unsigned n = 1;; n++) {
            v.before = before;
            failing_at((enum failing_kind)kind, n);
            bool taken = verify(&v);
            if (!failing_stop())
                break;
            assert_false(taken && !good);
        }
    }
    v.before = before;
    assert_int_equal(verify(&v), good);
    assert_int_equal(v.before, before);
    end(&v);
}

static void a_good_document_meets_calls_that_fail(void **state)
{
    (void)state;
    with_failing_calls("good", true);
}

static void bad_documents_are_not_taken_because_a_call_fails(void **state)
{
    (void)state;
    static const char *const bad[] = {

        "signature_of_other_payload",
        "leaf_by_other_key",
        "lookalike_root",
        "intermediate_not_ca",
        "leaf_is_ca",
        "leaf_p256",
        "impostor_instance",
        "leaf_unknown_critical",
        "leaf_without_key_usage",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        with_failing_calls(bad[i], false);
}

static void a_document_meets_an_arena_without_room(void **state)
{
    (void)state;
    struct verification v;
    start(&v, "good");
    bool taken = false;
    size_t budget = 1;
    for (; !taken && budget < (size_t)1 << 20; budget += 97) {
        v.budget = budget;
        v.before = Q_OK;
        taken = verify(&v);
        (void)inspect(&v);
    }
    assert_true(taken && budget > 97);
    end(&v);
}

static void nothing_is_verified_without_a_root_or_at_an_absurd_time(void **state)
{
    (void)state;
    static const int64_t times[] = {INT64_MIN, INT64_MAX, -1};
    struct verification v;
    ARENA_AUTO a = {0};
    struct claims claims = {0};
    const struct trust nobody = {0};
    start(&v, "good");
    assert_int_not_equal(attestation_verify(buf_bytes(&v.document), &nobody, OWN_AT, &a, &claims),
                         Q_OK);
    for (size_t i = 0; i < sizeof times / sizeof *times; i++)
        assert_int_not_equal(
            attestation_verify(buf_bytes(&v.document), &v.trust, times[i], &a, &claims), Q_OK);
    assert_false(claims.verified);
    end(&v);
}

static bool trust_root(void *context)
{
    const struct buf *der = context;
    TRUST_AUTO trust = {0};
    enum q_err err = trust_from_der(buf_bytes(der), "root", true, &trust);
    return err == Q_OK && trust.store != NULL;
}

static void trust_meets_calls_that_fail(void **state)
{
    (void)state;
    BUF_AUTO der = {0};
    own_file("root.der", "", &der);
    assert_true(failing_each(FAILING_MEMORY, trust_root, &der) > 0);
    assert_true(failing_each(FAILING_CRYPTO, trust_root, &der) > 2);
    assert_true(trust_root(&der));
}

struct comparison {
    struct claims claims;
    struct expectation expected;
};

static bool check(void *context)
{
    struct comparison *c = context;
    return claims_check(&c->claims, &c->expected) == Q_OK;
}

static void claims_that_differ_stay_refused_when_calls_fail(void **state)
{
    (void)state;
    static const uint8_t other[128] = {1}; // as hex it fills a buffer's first size
    ARENA_AUTO a = {0};
    struct comparison c = {0};
    own_claims("committed_setup", &a, &c.claims);
    c.expected = (struct expectation){
        .user_data = c.claims.user_data, .committed = true, .commitment = COMMITMENT_SETUP};
    assert_ok(sha256(BYTES_LIT("manifest"), c.expected.manifest_hash));
    for (int i = 0; i < MEASUREMENT_COUNT; i++)
        c.expected.measurements[i] = bytes_of(c.claims.registers[i].value, c.claims.registers[i].n);
    assert_true(check(&c));
    (void)failing_each(FAILING_MEMORY, check, &c);
    (void)failing_each(FAILING_CRYPTO, check, &c);
    for (int i = 0; i <= MEASUREMENT_COUNT; i++) {
        struct comparison wrong = c;
        wrong.claims.debug = (i & 1) != 0;
        if (i < MEASUREMENT_COUNT)
            wrong.expected.measurements[i] = BYTES_OF(other);
        else
            wrong.expected.user_data = BYTES_OF(other);
        for (unsigned n = 0; n < 12; n++) {
            failing_at(FAILING_MEMORY, n);
            assert_false(check(&wrong));
            (void)failing_stop();
            failing_at(FAILING_CRYPTO, n);
            assert_false(check(&wrong));
            (void)failing_stop();
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_good_document_meets_calls_that_fail),
        cmocka_unit_test(bad_documents_are_not_taken_because_a_call_fails),
        cmocka_unit_test(a_document_meets_an_arena_without_room),
        cmocka_unit_test(nothing_is_verified_without_a_root_or_at_an_absurd_time),
        cmocka_unit_test(trust_meets_calls_that_fail),
        cmocka_unit_test(claims_that_differ_stay_refused_when_calls_fail),
    };
    return cmocka_run_group_tests_name("tee/scarce", tests, NULL, NULL);
}
