// Files that people write by hand: measurements, pivot hash, role (client/text_file.h,
// qos-behaviour 1.3).
#include "../cmocka_setup.h"

#include "client/text_file.h"

#define X48(byte)                                                                                  \
    byte byte byte byte byte byte byte byte byte byte byte byte byte byte byte byte byte byte byte \
        byte byte byte byte byte byte byte byte byte byte byte byte byte byte byte byte byte byte  \
            byte byte byte byte byte byte byte byte byte byte byte
#define PCRS X48("01") " PCR0\n" X48("a2") " PCR1\n" X48("F3") " PCR2\n"

static enum q_err parse(const char *text, bool placeholders, struct release *out)
{
    return release_parse(bytes_str(text), "pcrs", placeholders, out);
}

static void expect_pcrs(const char *text)
{
    struct release r;
    assert_ok(parse(text, false, &r));
    assert_false(r.placeholders);
    for (size_t i = 0; i < SHA384_SIZE; i++) {
        assert_int_equal(r.pcrs[0][i], 0x01);
        assert_int_equal(r.pcrs[1][i], 0xa2);
        assert_int_equal(r.pcrs[2][i], 0xf3);
    }
}

static void measurements_are_read(void **state)
{
    (void)state;
    expect_pcrs(PCRS);
    expect_pcrs(PCRS X48("04") " PCR3\n");                                              // ignored
    expect_pcrs(PCRS "\n\n");                                                           // blank end
    expect_pcrs(X48("01") " PCR0\r\n" X48("a2") " PCR1\r\n" X48("f3") " PCR2\r\n\r\n"); // CRLF
    expect_pcrs(X48("01") " PCR0\r\n" X48("a2") " PCR1\r\n" X48("f3") " PCR2\r"); // no last newline
}

static void malformed_measurements_are_refused(void **state)
{
    (void)state;
    struct release r;
    static const struct {
        const char *text, *why;
    } cases[] = {
        {"", "found 0 lines"},
        {X48("01") " PCR0\n" X48("02") " PCR1\n", "found 2 lines"},
        {X48("01") " PCR1\n" X48("02") " PCR0\n" X48("03") " PCR2\n", "expected PCR0"},
        {X48("01") "\tPCR0\n" X48("02") " PCR1\n" X48("03") " PCR2\n", "Not exactly 2 words"},
        {X48("01") "  PCR0\n" X48("02") " PCR1\n" X48("03") " PCR2\n", "Not exactly 2 words"},
        {X48("01") " PCR0 x\n" X48("02") " PCR1\n" X48("03") " PCR2\n", "Not exactly 2 words"},
        {X48("01") " PCR0\n\n" X48("02") " PCR1\n" X48("03") " PCR2\n", "Not exactly 2 words"},
        {"0101 PCR0\n" X48("02") " PCR1\n" X48("03") " PCR2\n", "Invalid hex for PCR0"},
        {X48("01") " PCR0\n" X48("zz") " PCR1\n" X48("03") " PCR2\n", "Invalid hex for PCR1"},
        {X48("01") "00 PCR0\n" X48("02") " PCR1\n" X48("03") " PCR2\n", "Invalid hex for PCR0"},
        {PCRS "stray\n", "Not exactly 2 words"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_refused(parse(cases[i].text, true, &r), Q_BAD_INPUT, cases[i].why);
}

#define PLACEHOLDERS "<PCR0_VALUE> PCR0\n<PCR1_VALUE> PCR1\n<PCR2_VALUE> PCR2\n"

static void placeholders_count_as_zeros_only_where_they_are_accepted(void **state)
{
    (void)state;
    struct release r;
    assert_refused(parse(PLACEHOLDERS, false, &r), Q_BAD_INPUT, "placeholder <PCR0_VALUE>");
    assert_refused(parse(PLACEHOLDERS, false, &r), Q_BAD_INPUT, "qos_core --print-pcrs");
    assert_ok(parse(PLACEHOLDERS, true, &r));
    assert_true(r.placeholders);
    for (size_t i = 0; i < RELEASE_PCRS; i++)
        assert_true(bytes_is_zero(BYTES_OF(r.pcrs[i])));
}

#define HASH32 "00112233445566778899aabbccddeeff00112233445566778899AABBCCDDEEFF"

static void pivot_hash_is_one_line_of_64_hex_characters(void **state)
{
    (void)state;
    uint8_t hash[SHA256_SIZE];
    static const char *const good[] = {HASH32, HASH32 "\n", HASH32 "\r\n", HASH32 "\n\n"};
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        assert_ok(pivot_hash_parse(bytes_str(good[i]), "hash", hash));
        assert_int_equal(hash[31], 0xff);
    }
    static const char *const bad[] = {"",
                                      "\n",
                                      "0011\n",
                                      HASH32 " \n",
                                      " " HASH32,
                                      HASH32 "  app\n",
                                      HASH32 "\n" HASH32 "\n",
                                      HASH32 "00\n"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(pivot_hash_parse(bytes_str(bad[i]), "hash", hash), Q_BAD_INPUT);
}

static void role_is_one_line_without_spaces_around_it(void **state)
{
    (void)state;
    struct bytes role;
    static const char *const good[] = {"arn:aws:iam::1:role/r", "arn:aws:iam::1:role/r\n",
                                       "arn:aws:iam::1:role/r\r\n", "arn:aws:iam::1:role/r\n\n"};
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        assert_ok(role_parse(bytes_str(good[i]), "role", &role));
        assert_true(bytes_is(role, "arn:aws:iam::1:role/r"));
    }
    static const char *const bad[] = {"", "\n", "\nrole\n", " role\n", "role \n", "role\nother\n"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(role_parse(bytes_str(bad[i]), "role", &role), Q_BAD_INPUT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(measurements_are_read),
        cmocka_unit_test(malformed_measurements_are_refused),
        cmocka_unit_test(placeholders_count_as_zeros_only_where_they_are_accepted),
        cmocka_unit_test(pivot_hash_is_one_line_of_64_hex_characters),
        cmocka_unit_test(role_is_one_line_without_spaces_around_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
