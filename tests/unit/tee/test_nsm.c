// The security module's operations: what is sent and what is taken, against CBOR made by another
// implementation (tests/vectors/make_nsm.py) and bytes recorded from a real machine; and answers
// that lie, are cut short, or never come.
#include "fake_nsm.h"

// Each operation by its name in the vectors, with arguments that matter to none of the answers.
static enum q_err ask(const char *operation, struct nsm_port *p)
{
    struct tee_description description;
    struct register_state state;
    struct register_value value;
    BUF_AUTO out = {0};
    if (strcmp(operation, "describe") == 0)
        return nsm_describe(p, &description);
    if (strcmp(operation, "read") == 0)
        return nsm_describe_register(p, 0, &state);
    if (strcmp(operation, "extend") == 0)
        return nsm_extend(p, 16, BYTES_LIT("hello"), &value);
    if (strcmp(operation, "lock") == 0)
        return nsm_lock(p, 16);
    if (strcmp(operation, "lock_range") == 0)
        return nsm_lock_range(p, 32);
    if (strcmp(operation, "random") == 0)
        return nsm_random(p, &out);
    assert_string_equal(operation, "attest");
    return nsm_attest(p, BYTES_NONE, BYTES_NONE, BYTES_NONE, &out);
}

static const char *const operations[] = {"describe",   "read",   "extend", "lock",
                                         "lock_range", "random", "attest"};
#define OPERATIONS (sizeof operations / sizeof *operations)

// The device refuses, so that only the request matters.
static void expect_request(const struct fake_nsm *f, struct vector_file *v, const char *name)
{
    assert_bytes(bytes_of(f->asked, f->asked_n),
                 vector_hex(v, vector_field(v->root, "requests"), name));
}

static void requests_are_the_ones_of_another_implementation(void **state)
{
    (void)state;
    VECTOR_FILE_AUTO v;
    vector_file_own(&v, "nsm/nsm.json");
    static const char *const names[OPERATIONS] = {"describe",   "read_0", "extend",       "lock",
                                                  "lock_range", "random", "attest_absent"};
    for (size_t i = 0; i < OPERATIONS; i++) {
        struct fake_nsm f = fake_nsm_of(BYTES_LIT("\x00"));
        assert_int_equal(ask(operations[i], &f.port), Q_TEE);
        expect_request(&f, &v, names[i]);
    }
}

static void describe_is_the_recorded_request(void **state)
{
    (void)state;
    static const uint8_t recorded[] = {0x6b, 0x44, 0x65, 0x73, 0x63, 0x72,
                                       0x69, 0x62, 0x65, 0x4e, 0x53, 0x4d};
    struct fake_nsm f = fake_nsm_of(BYTES_LIT("\x00"));
    assert_int_equal(ask("describe", &f.port), Q_TEE);
    assert_bytes(bytes_of(f.asked, f.asked_n), BYTES_OF(recorded));
}

static void indices_of_any_size_are_sent(void **state)
{
    (void)state;
    VECTOR_FILE_AUTO v;
    vector_file_own(&v, "nsm/nsm.json");
    struct register_state out;
    static const struct {
        unsigned index;
        const char *name;
    } rows[] = {{31, "read_31"}, {300, "read_300"}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct fake_nsm f = fake_nsm_of(BYTES_LIT("\xa1\x65"
                                                  "Error\x6c"
                                                  "InvalidIndex"));
        assert_refused(nsm_describe_register(&f.port, rows[i].index, &out), Q_TEE,
                       "NSM DescribePCR: InvalidIndex");
        expect_request(&f, &v, rows[i].name);
    }
}

static void attestation_sends_absent_empty_and_largest_fields(void **state)
{
    (void)state;
    VECTOR_FILE_AUTO v;
    vector_file_own(&v, "nsm/nsm.json");
    char user[512], nonce[512], key[1024];
    memset(user, 'u', sizeof user);
    memset(nonce, 'n', sizeof nonce);
    memset(key, 'p', sizeof key);
    const struct {
        struct bytes user, nonce, key;
        const char *name;
    } rows[] = {
        {BYTES_LIT("user"), BYTES_LIT("nonce"), BYTES_LIT("key"), "attest"},
        {BYTES_LIT(""), BYTES_LIT(""), BYTES_LIT("k"), "attest_empty"},
        {BYTES_OF(user), BYTES_OF(nonce), BYTES_OF(key), "attest_largest"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        BUF_AUTO document = {0};
        struct fake_nsm f = fake_nsm_of(BYTES_LIT("\x00"));
        assert_int_equal(nsm_attest(&f.port, rows[i].user, rows[i].nonce, rows[i].key, &document),
                         Q_TEE);
        expect_request(&f, &v, rows[i].name);
        assert_int_equal(document.n, 0);
    }
}

static void fields_over_the_modules_limits_are_not_sent(void **state)
{
    (void)state;
    static const uint8_t large[4096];
    struct fake_nsm f = fake_nsm_of(BYTES_LIT("\x00"));
    struct register_value value;
    BUF_AUTO out = {0};
    struct bytes none = BYTES_NONE;
    assert_refused(nsm_attest(&f.port, bytes_of(large, 513), none, none, &out), Q_LIMIT,
                   "user data: expected 0 to 512 bytes, found 513");
    assert_refused(nsm_attest(&f.port, none, bytes_of(large, 513), none, &out), Q_LIMIT,
                   "nonce: expected 0 to 512 bytes, found 513");
    assert_refused(nsm_attest(&f.port, none, none, bytes_of(large, 1025), &out), Q_LIMIT,
                   "public key: expected 1 to 1024 bytes, found 1025");
    assert_refused(nsm_attest(&f.port, none, none, BYTES_LIT(""), &out), Q_LIMIT,
                   "public key: expected 1 to 1024 bytes, found 0");
    assert_refused(nsm_extend(&f.port, 16, BYTES_OF(large), &value), Q_LIMIT,
                   "InputTooLarge: expected a request of at most 4096 bytes");
    assert_int_equal(f.calls, 0);
}

static void check_description(struct vector_file *v, const json_t *row)
{
    struct tee_description out;
    assert_ok(nsm_read_description(vector_hex(v, row, "cbor"), &out));
    assert_int_equal(out.register_count, vector_number(row, "count"));
    assert_int_equal(out.locked, strtoull(vector_text(row, "locked"), NULL, 16));
    assert_int_equal(out.sha384, json_is_true(vector_field(row, "sha384")));
}

static void check_register(struct vector_file *v, const json_t *row)
{
    struct register_state out;
    assert_ok(nsm_read_register(vector_hex(v, row, "cbor"), &out));
    assert_true(out.value.present);
    assert_bytes(bytes_of(out.value.value, out.value.n), vector_hex(v, row, "value"));
    assert_int_equal(out.locked, json_is_true(vector_field(row, "lock")));
}

static void check_extended(struct vector_file *v, const json_t *row)
{
    struct register_value out;
    assert_ok(nsm_read_extended(vector_hex(v, row, "cbor"), &out));
    assert_bytes(bytes_of(out.value, out.n), vector_hex(v, row, "value"));
}

static void check_string(struct vector_file *v, const json_t *row,
                         enum q_err (*read)(struct bytes answer, struct bytes *out))
{
    struct bytes out;
    assert_ok(read(vector_hex(v, row, "cbor"), &out));
    assert_bytes(out, vector_hex(v, row, "value"));
}

static void check_answer(struct vector_file *v, const json_t *row)
{
    const char *operation = vector_text(row, "operation");
    if (strcmp(operation, "describe") == 0)
        check_description(v, row);
    else if (strcmp(operation, "read") == 0)
        check_register(v, row);
    else if (strcmp(operation, "extend") == 0)
        check_extended(v, row);
    else if (strcmp(operation, "random") == 0)
        check_string(v, row, nsm_read_random);
    else if (strcmp(operation, "attest") == 0)
        check_string(v, row, nsm_read_document);
    struct fake_nsm f = fake_nsm_of(vector_hex(v, row, "cbor"));
    assert_ok(ask(operation, &f.port));
}

static void good_answers_are_taken(void **state)
{
    (void)state;
    VECTOR_FILE_AUTO v;
    vector_file_own(&v, "nsm/nsm.json");
    size_t i;
    json_t *row;
    json_array_foreach(vector_field(v.root, "answers"), i, row) check_answer(&v, row);
    assert_true(i >= 17);
}

// Every one of the module's errors by name, of every operation, is among them.
static void bad_answers_are_the_modules_failures(void **state)
{
    (void)state;
    VECTOR_FILE_AUTO v;
    vector_file_own(&v, "nsm/nsm.json");
    size_t i;
    json_t *row;
    json_array_foreach(vector_field(v.root, "refused"), i, row)
    {
        struct fake_nsm f = fake_nsm_of(vector_hex(&v, row, "cbor"));
        const char *operation = vector_text(row, "operation");
        enum q_err err = ask(operation, &f.port);
        if (err != Q_TEE || strstr(err_text(), vector_text(row, "text")) == NULL)
            fail_msg("%s, %s: error %d: %s", operation, vector_text(row, "name"), (int)err,
                     err_text());
        assert_non_null(strstr(err_text(), "NSM "));
    }
    assert_true(i >= 200);
}

static void sizes_the_driver_cannot_mean_are_refused(void **state)
{
    (void)state;
    static const uint64_t claims[] = {NSM_RESPONSE_MAX + 1, UINT32_MAX, UINT64_MAX};
    for (size_t i = 0; i < sizeof claims / sizeof *claims; i++) {
        struct fake_nsm f = fake_nsm_of(BYTES_LIT("\x67"
                                                  "LockPCR"));
        f.claimed_length = claims[i];
        assert_refused(nsm_lock(&f.port, 16), Q_TEE, "expected an answer of 1 to 12288 bytes");
    }
}

// A document that does not fit is cut by the driver without a word.
static void an_answer_that_was_cut_short_is_refused(void **state)
{
    (void)state;
    BUF_AUTO answer = {0}, document = {0};
    static const uint8_t large[NSM_RESPONSE_MAX];
    assert_ok(buf_append(&answer, BYTES_LIT("\xa1\x6b"
                                            "Attestation\xa1\x68"
                                            "document\x59\x2f\xff")));
    assert_ok(buf_append(&answer, bytes_of(large, 0x2fff)));
    struct fake_nsm f = fake_nsm_of(buf_bytes(&answer));
    assert_int_equal(nsm_attest(&f.port, BYTES_NONE, BYTES_NONE, BYTES_NONE, &document), Q_TEE);
    assert_int_equal(document.n, 0);
}

static void failures_of_the_device_are_named(void **state)
{
    (void)state;
    static const struct {
        int fails;
        const char *text;
    } rows[] = {
        {ETIMEDOUT, "expected an answer within the driver's deadline"},
        {EMSGSIZE, "InputTooLarge"},
        {ENODEV, "No such device"},
        {EFAULT, "Bad address"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        for (size_t o = 0; o < OPERATIONS; o++) {
            struct fake_nsm f = fake_nsm_of(BYTES_NONE);
            f.fails = rows[i].fails;
            assert_refused(ask(operations[o], &f.port), Q_TEE, rows[i].text);
            assert_int_equal(f.calls, 1); // what may have been done is not done again
        }
    }
}

static void an_interrupted_call_is_made_again_but_not_for_ever(void **state)
{
    (void)state;
    struct fake_nsm f = fake_nsm_of(BYTES_LIT("\x67"
                                              "LockPCR"));
    f.interrupted = 7;
    assert_ok(nsm_lock(&f.port, 16));
    assert_int_equal(f.calls, 8);
    f = fake_nsm_of(BYTES_NONE);
    f.interrupted = 1000000;
    assert_refused(nsm_lock(&f.port, 16), Q_TEE, "Interrupted system call");
}

static void only_a_device_is_opened(void **state)
{
    (void)state;
    struct nsm_port *port = NULL;
    assert_refused(nsm_port_open("/nowhere/nsm", &port), Q_IO, "/nowhere/nsm: cannot be opened");
    assert_refused(nsm_port_open(SOURCE_ROOT "/meson.build", &port), Q_TEE, "expected a device");
    assert_null(port);
    assert_ok(nsm_port_open("/dev/null", &port)); // a device, but of another kind
    assert_refused(nsm_lock(port, 16), Q_TEE, "Inappropriate ioctl");
    port->close(port);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(requests_are_the_ones_of_another_implementation),
        cmocka_unit_test(describe_is_the_recorded_request),
        cmocka_unit_test(indices_of_any_size_are_sent),
        cmocka_unit_test(attestation_sends_absent_empty_and_largest_fields),
        cmocka_unit_test(fields_over_the_modules_limits_are_not_sent),
        cmocka_unit_test(good_answers_are_taken),
        cmocka_unit_test(bad_answers_are_the_modules_failures),
        cmocka_unit_test(sizes_the_driver_cannot_mean_are_refused),
        cmocka_unit_test(an_answer_that_was_cut_short_is_refused),
        cmocka_unit_test(failures_of_the_device_are_named),
        cmocka_unit_test(an_interrupted_call_is_made_again_but_not_for_ever),
        cmocka_unit_test(only_a_device_is_opened),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
