// Documents that AWS signed, and forgeries of them, from ../shared: each at its own timestamp gets
// the verdict its index names. Debug documents verify, and are refused by what is expected of an
// enclave.
#include "tee_vectors.h"

static const struct document_case {
    const char *file;
    bool accept, debug;
} cases[] = {
    {"nitro/attestation/evervault-beta-debug.cose", true, true},
    {"nitro/attestation/evervault-beta-valid.cose", true, false},
    {"nitro/attestation/evervault-ga-debugpcr.cose", true, true},
    {"nitro/attestation/qos-genesis.cose", true, false},
    {"nitro/attestation/qos-mock.cose", true, false},
    {"nitro/attestation/turnkey-rustsdk-0.cose", true, false},
    {"nitro/attestation/turnkey-rustsdk-1.cose", true, false},
    {"nitro/attestation/turnkey-rustsdk-2.cose", true, false},
    {"nitro/attestation/pos-tagged.cose", true, false},
    {"nitro/attestation/neg-sig-flip.cose", false, false},
    {"nitro/attestation/neg-pcr16-flip.cose", false, false},
    {"nitro/attestation/neg-trailing.cose", false, false},
    {"nitro/attestation/neg-truncated.cose", false, false},
    {"nitro/attestation/neg-alg-es256.cose", false, false},
    {"nitro/attestation/neg-empty-protected.cose", false, false},
    {"nitro/attestation/neg-missing-intermediate.cose", false, false},
    {"nitro/attestation/neg-selfsigned-lookalike-root.cose", false, false},
    {"nitro/attestation/neg-selfsigned-leaf-real-bundle.cose", false, false},
    {"nitro-docs/2022-10-12-evervault-debug.cose", true, true},
    {"nitro-docs/2022-10-13-evervault-pcr8.cose", true, false},
    {"nitro-docs/2023-01-18-evervault-pcr8.cose", true, false},
    {"nitro-docs/2023-09-18-evervault-debug.cose", true, true},
    {"nitro-docs/2024-09-09-eternis-debug.cose", true, true},
    {"nitro-docs/2024-09-17-eternis-debug.cose", true, true},
    {"nitro-docs/2024-11-14-fastcrypto-debug.cose", true, true},
    {"nitro-docs/bad-signature.cose", false, false},
    {"nitro-docs/qemu-unsigned.cose", false, false},
};
#define CASE_COUNT (sizeof cases / sizeof cases[0])

static void read_shared(const char *file, struct buf *out)
{
    char name[256], path[1024];
    (void)snprintf(name, sizeof name, "vectors/%s", file);
    shared_path(name, path, sizeof path);
    assert_ok(file_read(path, ATTESTATION_MAX_SIZE + 1, out));
}

// What a member expects who copies the measurements out of the document itself.
static void expect_itself(const struct claims *c, struct expectation *e)
{
    *e = (struct expectation){.user_data = c->user_data};
    for (int i = 0; i < MEASUREMENT_COUNT; i++)
        e->measurements[i] = bytes_of(c->registers[i].value, c->registers[i].n);
}

static void check_debug_rule(struct claims *c)
{
    struct expectation e;
    if (c->user_data.p == NULL)
        c->user_data = BYTES_LIT("");
    c->nonce = BYTES_NONE;
    expect_itself(c, &e);
    if (c->debug)
        assert_refused(claims_check(c, &e), Q_ATTESTATION, "debug mode");
    e.allow_debug = true;
    assert_ok(claims_check(c, &e));
}

static void document_gets_the_verdict_of_its_index(void **state)
{
    const struct document_case *d = *state;
    BUF_AUTO document = {0};
    read_shared(d->file, &document);
    ARENA_AUTO a = {0};
    TRUST_AUTO trust = {0};
    struct claims c;
    assert_ok(trust_aws(&trust));
    // A forgery that does not even parse has no timestamp; any time will do.
    int64_t at =
        attestation_read(buf_bytes(&document), &a, &c) == Q_OK ? c.timestamp_ms / 1000 : 1700000000;
    enum q_err err = attestation_verify(buf_bytes(&document), &trust, at, &a, &c);
    if (!d->accept) {
        assert_int_not_equal(err, Q_OK);
        assert_false(c.verified);
        return;
    }
    assert_ok(err);
    assert_true(c.verified);
    assert_false(c.simulated);
    assert_int_equal(c.debug, d->debug);
    check_debug_rule(&c);
}

static void genuine_document_is_good_exactly_in_its_window(void **state)
{
    (void)state;
    BUF_AUTO document = {0};
    read_shared("nitro-docs/2024-11-14-fastcrypto-debug.cose", &document);
    const int64_t first = 1731619466, last = 1731630269; // 21:24:26 to 00:24:29 UTC
    ARENA_AUTO a = {0};
    TRUST_AUTO trust = {0};
    struct claims c;
    assert_ok(trust_aws(&trust));
    struct bytes in = buf_bytes(&document);
    assert_ok(attestation_verify(in, &trust, first, &a, &c));
    assert_int_equal(c.not_before_s, first);
    assert_int_equal(c.not_after_s, last);
    assert_ok(attestation_verify(in, &trust, last, &a, &c));
    assert_refused(attestation_verify(in, &trust, first - 1, &a, &c), Q_ATTESTATION,
                   "not yet valid");
    assert_refused(attestation_verify(in, &trust, last + 1, &a, &c), Q_ATTESTATION, "expired");
    assert_non_null(strstr(err_text(), "2024-11-14 21:24:26 to 2024-11-15 00:24:29 UTC"));
    assert_non_null(strstr(err_text(), "--validation-time-override 1731627989"));
}

static void decoded_document_has_the_known_fields(void **state)
{
    (void)state;
    VECTOR_FILE_AUTO facts = {0};
    vector_file_shared(&facts, "vectors/qos/nsm/mock_attestation_doc.decoded.json");
    BUF_AUTO document = {0};
    read_shared("nitro/attestation/qos-mock.cose", &document);
    ARENA_AUTO a = {0};
    struct claims c;
    assert_ok(attestation_read(buf_bytes(&document), &a, &c));
    assert_bytes(c.module_id, bytes_str(vector_text(facts.root, "module_id")));
    assert_int_equal(c.timestamp_ms, json_integer_value(vector_field(facts.root, "timestamp")));
    const json_t *registers = vector_field(facts.root, "pcrs");
    assert_int_equal(c.register_count, json_object_size(registers));
    for (unsigned i = 0; i < c.register_count; i++) {
        char index[8];
        (void)snprintf(index, sizeof index, "%u", i);
        assert_bytes(bytes_of(c.registers[i].value, c.registers[i].n),
                     vector_hex(&facts, registers, index));
    }
}

static void pinned_root_is_the_published_one(void **state)
{
    (void)state;
    char path[1024];
    shared_path("trust/aws-nitro-root-g1.pem", path, sizeof path);
    TRUST_AUTO trust = {0};
    assert_ok(trust_load(path, false, &trust)); // the AWS root is always accepted
    assert_bytes(buf_bytes(&trust.root), attestation_aws_root);
    assert_false(trust.simulated);
    BUF_AUTO der = {0};
    read_shared("qos/nsm/aws_root_cert.der", &der);
    assert_bytes(buf_bytes(&der), attestation_aws_root);
}

int main(void)
{
    struct CMUnitTest tests[CASE_COUNT + 3];
    for (size_t i = 0; i < CASE_COUNT; i++)
        tests[i] = (struct CMUnitTest){.name = cases[i].file,
                                       .test_func = document_gets_the_verdict_of_its_index,
                                       .initial_state = (void *)(uintptr_t)&cases[i]};
    tests[CASE_COUNT] =
        (struct CMUnitTest)cmocka_unit_test(genuine_document_is_good_exactly_in_its_window);
    tests[CASE_COUNT + 1] =
        (struct CMUnitTest)cmocka_unit_test(decoded_document_has_the_known_fields);
    tests[CASE_COUNT + 2] = (struct CMUnitTest)cmocka_unit_test(pinned_root_is_the_published_one);
    return _cmocka_run_group_tests("tee_nitro", tests, CASE_COUNT + 3, NULL, NULL);
}
