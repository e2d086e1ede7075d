// SEV-SNP when memory runs out or OpenSSL fails: evidence is never taken because of that, a
// provider leaves nothing behind, and a secret is sealed and opened whole or not at all.
#include "snp_machine.h"

#include "../failing/failing_calls.h"

#include "tee/policy.h"
#include "tee/seal.h"

struct attempt {
    struct trust trust;
    struct buf evidence;
    struct claims first; // of the run without failures
    struct arena a;
};

static bool same(const struct claims *a, const struct claims *b)
{
    for (size_t i = 0; i < 33; i++) {
        const struct register_value *x = &a->registers[i], *y = &b->registers[i];
        if (x->present != y->present ||
            !bytes_equal(bytes_of(x->value, x->n), bytes_of(y->value, y->n)))
            return false;
    }
    return bytes_equal(a->root, b->root) && bytes_equal(a->public_key, b->public_key) &&
           memcmp(&a->platform.tcb, &b->platform.tcb, sizeof a->platform.tcb) == 0 &&
           strcmp(a->platform.product, b->platform.product) == 0;
}

static bool verify(void *context)
{
    struct attempt *t = context;
    ARENA_AUTO a = {0};
    struct claims c = {0};
    enum q_err err = attestation_verify(buf_bytes(&t->evidence), &t->trust, SNP_AT, &a, &c);
    assert_int_equal(c.verified, err == Q_OK);
    assert_true(err != Q_OK || same(&c, &t->first));
    return err == Q_OK;
}

static bool inspect(void *context)
{
    struct attempt *t = context;
    ARENA_AUTO a = {0};
    struct claims c = {0};
    struct attestation_report report;
    enum q_err err =
        attestation_inspect(buf_bytes(&t->evidence), &t->trust, SNP_AT, &a, &c, &report);
    assert_int_equal(c.verified, err == Q_OK);
    return err == Q_OK;
}

static void with_failing_calls(const char *name, bool good)
{
    struct attempt t = {0};
    snp_trust("ark_milan", &t.trust);
    snp_file(name, ".bin", &t.evidence);
    enum q_err err = attestation_verify(buf_bytes(&t.evidence), &t.trust, SNP_AT, &t.a, &t.first);
    assert_int_equal(err == Q_OK, good);
    for (int kind = 0; kind < FAILING_FILES; kind++) {
        for (unsigned n = 1;; n++) {
            failing_at((enum failing_kind)kind, n);
            bool taken = verify(&t);
            if (!failing_stop())
                break;
            assert_false(taken && !good);
        }
        if (good)
            assert_true(failing_each((enum failing_kind)kind, inspect, &t) > 0);
    }
    assert_int_equal(verify(&t), good);
    trust_free(&t.trust);
    buf_free(&t.evidence);
    arena_free(&t.a);
}

static void good_evidence_meets_calls_that_fail(void **state)
{
    (void)state;
    with_failing_calls("good_milan_v3", true);
}

static void bad_evidence_is_not_taken_because_a_call_fails(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "signature_flipped", "vcek_by_other_key",
        "ask_by_other_key",  "ark_lookalike",
        "ask_not_ca",        "ask_pkcs1",
        "vcek_sha256",       "chip_other",
        "tcb_lower",         "debug",
        "migration",         "bound_key",
        "vlek_as_vcek",      "vcek_is_ca",
        "vcek_with_cloud",   "ask_missing",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        with_failing_calls(bad[i], false);
}

static bool open_and_attest(void *context)
{
    TEE_AUTO *t = NULL;
    BUF_AUTO document = {0};
    struct snp_device *device = NULL;
    const struct tee_options options = {.provider = "snp", .role = "the role"};
    if (sev_guest_over(machine_ioctl, context, &device) != Q_OK ||
        snp_open_over(&options, device, NULL, &t) != Q_OK)
        return false;
    bool made = tee_attest(t, BYTES_LIT("user"), BYTES_NONE, BYTES_LIT("key"), &document) == Q_OK;
    assert_true(made || document.n == 0);
    return made;
}

// The machine itself calls what fails, too: its answers are made before.
static uint8_t answer_report[SNP_REPORT_SIZE];

static int answer(void *context, unsigned long number, struct snp_guest_request_ioctl *arg)
{
    (void)context;
    uint8_t *out = (uint8_t *)(uintptr_t)arg->resp_data; // NOLINT(performance-no-int-to-ptr)
    if (number == SNP_GET_DERIVED_KEY) {
        memset(out + 0x20, 0x33, SNP_KEY_SIZE);
        return 0;
    }
    const struct snp_ext_report_req *req =
        (void *)(uintptr_t)arg->req_data; // NOLINT(performance-no-int-to-ptr)
    put_number(out + 4, SNP_REPORT_SIZE, 4);
    memcpy(out + 0x20, answer_report, SNP_REPORT_SIZE);
    memcpy(out + 0x20 + 0x50, req->data.user_data, SNP_DATA_SIZE);
    return 0;
}

static bool open_answering(void *context)
{
    TEE_AUTO *t = NULL;
    struct snp_device *device = NULL;
    BUF_AUTO document = {0};
    const struct tee_options options = {.provider = "snp", .role = context};
    if (sev_guest_over(answer, NULL, &device) != Q_OK ||
        snp_open_over(&options, device, NULL, &t) != Q_OK)
        return false;
    bool made = tee_attest(t, BYTES_LIT("user"), BYTES_NONE, BYTES_LIT("key"), &document) == Q_OK;
    assert_true(made || document.n == 0);
    return made;
}

static bool seal_and_open(void *context)
{
    TEE_AUTO *t = NULL;
    struct snp_device *device = NULL;
    BUF_AUTO sealed = {0};
    SECRET_AUTO opened = {0};
    const struct tee_options options = {.provider = "snp", .role = context};
    if (sev_guest_over(answer, NULL, &device) != Q_OK ||
        snp_open_over(&options, device, NULL, &t) != Q_OK)
        return false;
    if (tee_seal(t, "key", BYTES_LIT("secret"), &sealed) != Q_OK) {
        assert_int_equal(sealed.n, 0);
        return false;
    }
    if (tee_unseal(t, "key", buf_bytes(&sealed), &opened) != Q_OK) {
        assert_null(opened.p);
        return false;
    }
    assert_bytes(secret_bytes(&opened), BYTES_LIT("secret"));
    return true;
}

static void the_provider_meets_calls_that_fail(void **state)
{
    (void)state;
    static const uint8_t nothing[SNP_DATA_SIZE];
    char role[] = "the role";
    MACHINE_AUTO m;
    machine_start(&m);
    assert_ok(sha256(BYTES_LIT("the role"), m.host_data));
    machine_report(&m, nothing, answer_report);
    assert_true(open_and_attest(&m));
    assert_true(failing_each(FAILING_MEMORY, open_answering, role) > 5);
    assert_true(failing_each(FAILING_CRYPTO, open_answering, role) > 2);
    assert_true(failing_each(FAILING_MEMORY, seal_and_open, role) > 5);
    assert_true(failing_each(FAILING_CRYPTO, seal_and_open, role) > 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_evidence_meets_calls_that_fail),
        cmocka_unit_test(bad_evidence_is_not_taken_because_a_call_fails),
        cmocka_unit_test(the_provider_meets_calls_that_fail),
    };
    if (secret_init(true) != Q_OK)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
