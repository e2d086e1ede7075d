// Lines for a shell (client/command_line.h): whatever the value, the shell reads it as one word.
#include "../cmocka_setup.h"

#include "client/command_line.h"

static void plain_words_stay_as_they_are_and_others_are_quoted(void **state)
{
    (void)state;
    static const struct {
        const char *word, *text;
    } words[] = {
        {"genesis-dir/a.pub", " genesis-dir/a.pub"},
        {"", " ''"},
        {"my dir", " 'my dir'"},
        {"$(reboot)", " '$(reboot)'"},
        {"a;b&c|d>e", " 'a;b&c|d>e'"},
        {"it's", " 'it'\\''s'"},
        {"~root", " '~root'"},
        {"grün", " 'grün'"},
    };
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        BUF_AUTO line = {0};
        assert_ok(line_word(&line, words[i].word));
        assert_string_equal(buf_text(&line), words[i].text);
    }
}

static void what_cannot_be_seen_is_never_put_into_a_line(void **state)
{
    (void)state;
    static const char *const hidden[] = {"a\nreboot", "a\x1b[2J", "txt.\xe2\x80\xae", "\xff",
                                         "\x7f"};
    for (size_t i = 0; i < sizeof hidden / sizeof hidden[0]; i++) {
        BUF_AUTO line = {0};
        assert_refused(line_word(&line, hidden[i]), Q_BAD_INPUT, "command line");
        assert_int_equal(line.n, 0);
    }
}

static void an_option_without_a_value_is_left_out(void **state)
{
    (void)state;
    BUF_AUTO line = {0};
    assert_ok(line_start(&line, "post-share"));
    assert_ok(line_option(&line, "host-ip", "127.0.0.1"));
    assert_ok(line_option(&line, "endpoint-base-path", NULL));
    assert_string_equal(buf_text(&line), "qos_client post-share --host-ip 127.0.0.1");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_words_stay_as_they_are_and_others_are_quoted),
        cmocka_unit_test(what_cannot_be_seen_is_never_put_into_a_line),
        cmocka_unit_test(an_option_without_a_value_is_left_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
