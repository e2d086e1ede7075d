// Reading described values from JSON: what is accepted, and everything that must be refused.
#include "../cmocka_setup.h"

#include "codec/json.h"
#include "samples.h"

#include <stdlib.h>

static enum q_err decode(const struct type *t, const char *text, struct arena *a, void *out)
{
    memset(out, 0xa5, t->size); // what is not there must still come out as absent
    return json_decode(t, bytes_str(text), a, out);
}

// text is read, and what was read is written in plain style as expected.
static void assert_reads(const struct type *t, const char *text, const char *expected)
{
    ARENA_AUTO a = {0};
    BUF_AUTO out = {0};
    void *value;
    assert_ok(arena_alloc(&a, t->size, &value));
    assert_ok(decode(t, text, &a, value));
    assert_ok(json_encode(t, value, JSON_PLAIN, &out));
    assert_string_equal(buf_text(&out), expected);
}

#define assert_not_read(t, input, code, text)                                                      \
    do {                                                                                           \
        ARENA_AUTO a_ = {0};                                                                       \
        void *out_;                                                                                \
        assert_ok(arena_alloc(&a_, (t)->size, &out_));                                             \
        assert_refused(decode((t), (input), &a_, out_), code, text);                               \
    } while (0)

static void reads_scalars(void **state)
{
    (void)state;
    ARENA_AUTO a = {0};
    struct scalars got;
    assert_ok(decode(&type_scalars,
                     " { \"fixed\" : \"0x000102fF\", \"flag\":true, \"small\":65535, "
                     "\"medium\":\"4294967295\", \"large\":\"18446744073709551615\", "
                     "\"text\":\"\\u00f6\\u0000\", \"blob\":\"DEad\" } ",
                     &a, &got));
    assert_true(got.flag);
    assert_int_equal(got.small, 65535);
    assert_int_equal(got.medium, UINT32_MAX);
    assert_true(got.large == UINT64_MAX);
    assert_bytes(got.text, BYTES_LIT("\xc3\xb6\0"));
    assert_bytes(got.blob, BYTES_LIT("\xde\xad"));
    assert_memory_equal(got.fixed, "\0\1\2\xff", 4);
}

static void reads_integers_as_numbers_and_as_rust_reads_text(void **state)
{
    (void)state;
    assert_reads(&type_u32, "0", "0");
    assert_reads(&type_u32, "5", "5");
    assert_reads(&type_u32, "\"5\"", "5");
    assert_reads(&type_u32, "\"+5\"", "5");
    assert_reads(&type_u32, "\"005\"", "5");
    assert_reads(&type_u16, "\"65535\"", "65535");
    assert_reads(&type_u64, "9223372036854775807", "9223372036854775807");
    assert_reads(&type_u64, "\"18446744073709551615\"", "18446744073709551615");
}

static void refuses_what_is_no_integer_of_the_type(void **state)
{
    (void)state;
    static const char *const bad[] = {"\"x\"",
                                      "\"\"",
                                      "\"+\"",
                                      "\"-5\"",
                                      "\" 5\"",
                                      "\"5 \"",
                                      "\"5.0\"",
                                      "\"0x5\"",
                                      "\"1e3\"",
                                      "\"++5\"",
                                      "\"\\u0000\"",
                                      "-1",
                                      "-0",
                                      "5.0",
                                      "5e0",
                                      "true",
                                      "null",
                                      "[5]",
                                      "{}",
                                      "4294967296",
                                      "\"4294967296\"",
                                      "99999999999999999999",
                                      "\"99999999999999999999\""};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_not_read(&type_u32, bad[i], Q_BAD_INPUT, "u32: ");
    assert_not_read(&type_u16, "65536", Q_BAD_INPUT, "expected a u16, found 65536");
    assert_not_read(&type_u16, "\"65536\"", Q_BAD_INPUT, "expected a u16, found \"65536\"");
    assert_not_read(&type_u64, "\"18446744073709551616\"", Q_BAD_INPUT, "expected a u64");
    // The limit of numbers that stand outside strings, by name.
    assert_not_read(&type_u64, "9223372036854775808", Q_BAD_INPUT,
                    "9223372036854775807 (larger ones as strings)");
}

static void refuses_the_wrong_kind(void **state)
{
    (void)state;
    assert_not_read(&type_bool, "\"true\"", Q_BAD_INPUT, "expected a boolean, found a string");
    assert_not_read(&type_bool, "1", Q_BAD_INPUT, "expected a boolean, found an integer");
    assert_not_read(&type_text, "5", Q_BAD_INPUT, "expected a string, found an integer");
    assert_not_read(&type_text, "null", Q_BAD_INPUT, "expected a string, found null");
    assert_not_read(&type_bytes, "[1]", Q_BAD_INPUT, "expected a string of hex, found an array");
    assert_not_read(&type_inner, "\"x\"", Q_BAD_INPUT, "expected an object, found a string");
    assert_not_read(&type_limited_list, "{}", Q_BAD_INPUT, "expected an array, found an object");
}

static void refuses_bad_hex(void **state)
{
    (void)state;
    assert_not_read(&type_bytes, "\"a\"", Q_BAD_INPUT, "LengthOne");
    assert_not_read(&type_bytes, "\"abc\"", Q_BAD_INPUT, "OddLength");
    assert_not_read(&type_bytes, "\"zz\"", Q_BAD_INPUT, "ParseInt");
    assert_not_read(&type_bytes, "\"\\u00f6\\u00f6\"", Q_BAD_INPUT, "NonAsciiChar");
    assert_not_read(&type_bytes, "\"0x0\"", Q_BAD_INPUT, "LengthOne");
}

static void reads_hex_with_and_without_its_prefix(void **state)
{
    (void)state;
    assert_reads(&type_bytes, "\"0x00\"", "\"00\"");
    assert_reads(&type_bytes, "\"00aA\"", "\"00aa\"");
    assert_reads(&type_bytes, "\"+f\"", "\"0f\"");
    assert_not_read(&type_bytes, "\"0X00\"", Q_BAD_INPUT, "ParseInt");
    assert_not_read(&type_bytes, "\"ax\"", Q_BAD_INPUT, "ParseInt");
}

static void refuses_fixed_bytes_of_another_length(void **state)
{
    (void)state;
    static const char format[] = "{\"flag\":true,\"small\":1,\"medium\":1,\"large\":1,"
                                 "\"text\":\"\",\"blob\":\"\",\"fixed\":\"0001\"}";
    assert_not_read(&type_scalars, format, Q_BAD_INPUT,
                    "scalars.fixed: expected 8 hex characters, found 4");
}

static void an_empty_value_that_is_there_is_not_absent(void **state)
{
    (void)state;
    ARENA_AUTO a = {0};
    struct options_of_all got;
    assert_ok(decode(&type_options, "{\"text\":\"\",\"blob\":\"\"}", &a, &got));
    assert_non_null(got.text.p);
    assert_non_null(got.blob.p);
    assert_int_equal(got.text.n + got.blob.n, 0);
    assert_ok(decode(&type_options, "{\"blob\":\"0x\"}", &a, &got));
    assert_non_null(got.blob.p);
    assert_int_equal(got.blob.n, 0);
    assert_null(got.text.p);
}

static void null_and_missing_mean_absent(void **state)
{
    (void)state;
    assert_reads(&type_options, "{}", "{}");
    assert_reads(&type_options,
                 "{\"text\":null,\"blob\":null,\"inner\":null,\"number\":null,\"sum\":null,"
                 "\"custom\":null}",
                 "{}");
    assert_reads(&type_options,
                 "{\"custom\":{\"#\":\"8\"},\"sum\":{\"nothing\":null},\"number\":7,"
                 "\"inner\":{\"alpha\":\"n\",\"zeta\":1}}",
                 "{\"inner\":{\"zeta\":1,\"alpha\":\"n\"},\"number\":7,\"sum\":\"nothing\","
                 "\"custom\":{\"#\":8,\"text\":\"\\\"\"}}");
}

static void lists_may_be_missing_only_where_they_have_a_default(void **state)
{
    (void)state;
    assert_reads(&type_lists, "{\"inners\":[],\"nested\":[],\"colors\":[]}",
                 "{\"inners\":[],\"nested\":[],\"colors\":[]}");
    assert_not_read(&type_lists, "{\"nested\":[],\"colors\":[]}", Q_BAD_INPUT,
                    "lists.inners: expected this field, found none");
    assert_not_read(&type_lists, "{\"inners\":[],\"nested\":[],\"colors\":[],\"texts\":null}",
                    Q_BAD_INPUT, "lists.texts: expected an array, found null");
}

static void reads_lists(void **state)
{
    (void)state;
    static const char text[] =
        "{\"inners\":[{\"zeta\":1,\"alpha\":\"a\"}],\"nested\":[[1,2],[]],\"texts\":[\"t\",\"\"],"
        "\"colors\":[\"Blue\",\"DarkRed\"],\"customs\":[{\"#\":9,\"text\":\"\\\"\"}]}";
    assert_reads(&type_lists, text, text);
}

static void ignores_unknown_fields_unless_closed(void **state)
{
    (void)state;
    static const char text[] = "{\"zeta\":1,\"more\":[1.5,{}],\"alpha\":\"a\"}";
    assert_reads(&type_inner, text, "{\"zeta\":1,\"alpha\":\"a\"}");
    assert_not_read(&type_inner_closed, text, Q_BAD_INPUT,
                    "closed: expected known fields only, found \"more\"");
    assert_reads(&type_inner_closed, "{\"zeta\":1,\"alpha\":\"a\"}",
                 "{\"zeta\":1,\"alpha\":\"a\"}");
}

static void refuses_a_field_given_twice(void **state)
{
    (void)state;
    assert_not_read(&type_inner, "{\"zeta\":1,\"alpha\":\"a\",\"zeta\":1}", Q_BAD_INPUT,
                    "inner: JSON: line 1");
}

static void reads_structs_given_as_arrays(void **state)
{
    (void)state;
    assert_reads(&type_inner, "[1,\"a\"]", "{\"zeta\":1,\"alpha\":\"a\"}");
    assert_reads(&type_options, "[null,\"\",null,3,null,null]", "{\"blob\":\"\",\"number\":3}");
    assert_not_read(&type_inner, "[1]", Q_BAD_INPUT, "expected an array of 2 fields, found 1");
    assert_not_read(&type_inner, "[1,\"a\",2]", Q_BAD_INPUT, "found 3");
    assert_not_read(&type_inner, "[\"a\",1]", Q_BAD_INPUT, "inner.zeta: expected a u32");
}

static void reads_variants(void **state)
{
    (void)state;
    assert_reads(&type_sum, "\"nothing\"", "\"nothing\"");
    assert_reads(&type_sum, "{\"nothing\":null}", "\"nothing\"");
    assert_reads(&type_sum, "{\"inner\":[5,\"x\"]}", "{\"inner\":{\"zeta\":5,\"alpha\":\"x\"}}");
    assert_reads(&type_sum, "{\"text\":\"hi\"}", "{\"text\":\"hi\"}");
    assert_reads(&type_sum, "{\"pair\":[\"1\",null]}", "{\"pair\":[1,null]}");
}

static void refuses_what_is_no_variant(void **state)
{
    (void)state;
    assert_not_read(&type_sum, "\"other\"", Q_BAD_INPUT,
                    "sum: expected the name of a sum, found \"other\"");
    assert_not_read(&type_sum, "{\"other\":1}", Q_BAD_INPUT, "found \"other\"");
    assert_not_read(&type_sum, "\"Nothing\"", Q_BAD_INPUT, "found \"Nothing\"");
    assert_not_read(&type_sum, "\"nothing\\u0000\"", Q_BAD_INPUT, "expected the name");
    assert_not_read(&type_sum, "\"\"", Q_BAD_INPUT, "found \"\"");
    assert_not_read(&type_sum, "\"text\"", Q_BAD_INPUT, "sum.text: expected an object");
    assert_not_read(&type_sum, "{\"nothing\":{}}", Q_BAD_INPUT,
                    "sum.nothing: expected null, found an object");
    assert_not_read(&type_sum, "{}", Q_BAD_INPUT, "found another object");
    assert_not_read(&type_sum, "{\"nothing\":null,\"text\":\"\"}", Q_BAD_INPUT,
                    "found another object");
    assert_not_read(&type_sum, "3", Q_BAD_INPUT, "found an integer");
    assert_not_read(&type_sum, "{\"text\":null}", Q_BAD_INPUT, "sum.text: expected a string");
    assert_not_read(&type_sum, "{\"pair\":{\"left\":1}}", Q_BAD_INPUT,
                    "sum.pair: expected an array, found an object");
}

static void reads_camel_case_where_it_may(void **state)
{
    (void)state;
    assert_reads(&type_color, "\"DarkRed\"", "\"DarkRed\"");
    assert_reads(&type_color, "\"darkRed\"", "\"DarkRed\"");
    assert_reads(&type_color, "{\"blue\":null}", "\"Blue\"");
    assert_not_read(&type_color, "\"darkred\"", Q_BAD_INPUT, "found \"darkred\"");
    assert_not_read(&type_color, "\"dARKRED\"", Q_BAD_INPUT, "found \"dARKRED\"");
    assert_not_read(&type_color, "\"\"", Q_BAD_INPUT, "found \"\"");
    assert_not_read(&type_color, "\"xlue\"", Q_BAD_INPUT, "found \"xlue\"");
    struct type pascal_only = type_color;
    pascal_only.camel_too = false;
    assert_reads(&pascal_only, "\"Blue\"", "\"Blue\"");
    assert_not_read(&pascal_only, "\"blue\"", Q_BAD_INPUT, "found \"blue\"");
}

static void reads_internal_tags(void **state)
{
    (void)state;
    assert_reads(&type_link, "{\"port\":\"3000\",\"host\":\"h\",\"type\":\"near\"}",
                 "{\"type\":\"near\",\"port\":3000,\"host\":\"h\"}");
    assert_reads(&type_link, "{\"type\":\"far\",\"port\":1,\"host\":null,\"x\":1}",
                 "{\"type\":\"far\",\"port\":1}");
    assert_reads(&type_link, "{\"type\":\"none\"}", "{\"type\":\"none\"}");
    assert_not_read(&type_link, "{\"port\":1}", Q_BAD_INPUT,
                    "link: expected a string in \"type\", found nothing");
    assert_not_read(&type_link, "{\"type\":1}", Q_BAD_INPUT, "found an integer");
    assert_not_read(&type_link, "{\"type\":\"x\"}", Q_BAD_INPUT, "found \"x\"");
    assert_not_read(&type_link, "\"none\"", Q_BAD_INPUT, "expected an object");
    assert_not_read(&type_link, "{\"type\":\"near\",\"port\":1}", Q_BAD_INPUT,
                    "link.host: expected this field, found none");
    assert_not_read(&type_link, "{\"type\":\"near\",\"port\":1,\"host\":\"\",\"x\":1}", Q_BAD_INPUT,
                    "found \"x\"");
}

static void names_the_place_of_a_failure(void **state)
{
    (void)state;
    assert_not_read(&type_lists, "{\"inners\":[[1,\"a\"],{\"zeta\":\"x\",\"alpha\":\"\"}]}",
                    Q_BAD_INPUT, "lists.inners[1].zeta: expected a u32, found \"x\"");
    assert_not_read(&type_lists, "{\"inners\":[],\"nested\":[[],[1,-1]]}", Q_BAD_INPUT,
                    "lists.nested[1][1]: expected a u16, found -1");
    assert_not_read(&type_options, "{\"custom\":{\"#\":[]}}", Q_BAD_INPUT,
                    "options.custom: expected a u32, found an array");
}

static void found_text_is_cut_and_quoted(void **state)
{
    (void)state;
    assert_not_read(&type_u32, "\"0123456789012345678901234567890123456789012\\n\"", Q_BAD_INPUT,
                    "found \"0123456789012345678901234567890123456789\"");
    assert_not_read(&type_u32, "\"a\\u001b\\u202e\"", Q_BAD_INPUT, "found \"a\\u{1b}\\u{202e}\"");
}

static void keeps_to_the_limits_of_types(void **state)
{
    (void)state;
    assert_not_read(&type_limited_text, "\"abcd\"", Q_LIMIT,
                    "short text: expected at most 3 bytes");
    assert_not_read(&type_limited_list, "[1,2,3]", Q_LIMIT, "short list: expected at most 2");
    struct type limited_bytes = type_bytes;
    limited_bytes.limit = 1;
    assert_not_read(&limited_bytes, "\"0001\"", Q_LIMIT, "bytes: expected at most 1 bytes");
    assert_reads(&limited_bytes, "\"0x00\"", "\"00\"");
    assert_reads(&type_limited_text, "\"abc\"", "\"abc\"");
    assert_reads(&type_limited_list, "[1,2]", "[1,2]");
}

static void keeps_to_the_budget_of_the_arena(void **state)
{
    (void)state;
    ARENA_AUTO a = {.budget = 16};
    struct bytes got;
    assert_refused(json_decode(&type_text, BYTES_LIT("\"abcdefghijklmnopqrstuvwxyz\""), &a, &got),
                   Q_NOMEM, "budget");
}

static void bounds_nesting(void **state)
{
    (void)state;
    BUF_AUTO deep = {0};
    for (unsigned i = 0; i < 60; i++)
        assert_ok(buf_append_str(&deep, "{\"next\":"));
    assert_ok(buf_append_str(&deep, "{}"));
    for (unsigned i = 0; i < 60; i++)
        assert_ok(buf_append_str(&deep, "}"));
    assert_not_read(&type_node, buf_text(&deep), Q_LIMIT, "levels");
}

static void says_which_type_has_no_json_form(void **state)
{
    (void)state;
    assert_not_read(&type_borsh_only, "1", Q_UNSUPPORTED, "borsh only:");
    assert_not_read(&type_sum, "{\"hidden\":[1,\"\"]}", Q_BAD_INPUT, "found \"hidden\"");
}

static void decoded_values_do_not_need_the_input(void **state)
{
    (void)state;
    ARENA_AUTO a = {0};
    char text[] = "[1,\"abc\"]";
    struct inner got;
    assert_ok(json_decode(&type_inner, bytes_of(text, strlen(text)), &a, &got));
    memset(text, 0, sizeof text);
    assert_bytes(got.name, BYTES_LIT("abc"));
}

static void reads_large_bytes_into_memory_of_their_size(void **state)
{
    (void)state;
    const size_t n = (size_t)4 << 20;
    ARENA_AUTO a = {0};
    BUF_AUTO text = {0};
    assert_ok(buf_reserve(&text, 2 * n + 3));
    assert_ok(buf_u8(&text, '"'));
    memset(text.p + 1, 'f', 2 * n);
    text.n += 2 * n;
    assert_ok(buf_u8(&text, '"'));
    struct bytes got;
    assert_ok(json_decode(&type_bytes, buf_bytes(&text), &a, &got));
    assert_int_equal(got.n, n);
    assert_int_equal(got.p[n - 1], 0xff);
    assert_int_equal(a.used, n);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_scalars),
        cmocka_unit_test(reads_integers_as_numbers_and_as_rust_reads_text),
        cmocka_unit_test(refuses_what_is_no_integer_of_the_type),
        cmocka_unit_test(refuses_the_wrong_kind),
        cmocka_unit_test(refuses_bad_hex),
        cmocka_unit_test(reads_hex_with_and_without_its_prefix),
        cmocka_unit_test(refuses_fixed_bytes_of_another_length),
        cmocka_unit_test(an_empty_value_that_is_there_is_not_absent),
        cmocka_unit_test(null_and_missing_mean_absent),
        cmocka_unit_test(lists_may_be_missing_only_where_they_have_a_default),
        cmocka_unit_test(reads_lists),
        cmocka_unit_test(ignores_unknown_fields_unless_closed),
        cmocka_unit_test(refuses_a_field_given_twice),
        cmocka_unit_test(reads_structs_given_as_arrays),
        cmocka_unit_test(reads_variants),
        cmocka_unit_test(refuses_what_is_no_variant),
        cmocka_unit_test(reads_camel_case_where_it_may),
        cmocka_unit_test(reads_internal_tags),
        cmocka_unit_test(names_the_place_of_a_failure),
        cmocka_unit_test(found_text_is_cut_and_quoted),
        cmocka_unit_test(keeps_to_the_limits_of_types),
        cmocka_unit_test(keeps_to_the_budget_of_the_arena),
        cmocka_unit_test(bounds_nesting),
        cmocka_unit_test(says_which_type_has_no_json_form),
        cmocka_unit_test(decoded_values_do_not_need_the_input),
        cmocka_unit_test(reads_large_bytes_into_memory_of_their_size),
    };
    return cmocka_run_group_tests_name("codec_json_read", tests, NULL, NULL);
}
