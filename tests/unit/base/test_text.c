// Names, shown text, quoted text, numbers.
#include "../cmocka_setup.h"

#include "base/text.h"

static void good_names_pass(void **state)
{
    (void)state;
    assert_ok(text_check_name("alias", BYTES_LIT("member1"), false));
    assert_ok(text_check_name("alias", BYTES_LIT("J\xc3\xb6rg-2 a.b"), false));
    assert_ok(text_check_name("namespace", BYTES_LIT("a/b"), true));
}

static void names_that_hide_or_escape_are_refused(void **state)
{
    (void)state;
    const struct bytes bad[] = {BYTES_LIT(""),
                                BYTES_LIT("a\nb"),
                                BYTES_LIT("a\0b"),
                                BYTES_LIT("../x"),
                                BYTES_LIT("a..b"),
                                BYTES_LIT(".hidden"),
                                BYTES_LIT("a/b"),
                                BYTES_LIT("a\xe2\x80\xae"),
                                BYTES_LIT("a\xe2\x80\x8b"),
                                BYTES_LIT("a\xff"),
                                BYTES_LIT("\xc2\x85"),
                                BYTES_LIT("a\xef\xbb\xbf"),
                                BYTES_LIT("a\xe2\x81\xa6")};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_refused(text_check_name("alias", bad[i], false), Q_BAD_INPUT, "alias: expected");
    uint8_t big[201];
    memset(big, 'a', sizeof big);
    assert_refused(text_check_name("alias", BYTES_OF(big), false), Q_BAD_INPUT, "found 201");
}

static void hostile_text_is_shown_harmless(void **state)
{
    (void)state;
    BUF_AUTO out = {0};
    assert_ok(text_display(BYTES_LIT("a\x1b[31m\xe2\x80\xae\xff\xc3\xb6"), &out));
    assert_string_equal(buf_text(&out), "a\\u{1b}[31m\\u{202e}\\xff\xc3\xb6");
}

static void what_shows_nothing_is_shown_and_refused_in_names(void **state)
{
    (void)state;
    static const char *const invisible[] = {"\xcd\x8f",     "\xe1\x85\x9f", "\xe3\x85\xa4",
                                            "\xef\xb8\x8f", "\xef\xbe\xa0", "\xf3\xa0\x84\x80"};
    static const char *const shown[] = {"\\u{34f}",  "\\u{115f}", "\\u{3164}",
                                        "\\u{fe0f}", "\\u{ffa0}", "\\u{e0100}"};
    for (size_t i = 0; i < 6; i++) {
        BUF_AUTO out = {0};
        assert_ok(text_display(bytes_str(invisible[i]), &out));
        assert_string_equal(buf_text(&out), shown[i]);
        assert_refused(text_check_name("alias", bytes_str(invisible[i]), false), Q_BAD_INPUT,
                       "no control or bidirectional characters");
    }
}

static void letters_that_look_alike_can_be_told_apart(void **state)
{
    (void)state;
    BUF_AUTO out = {0};
    assert_ok(text_display_ascii(BYTES_LIT("\xd0\xb0lice\x1b\xff"), &out));
    assert_string_equal(buf_text(&out), "\\u{430}lice\\u{1b}\\xff");
}

static void fixed_text_is_tidied_in_place(void **state)
{
    (void)state;
    char text[] = "a\x1b[31m\xe2\x80\xae\xff\xc3\xb6\xe2\x80"; // cut in a character
    text_tidy(text);
    assert_string_equal(text, "a?[31m????\xc3\xb6??");
    char empty[] = "";
    text_tidy(empty);
    assert_string_equal(empty, "");
}

static void quoting_is_rusts(void **state)
{
    (void)state;
    BUF_AUTO out = {0};
    assert_ok(text_debug(BYTES_LIT("a\"b\\c\n\r\t\0'\x7f"), &out));
    assert_string_equal(buf_text(&out), "\"a\\\"b\\\\c\\n\\r\\t\\0'\\u{7f}\"");
}

static void numbers_are_read_as_rust_reads_them(void **state)
{
    (void)state;
    uint32_t v;
    assert_ok(text_u32(BYTES_LIT("+5"), &v));
    assert_int_equal(v, 5);
    assert_ok(text_u32(BYTES_LIT("005"), &v));
    assert_int_equal(v, 5);
    assert_ok(text_u32(BYTES_LIT("4294967295"), &v));
    const struct bytes bad[] = {BYTES_LIT(""),           BYTES_LIT("+"),
                                BYTES_LIT("-1"),         BYTES_LIT(" 1"),
                                BYTES_LIT("1 "),         BYTES_LIT("0x1"),
                                BYTES_LIT("4294967296"), BYTES_LIT("99999999999999999999999"),
                                BYTES_LIT("1.0"),        BYTES_LIT("++1")};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_refused(text_u32(bad[i], &v), Q_BAD_INPUT, "expected a");
    uint64_t w;
    assert_ok(text_u64(BYTES_LIT("18446744073709551615"), &w));
    assert_refused(text_u64(BYTES_LIT("18446744073709551616"), &w), Q_BAD_INPUT, "decimal");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_names_pass),
        cmocka_unit_test(names_that_hide_or_escape_are_refused),
        cmocka_unit_test(hostile_text_is_shown_harmless),
        cmocka_unit_test(fixed_text_is_tidied_in_place),
        cmocka_unit_test(what_shows_nothing_is_shown_and_refused_in_names),
        cmocka_unit_test(letters_that_look_alike_can_be_told_apart),
        cmocka_unit_test(quoting_is_rusts),
        cmocka_unit_test(numbers_are_read_as_rust_reads_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
