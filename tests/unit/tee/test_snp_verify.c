// SEV-SNP evidence of our own, made by an independent model: what is good verifies with the claims
// it was made with, and each defect is refused by the step that looks for it.
#include "snp_vectors.h"

#include "tee/policy.h"

static const char *const step_names[ATTESTATION_STEPS] = {
    "limits", "parse",     "root",     "certificates", "validity",
    "chain",  "signature", "platform", "binding",
};

struct one_case {
    struct buf evidence;
    struct trust trust;
    struct arena a;
    int64_t at_s;
    const char *name;
};

static void case_close(struct one_case *c)
{
    buf_free(&c->evidence);
    trust_free(&c->trust);
    arena_free(&c->a);
}
#define CASE_AUTO __attribute__((cleanup(case_close))) struct one_case

static void case_open(const json_t *row, struct one_case *c)
{
    *c = (struct one_case){.name = vector_text(row, "name"), .at_s = vector_number(row, "at")};
    snp_file(c->name, ".bin", &c->evidence);
    snp_trust(vector_text(row, "root"), &c->trust);
}

static void check_tcb(const struct tcb *t, const json_t *expected)
{
    assert_int_equal(t->bootloader, vector_number(expected, "bootloader"));
    assert_int_equal(t->tee, vector_number(expected, "tee"));
    assert_int_equal(t->snp, vector_number(expected, "snp"));
    assert_int_equal(t->microcode, vector_number(expected, "microcode"));
    const json_t *fmc = json_object_get(expected, "fmc");
    assert_int_equal(t->fmc, fmc == NULL ? 0 : json_integer_value(fmc));
}

static void check_registers(struct vector_file *f, const struct claims *c, const json_t *row)
{
    static const uint8_t zero[SHA384_SIZE];
    struct bytes image = vector_hex(f, f->root, "measurement");
    struct bytes kept = vector_hex(f, f->root, "registers");
    const char *role = vector_text(row, "role");
    uint8_t measured[SHA384_SIZE] = {0};
    if (role[0] != '\0')
        assert_ok(role_measurement(bytes_str(role), measured));
    for (size_t i = 0; i < 32; i++) {
        struct bytes expected = i < 2    ? image
                                : i == 3 ? BYTES_OF(measured)
                                : i < 16 ? BYTES_OF(zero)
                                         : bytes_of(kept.p + (i - 16) * 48, 48);
        assert_true(c->registers[i].present);
        if (i != 2)
            assert_bytes(bytes_of(c->registers[i].value, c->registers[i].n), expected);
    }
    assert_false(c->registers[32].present);
}

static void check_claims(struct vector_file *f, const struct claims *c, const json_t *row)
{
    const struct platform *p = &c->platform;
    assert_string_equal(c->provider, "snp");
    assert_string_equal(p->product, vector_text(row, "product"));
    assert_int_equal(p->cloud_key, json_is_true(vector_field(row, "cloud")));
    assert_int_equal(p->vmpl, vector_number(row, "vmpl"));
    assert_int_equal(p->policy, vector_number(row, "policy"));
    check_tcb(&p->tcb, vector_field(row, "tcb"));
    check_tcb(&p->launch, vector_field(row, "tcb")); // make_snp.py's machines never change theirs
    assert_bytes(c->nonce, vector_hex(f, row, "nonce"));
    assert_bytes(c->user_data, vector_hex(f, row, "user_data"));
    assert_bytes(c->public_key, vector_hex(f, row, "public_key"));
    assert_int_equal(c->timestamp_ms, 0);
    assert_false(c->debug);
    assert_false(c->simulated);
    check_registers(f, c, row);
}

static void check_good(struct vector_file *f, struct one_case *c, const json_t *row)
{
    struct claims verified, read;
    struct attestation_report report;
    enum q_err err =
        attestation_verify(buf_bytes(&c->evidence), &c->trust, c->at_s, &c->a, &verified);
    if (err != Q_OK)
        fail_msg("%s: %s", c->name, err_text());
    assert_true(verified.verified);
    check_claims(f, &verified, row);
    assert_bytes(verified.root, buf_bytes(&c->trust.root));
    assert_true(verified.not_before_s <= c->at_s && c->at_s <= verified.not_after_s);
    assert_ok(
        attestation_inspect(buf_bytes(&c->evidence), &c->trust, c->at_s, &c->a, &read, &report));
    check_claims(f, &read, row);
    assert_ok(attestation_read(buf_bytes(&c->evidence), &c->a, &read));
    assert_false(read.verified);
    check_claims(f, &read, row);
}

static void check_bad(struct one_case *c, const json_t *row)
{
    struct claims claims;
    struct attestation_report report;
    const char *error = vector_text(row, "error"), *step = vector_text(row, "step");
    enum q_err err =
        attestation_verify(buf_bytes(&c->evidence), &c->trust, c->at_s, &c->a, &claims);
    if (err == Q_OK || claims.verified)
        fail_msg("%s: verified", c->name);
    // claims of a refused document are all zero
    assert_null(claims.provider);
    if (strstr(err_text(), error) == NULL)
        fail_msg("%s: expected \"%s\" in \"%s\"", c->name, error, err_text());
    assert_int_not_equal(
        attestation_inspect(buf_bytes(&c->evidence), &c->trust, c->at_s, &c->a, &claims, &report),
        Q_OK);
    assert_false(claims.verified);
    for (size_t i = 0; i < ATTESTATION_STEPS; i++) {
        bool refused = report.steps[i].made && report.steps[i].result != Q_OK;
        if (strcmp(step_names[i], step) == 0 && !refused)
            fail_msg("%s: expected %s to refuse it: %s", c->name, step, err_text());
        if (refused)
            break;
    }
}

static void every_case_has_its_verdict(void **state)
{
    (void)state;
    VECTOR_FILE_AUTO f = {0};
    size_t i, good = 0;
    json_t *row;
    vector_file_own(&f, "snp/cases.json");
    json_array_foreach(vector_field(f.root, "cases"), i, row)
    {
        CASE_AUTO c;
        case_open(row, &c);
        if (json_object_get(row, "step") == NULL) {
            check_good(&f, &c, row);
            good++;
        } else {
            check_bad(&c, row);
        }
    }
    assert_true(good >= 20 && i - good >= 100);
}

static void a_pinned_root_is_not_satisfied_by_another(void **state)
{
    (void)state;
    static const char *const products[] = {"Milan", "Genoa", "Turin"};
    BUF_AUTO evidence = {0};
    snp_file("good_milan_v3", ".bin", &evidence);
    for (size_t i = 0; i < 3; i++) {
        TRUST_AUTO trust = {0};
        ARENA_AUTO a = {0};
        struct claims c;
        assert_ok(trust_amd(products[i], &trust));
        assert_string_equal(attestation_amd_product(buf_bytes(&trust.root)), products[i]);
        assert_refused(attestation_verify(buf_bytes(&evidence), &trust, SNP_AT, &a, &c),
                       Q_ATTESTATION, "SEV-SNP root");
    }
    TRUST_AUTO aws = {0}, none = {0};
    ARENA_AUTO a = {0};
    struct claims c;
    assert_ok(trust_aws(&aws));
    assert_refused(attestation_verify(buf_bytes(&evidence), &aws, SNP_AT, &a, &c), Q_ATTESTATION,
                   "SEV-SNP root");
    assert_refused(trust_amd("Rome", &none), Q_BAD_INPUT, "Rome");
}

static void a_root_of_our_own_is_trusted_only_when_any_is(void **state)
{
    (void)state;
    BUF_AUTO der = {0};
    TRUST_AUTO trust = {0};
    snp_file("ark_milan", ".der", &der);
    assert_refused(trust_from_der(buf_bytes(&der), "root", false, &trust), Q_REFUSED, "root");
    assert_ok(trust_from_der(buf_bytes(&der), "root", true, &trust));
    assert_false(trust.simulated);
    assert_null(attestation_amd_product(buf_bytes(&der)));
}

static void evidence_that_is_cut_anywhere_is_refused(void **state)
{
    (void)state;
    BUF_AUTO whole = {0};
    TRUST_AUTO trust = {0};
    snp_file("good_milan_v3", ".bin", &whole);
    snp_trust("ark_milan", &trust);
    for (size_t n = 0; n < whole.n; n++) {
        ARENA_AUTO a = {0};
        struct claims c;
        assert_int_not_equal(attestation_read(bytes_of(whole.p, n), &a, &c), Q_OK);
        assert_int_not_equal(attestation_verify(bytes_of(whole.p, n), &trust, SNP_AT, &a, &c),
                             Q_OK);
        assert_false(c.verified);
    }
}

static void turn(struct buf *evidence, const struct trust *trust, size_t at, unsigned bit)
{
    ARENA_AUTO a = {0};
    struct claims c;
    evidence->p[at] ^= (uint8_t)(1U << bit);
    bool taken = attestation_verify(buf_bytes(evidence), trust, SNP_AT, &a, &c) == Q_OK;
    evidence->p[at] ^= (uint8_t)(1U << bit);
    if (taken)
        fail_msg("byte %zu, bit %u", at, bit);
}

// Every bit of the evidence with QUORATE_FULL (a minute and a half); else one of each byte outside the
// certificates, and of some in them.
static void no_bit_can_be_turned(void **state)
{
    (void)state;
    bool full = getenv("QUORATE_FULL") != NULL;
    BUF_AUTO whole = {0};
    TRUST_AUTO trust = {0};
    snp_file("good_milan_v3", ".bin", &whole);
    snp_trust("ark_milan", &trust);
    size_t table = 4 + 23 + 4 + 1184, bound = whole.n - 768 - 150, turned = 0;
    for (size_t at = 0; at < whole.n; at++) {
        bool in_table = at >= table && at < bound;
        if (in_table && !full && at % 61 != 0)
            continue;
        for (unsigned bit = 0; bit < 8; bit++) {
            if (!full && bit != at % 8)
                continue;
            turn(&whole, &trust, at, bit);
            turned++;
        }
    }
    assert_true(turned > 2000);
}

static void verified(const char *name, const char *root, struct arena *a, struct claims *c)
{
    TRUST_AUTO trust = {0};
    BUF_AUTO evidence = {0};
    snp_file(name, ".bin", &evidence);
    snp_trust(root, &trust);
    assert_ok(attestation_verify(buf_bytes(&evidence), &trust, SNP_AT, a, c));
}

static void expect_itself(const struct claims *c, struct expectation *e)
{
    *e = (struct expectation){.user_data = c->user_data};
    for (size_t i = 0; i < MEASUREMENT_COUNT; i++)
        e->measurements[i] = bytes_of(c->registers[i].value, c->registers[i].n);
}

static void another_vmpl_needs_a_policy_that_says_so(void **state)
{
    (void)state;
    ARENA_AUTO a = {0};
    struct claims c;
    struct expectation e;
    struct tee_policy policy;
    verified("good_vmpl_1", "ark_milan", &a, &c);
    c.nonce = BYTES_NONE;
    expect_itself(&c, &e);
    assert_refused(claims_check(&c, &e), Q_REFUSED, "VMPL: expected 0, found 1");
    assert_ok(policy_read(BYTES_LIT("{\"vmpl\":1}"), &a, &policy));
    e.policy = &policy;
    assert_ok(claims_check(&c, &e));
    c.platform.vmpl = 0;
    assert_refused(claims_check(&c, &e), Q_REFUSED, "VMPL: expected 1, found 0");
}

static void the_parts_that_a_manifest_asks_for_are_there(void **state)
{
    (void)state;
    ARENA_AUTO a = {0};
    struct claims c;
    struct expectation e;
    verified("good_nothing_bound", "ark_milan", &a, &c);
    expect_itself(&c, &e);
    assert_refused(claims_check(&c, &e), Q_ATTESTATION, "MissingUserData");
    verified("good_milan_v3", "ark_milan", &a, &c);
    expect_itself(&c, &e);
    assert_refused(claims_check(&c, &e), Q_ATTESTATION, "UnexpectedNonce");
    c.nonce = BYTES_NONE;
    assert_ok(claims_check(&c, &e));
    e.measurements[MEASUREMENT_IMAGE] = BYTES_LIT("another");
    assert_refused(claims_check(&c, &e), Q_ATTESTATION, "DifferentPcr0");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_case_has_its_verdict),
        cmocka_unit_test(a_pinned_root_is_not_satisfied_by_another),
        cmocka_unit_test(a_root_of_our_own_is_trusted_only_when_any_is),
        cmocka_unit_test(evidence_that_is_cut_anywhere_is_refused),
        cmocka_unit_test(no_bit_can_be_turned),
        cmocka_unit_test(another_vmpl_needs_a_policy_that_says_so),
        cmocka_unit_test(the_parts_that_a_manifest_asks_for_are_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
