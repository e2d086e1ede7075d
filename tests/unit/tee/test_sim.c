// The simulated TEE: registers that extend and lock as a Nitro security module's, and documents
// that pass the verifier that genuine ones pass.
#include "sim_fixture.h"

#include "tee/document.h"

static const uint8_t zero[SHA384_SIZE];

static void verify_own(const struct fixture *f, const struct tee *t, const struct buf *document,
                       struct arena *a, struct claims *out)
{
    TRUST_AUTO trust = {0};
    assert_ok(trust_from_der(tee_root(t), "own root", false, &trust));
    assert_true(trust.simulated);
    assert_ok(attestation_verify(buf_bytes(document), &trust, f->now_ms / 1000, a, out));
}

static void attests_what_it_was_asked_to(void **state)
{
    const struct fixture *f = *state;
    TEE_AUTO *t = NULL;
    BUF_AUTO document = {0};
    ARENA_AUTO a = {0};
    struct claims c;
    assert_ok(tee_open(&f->options, &t));
    assert_ok(tee_attest(t, BYTES_LIT("user"), BYTES_LIT(""), BYTES_LIT("key"), &document));
    verify_own(f, t, &document, &a, &c);
    assert_true(c.simulated && c.verified && !c.debug);
    assert_bytes(c.user_data, BYTES_LIT("user"));
    assert_true(c.nonce.p != NULL && c.nonce.n == 0);
    assert_bytes(c.public_key, BYTES_LIT("key"));
    assert_int_equal(c.timestamp_ms, f->now_ms);
    assert_int_equal(c.register_count, 32);
    assert_int_equal(c.not_after_s - c.not_before_s, INT64_C(3652) * 86400);
    assert_non_null(memmem(c.module_id.p, c.module_id.n, "simulated", 9));
    assert_memory_equal(c.module_id.p, "i-", 2);
    assert_bytes(c.root, tee_root(t));
}

static void document_has_the_form_of_a_genuine_one(void **state)
{
    const struct fixture *f = *state;
    static const char *const order[] = {"hmodule_id",  "fdigest",      "itimestamp",
                                        "dpcrs",       "kcertificate", "hcabundle",
                                        "jpublic_key", "iuser_data",   "enonce"};
    static const uint8_t head[] = {0x84, 0x44, 0xa1, 0x01, 0x38, 0x22, 0xa0, 0x59};
    TEE_AUTO *t = NULL;
    BUF_AUTO document = {0};
    assert_ok(tee_open(&f->options, &t));
    assert_ok(tee_attest(t, BYTES_NONE, BYTES_NONE, BYTES_NONE, &document));
    assert_memory_equal(document.p, head, sizeof head);
    assert_int_equal(document.p[10], 0xa9); // a definite map of nine
    const uint8_t *at = document.p + 11;
    for (size_t i = 0; i < sizeof order / sizeof order[0]; i++) {
        struct bytes key = bytes_str(order[i] + 1);
        const uint8_t *end = document.p + document.n;
        const uint8_t *found = memmem(at, (size_t)(end - at), key.p, key.n);
        assert_non_null(found);
        at = found + key.n;
    }
    assert_int_equal(at[0], 0xf6); // null
}

static void restarted_it_measures_the_same_and_has_fresh_registers(void **state)
{
    const struct fixture *f = *state;
    const uint8_t setup[SHA384_SIZE] = {1}, live[SHA384_SIZE] = {2};
    bool begun = false;
    TEE_AUTO *t = NULL;
    BUF_AUTO document = {0}, again = {0};
    ARENA_AUTO a = {0};
    struct claims before, after;
    assert_ok(tee_open(&f->options, &t));
    assert_ok(tee_commit(t, setup, live, &begun));
    assert_ok(tee_attest(t, BYTES_NONE, BYTES_NONE, BYTES_NONE, &document));
    verify_own(f, t, &document, &a, &before);
    assert_refused(tee_commit(t, setup, live, &begun), Q_TEE, "PCR16");
    assert_ok(tee_restart(t));
    assert_ok(tee_attest(t, BYTES_NONE, BYTES_NONE, BYTES_NONE, &again));
    verify_own(f, t, &again, &a, &after);
    for (size_t i = 0; i < 32; i++)
        assert_memory_equal(after.registers[i].value,
                            i == 16 || i == 17 ? zero : before.registers[i].value, SHA384_SIZE);
    assert_false(bytes_equal(before.module_id, after.module_id));
    assert_ok(tee_commit(t, live, setup, &begun));
}

static void other_machines_cannot_restart_themselves(void **state)
{
    const struct fixture *f = *state;
    TEE_AUTO *t = NULL;
    assert_ok(tee_open(&f->options, &t));
    const struct tee_ops *own = t->ops;
    struct tee_ops ops = *own;
    ops.restart = NULL;
    t->ops = &ops;
    assert_refused(tee_restart(t), Q_UNSUPPORTED, "start it anew");
    t->ops = own;
}

static void absent_values_stay_absent(void **state)
{
    const struct fixture *f = *state;
    TEE_AUTO *t = NULL;
    BUF_AUTO document = {0};
    ARENA_AUTO a = {0};
    struct claims c;
    assert_ok(tee_open(&f->options, &t));
    assert_ok(tee_attest(t, BYTES_NONE, BYTES_NONE, BYTES_NONE, &document));
    verify_own(f, t, &document, &a, &c);
    assert_null(c.user_data.p);
    assert_null(c.nonce.p);
    assert_null(c.public_key.p);
}

static void sizes_beyond_the_security_modules_are_refused(void **state)
{
    const struct fixture *f = *state;
    static const uint8_t large[1025];
    TEE_AUTO *t = NULL;
    BUF_AUTO d = {0};
    const struct bytes none = BYTES_NONE, over = bytes_of(large, 513), most = bytes_of(large, 512);
    assert_ok(tee_open(&f->options, &t));
    assert_refused(tee_attest(t, over, none, none, &d), Q_LIMIT, "user data");
    assert_refused(tee_attest(t, none, over, none, &d), Q_LIMIT, "nonce");
    assert_refused(tee_attest(t, none, none, BYTES_OF(large), &d), Q_LIMIT, "public key");
    assert_refused(tee_attest(t, none, none, BYTES_LIT(""), &d), Q_LIMIT, "public key");
    assert_ok(tee_attest(t, most, most, bytes_of(large, 1024), &d));
}

static void registers_extend_until_locked(void **state)
{
    const struct fixture *f = *state;
    TEE_AUTO *t = NULL;
    struct register_value after;
    struct register_state now;
    uint8_t expected[SHA384_SIZE];
    assert_ok(tee_open(&f->options, &t));
    for (unsigned i = 0; i < 16; i++)
        assert_refused(t->ops->extend(t, i, BYTES_LIT("x"), &after), Q_TEE, "ReadOnlyIndex");
    assert_ok(t->ops->extend(t, 16, BYTES_LIT("hello"), &after));
    assert_ok(sha384_pair(BYTES_OF(zero), BYTES_LIT("hello"), expected));
    assert_bytes(bytes_of(after.value, after.n), BYTES_OF(expected));
    static const uint8_t device[] = {0x30, 0xe8, 0x4b, 0x2d, 0x7e, 0xef, 0xfe, 0x6d};
    assert_memory_equal(after.value, device, sizeof device); // as a real one gave (nitro 2.2)
    assert_ok(t->ops->extend(t, 16, BYTES_LIT("again"), &after));
    assert_ok(sha384_pair(BYTES_OF(expected), BYTES_LIT("again"), expected));
    assert_bytes(bytes_of(after.value, after.n), BYTES_OF(expected));
    assert_ok(t->ops->lock(t, 17));
    assert_refused(t->ops->extend(t, 16, BYTES_LIT("x"), &after), Q_TEE, "ReadOnlyIndex");
    assert_ok(t->ops->read(t, 16, &now));
    assert_true(now.locked);
    assert_bytes(bytes_of(now.value.value, now.value.n), BYTES_OF(expected));
    assert_ok(t->ops->extend(t, 17, BYTES_LIT("x"), &after));
    assert_ok(t->ops->lock(t, 0)); // nothing, and nothing is unlocked
    assert_refused(t->ops->extend(t, 3, BYTES_LIT("x"), &after), Q_TEE, "ReadOnlyIndex");
}

static void indices_beyond_the_bank_are_refused(void **state)
{
    const struct fixture *f = *state;
    TEE_AUTO *t = NULL;
    struct register_value after;
    struct register_state now;
    assert_ok(tee_open(&f->options, &t));
    assert_refused(t->ops->extend(t, 32, BYTES_LIT("x"), &after), Q_TEE, "InvalidIndex");
    assert_refused(t->ops->read(t, 32, &now), Q_TEE, "InvalidIndex");
    assert_refused(t->ops->lock(t, 33), Q_TEE, "InvalidIndex");
}

static void committed_enclave_proves_its_manifest(void **state)
{
    const struct fixture *f = *state;
    TEE_AUTO *t = NULL;
    BUF_AUTO document = {0};
    ARENA_AUTO a = {0};
    struct claims c;
    struct expectation e = {.committed = true, .commitment = COMMITMENT_SETUP};
    uint8_t setup[SHA384_SIZE], live[SHA384_SIZE];
    bool begun = false;
    assert_ok(sha256(BYTES_LIT("manifest"), e.manifest_hash));
    assert_ok(commitment_make(COMMITMENT_SETUP, e.manifest_hash, BYTES_LIT("setup"), setup));
    assert_ok(commitment_make(COMMITMENT_LIVE, e.manifest_hash, BYTES_LIT("live"), live));
    assert_ok(tee_open(&f->options, &t));
    assert_ok(tee_commit(t, setup, live, &begun));
    assert_true(begun);
    e.user_data = BYTES_OF(e.manifest_hash);
    assert_ok(tee_attest(t, e.user_data, BYTES_NONE, BYTES_LIT("setup"), &document));
    verify_own(f, t, &document, &a, &c);
    for (int i = 0; i < MEASUREMENT_COUNT; i++)
        e.measurements[i] = bytes_of(c.registers[i].value, c.registers[i].n);
    assert_ok(claims_check(&c, &e));
    e.commitment = COMMITMENT_LIVE; // the key is the setup key
    assert_refused(claims_check(&c, &e), Q_ATTESTATION, "DifferentPcr {");
    assert_refused(tee_commit(t, setup, live, &begun), Q_TEE, "locked");
    assert_false(begun);
}

static void measurements_are_those_of_binary_and_role(void **state)
{
    struct fixture *f = *state;
    TEE_AUTO *one = NULL, *two = NULL;
    uint8_t a[SHA384_SIZE], b[SHA384_SIZE], first[SHA384_SIZE];
    assert_ok(tee_open(&f->options, &one));
    f->options.role = "arn:aws:iam::123456789012:role/Webserver";
    assert_ok(tee_open(&f->options, &two));
    measurement(one, 0, first);
    for (unsigned i = 0; i < 3; i++) { // the same program: equal between runs, distinct by register
        measurement(one, i, a);
        measurement(two, i, b);
        assert_memory_equal(a, b, sizeof a);
        assert_memory_not_equal(a, zero, sizeof a);
        if (i > 0)
            assert_memory_not_equal(a, first, sizeof a);
    }
    measurement(two, 3, b);
    assert_ok(role_measurement(bytes_str(f->options.role), a));
    assert_memory_equal(a, b, sizeof a);
    measurement(one, 3, a);
    assert_memory_not_equal(a, b, sizeof a);
}

static void measurements_print_as_pcr_lines(void **state)
{
    const struct fixture *f = *state;
    TEE_AUTO *t = NULL;
    BUF_AUTO out = {0};
    assert_ok(tee_open(&f->options, &t));
    assert_ok(tee_print_measurements(t, &out));
    const char *line = buf_text(&out);
    for (int i = 0; i < 4; i++) {
        char name[8];
        (void)snprintf(name, sizeof name, " PCR%d\n", i);
        assert_int_equal(strspn(line, "0123456789abcdef"), 96);
        assert_memory_equal(line + 96, name, 6);
        line += 102;
    }
    assert_string_equal(line, "");
}

static void mock_shows_zeros_or_what_its_file_seeds(void **state)
{
    struct fixture *f = *state;
    char path[160];
    TEE_AUTO *plain = NULL, *seeded = NULL;
    BUF_AUTO document = {0};
    ARENA_AUTO a = {0};
    struct claims c;
    uint8_t value[SHA384_SIZE];
    f->options.mock = true;
    f->options.provider = NULL;
    assert_ok(tee_open(&f->options, &plain));
    for (unsigned i = 0; i < 32; i++) {
        measurement(plain, i, value);
        assert_memory_equal(value, zero, sizeof value);
    }
    assert_ok(tee_attest(plain, BYTES_NONE, BYTES_NONE, BYTES_NONE, &document));
    verify_own(f, plain, &document, &a, &c);
    assert_bytes(c.module_id, BYTES_LIT("mock_module_id"));
    assert_true(c.debug);

    char line[256];
    (void)snprintf(line, sizeof line, "\n%096d PCR0\r\n  %064d\tPCR31", 7, 5);
    put(f, "pcrs", line);
    f->options.mock_pcrs = inside(f, "pcrs", path);
    assert_ok(tee_open(&f->options, &seeded));
    measurement(seeded, 0, value);
    assert_int_equal(value[47], 7);
    struct register_state last;
    assert_ok(seeded->ops->read(seeded, 31, &last));
    assert_int_equal(last.value.n, 32);
    assert_int_equal(last.value.value[31], 5);
}

static void malformed_seeds_are_refused_with_their_line(void **state)
{
    struct fixture *f = *state;
    char path[160];
    static const char *const bad[] = {"00 PCR0",     "zz PCR0",    "PCR0",       "%096d",
                                      "%096d PCR32", "%096d pcr1", "%096d PCRx", "%096d PCR1 x"};
    f->options.mock = true;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        char line[256], zeros[97];
        (void)snprintf(zeros, sizeof zeros, "%096d", 0);
        const char *rest = strncmp(bad[i], "%096d", 5) == 0 ? bad[i] + 5 : NULL;
        (void)snprintf(line, sizeof line, "\n%s%s\n", rest ? zeros : bad[i], rest ? rest : "");
        put(f, "pcrs", line);
        f->options.mock_pcrs = inside(f, "pcrs", path);
        TEE_AUTO *t = NULL;
        assert_int_not_equal(tee_open(&f->options, &t), Q_OK);
        assert_non_null(strstr(err_text(), "line 2"));
    }
    char twice[256];
    TEE_AUTO *t = NULL;
    (void)snprintf(twice, sizeof twice, "%096d PCR1\n%096d PCR1\n", 1, 1);
    put(f, "pcrs", twice);
    assert_refused(tee_open(&f->options, &t), Q_BAD_INPUT,
                   "line 2: expected each of PCR0 to PCR31 at most once, found PCR1");
}

static void provider_is_chosen_by_name(void **state)
{
    struct fixture *f = *state;
    TEE_AUTO *t = NULL;
    f->options.provider = "nitro";
    f->options.nsm_device = "/nowhere/nsm";
    assert_refused(tee_open(&f->options, &t), Q_IO, "nitro: /nowhere/nsm: cannot be opened");
    f->options.provider = "snp";
    if (access("/dev/sev-guest", F_OK) != 0)
        assert_refused(tee_open(&f->options, &t), Q_IO, "snp: /dev/sev-guest");
    f->options.provider = "sgx";
    assert_refused(tee_open(&f->options, &t), Q_BAD_INPUT, "nitro, snp or sim");
    f->options.mock = true;
    f->options.provider = "nitro";
    assert_refused(tee_open(&f->options, &t), Q_BAD_INPUT, "--mock");
    assert_null(t);
    f->options.mock = false;
    f->options.provider = "sim";
    assert_ok(tee_open(&f->options, &t));
    assert_string_equal(tee_name(t), "sim");
    assert_true(tee_simulated(t) && tee_relaxed(t));
}

static void without_name_and_device_the_error_names_the_simulation(void **state)
{
    struct fixture *f = *state;
    if (access("/dev/nsm", F_OK) == 0 || access("/dev/sev-guest", F_OK) == 0) {
        print_message("skipped: this machine has a TEE device\n");
        skip();
    }
    TEE_AUTO *t = NULL;
    f->options.provider = NULL;
    assert_refused(tee_open(&f->options, &t), Q_TEE, "--tee sim");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SIM_TEST(attests_what_it_was_asked_to),
        SIM_TEST(document_has_the_form_of_a_genuine_one),
        SIM_TEST(restarted_it_measures_the_same_and_has_fresh_registers),
        SIM_TEST(other_machines_cannot_restart_themselves),
        SIM_TEST(absent_values_stay_absent),
        SIM_TEST(sizes_beyond_the_security_modules_are_refused),
        SIM_TEST(registers_extend_until_locked),
        SIM_TEST(indices_beyond_the_bank_are_refused),
        SIM_TEST(committed_enclave_proves_its_manifest),
        SIM_TEST(measurements_are_those_of_binary_and_role),
        SIM_TEST(measurements_print_as_pcr_lines),
        SIM_TEST(mock_shows_zeros_or_what_its_file_seeds),
        SIM_TEST(malformed_seeds_are_refused_with_their_line),
        SIM_TEST(provider_is_chosen_by_name),
        SIM_TEST(without_name_and_device_the_error_names_the_simulation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
