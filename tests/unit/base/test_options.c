// The command-line grammar (qos-behaviour 0.3).
#include "../cmocka_setup.h"

#include "base/options.h"

static const struct option table[] = {
    {.name = "port", .kind = OPTION_VALUE, .requires_ = "cid", .forbids = "usock", .help = "Port"},
    {.name = "cid", .kind = OPTION_VALUE, .help = "CID"},
    {.name = "usock", .kind = OPTION_VALUE, .help = "Socket"},
    {.name = "out", .kind = OPTION_VALUE, .required = true, .help = "Output"},
    {.name = "args", .kind = OPTION_VALUE, .fallback = "[]", .help = "Args"},
    {.name = "mock", .kind = OPTION_FLAG, .help = "Mock"},
    {.name = "share", .kind = OPTION_VALUE, .multiple = true, .help = "Share"},
};
#define COUNT (sizeof table / sizeof *table)

// Parses a command line given as one text with single spaces.
static enum q_err parse(struct options *o, const char *line)
{
    static char text[256];
    static char *words[32];
    int n = 0;
    (void)snprintf(text, sizeof text, "%s", line);
    for (char *at = text; at != NULL && n < 32;) {
        words[n++] = at;
        at = strchr(at, ' ');
        if (at != NULL)
            *at++ = '\0';
    }
    return options_parse(table, COUNT, n, words, o);
}

static void values_flags_and_defaults(void **state)
{
    (void)state;
    struct options o;
    assert_ok(parse(&o, "--mock --out x --share 1 --share -2"));
    assert_true(options_given(&o, "mock"));
    assert_string_equal(options_value(&o, "out"), "x");
    assert_string_equal(options_value(&o, "args"), "[]");
    assert_null(options_value(&o, "cid"));
    assert_int_equal(o.values_count, 2);
    assert_string_equal(o.values[1], "-2");
}

static void each_refusal_has_the_originals_text(void **state)
{
    (void)state;
    struct options o;
    assert_refused(parse(&o, "--mock"), Q_BAD_INPUT, "argument out is required but was not found");
    assert_refused(parse(&o, "word"), Q_BAD_INPUT,
                   "found word, which was not an expected argument");
    assert_refused(parse(&o, "--out=x"), Q_BAD_INPUT,
                   "found --out=x, which was not an expected argument");
    assert_refused(parse(&o, "--out x --out y"), Q_BAD_INPUT,
                   "found argument out more then once, but only one instance was expected");
    assert_refused(parse(&o, "--out"), Q_BAD_INPUT,
                   "found argument out, which requires a value, but no value was given");
    assert_refused(parse(&o, "--out --mock"), Q_BAD_INPUT, "requires a value");
    assert_refused(parse(&o, "--out x --port 3"), Q_BAD_INPUT,
                   "argument cid is required but was not found");
    assert_refused(parse(&o, "--out x --port 3 --cid 1 --usock s"), Q_BAD_INPUT,
                   "arguments port and usock are mutually exclusive");
    assert_refused(parse(&o, "--out x ..."), Q_BAD_INPUT, "found ...");
}

static void a_default_serves_where_no_value_is_given(void **state)
{
    (void)state;
    struct options o;
    assert_ok(parse(&o, "--args --out x"));
    assert_string_equal(options_value(&o, "args"), "[]");
}

static void help_then_version_win(void **state)
{
    (void)state;
    struct options o;
    assert_ok(parse(&o, "rubbish --version --help"));
    assert_true(o.help);
    assert_false(o.version);
    assert_ok(parse(&o, "rubbish --version"));
    assert_true(o.version);
}

static void numbers_are_bounded(void **state)
{
    (void)state;
    struct options o;
    uint32_t v;
    assert_ok(parse(&o, "--out 70000"));
    assert_refused(options_u32(&o, "out", 1, 65535, &v), Q_BAD_INPUT,
                   "--out: expected a number from 1 to 65535, found 70000");
    assert_ok(options_u32(&o, "out", 0, UINT32_MAX, &v));
    assert_int_equal(v, 70000);
}

static void help_has_two_sorted_blocks(void **state)
{
    (void)state;
    static const struct option two[] = {{.name = "zip", .kind = OPTION_FLAG, .help = "A flag"},
                                        {.name = "host",
                                         .kind = OPTION_VALUE,
                                         .required = true,
                                         .fallback = "h",
                                         .help = "The host"}};
    BUF_AUTO out = {0};
    assert_ok(options_help(two, 2, &out));
    assert_string_equal(buf_text(&out), "Required CLI inputs:\n"
                                        "\t--host <host> The host [default: h]\n"
                                        "\nOptional CLI inputs:\n"
                                        "\t--help    Print this help\n"
                                        "\t--version Print the version\n"
                                        "\t--zip     A flag\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_flags_and_defaults),
        cmocka_unit_test(each_refusal_has_the_originals_text),
        cmocka_unit_test(a_default_serves_where_no_value_is_given),
        cmocka_unit_test(help_then_version_win),
        cmocka_unit_test(numbers_are_bounded),
        cmocka_unit_test(help_has_two_sorted_blocks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
