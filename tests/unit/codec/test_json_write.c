// Writing JSON: every shape, plain and canonical, to the byte.
#include "../cmocka_setup.h"

#include "codec/json.h"
#include "samples.h"

static void assert_writes(const struct type *t, const void *value, enum json_style style,
                          const char *expected)
{
    BUF_AUTO out = {0};
    assert_ok(json_encode(t, value, style, &out));
    assert_string_equal(buf_text(&out), expected);
}

static void assert_both(const struct type *t, const void *value, const char *plain,
                        const char *canonical)
{
    assert_writes(t, value, JSON_PLAIN, plain);
    assert_writes(t, value, JSON_CANONICAL, canonical);
}

static void writes_scalars(void **state)
{
    (void)state;
    struct scalars s = {.flag = true,
                        .small = 65535,
                        .medium = 0,
                        .large = UINT64_MAX,
                        .text = BYTES_LIT("\xc3\xb6"),
                        .blob = BYTES_LIT("\xde\xad"),
                        .fixed = {0, 1, 2, 255}};
    assert_both(&type_scalars, &s,
                "{\"flag\":true,\"small\":65535,\"medium\":0,\"large\":18446744073709551615,"
                "\"text\":\"\xc3\xb6\",\"blob\":\"dead\",\"fixed\":\"000102ff\"}",
                "{\"blob\":\"dead\",\"fixed\":\"000102ff\",\"flag\":true,"
                "\"large\":\"18446744073709551615\",\"medium\":\"0\",\"small\":\"65535\","
                "\"text\":\"\xc3\xb6\"}");
}

static void escapes_text(void **state)
{
    (void)state;
    struct bytes text = BYTES_LIT("\"\\/\b\t\n\f\r\x01\x1f \x7f\xe2\x82\xac\xf0\x9f\x98\x80\0");
    assert_both(&type_text, &text,
                "\"\\\"\\\\/\\b\\t\\n\\f\\r\\u0001\\u001f \x7f\xe2\x82\xac\xf0\x9f\x98\x80"
                "\\u0000\"",
                "\"\\\"\\\\/\\b\\t\\n\\f\\r\\u0001\\u001f \x7f\xe2\x82\xac\xf0\x9f\x98\x80"
                "\\u0000\"");
}

static void refuses_text_that_is_not_utf8(void **state)
{
    (void)state;
    struct bytes text = BYTES_LIT("\xff");
    BUF_AUTO out = {0};
    assert_ok(buf_append_str(&out, "before"));
    assert_refused(json_encode(&type_text, &text, JSON_PLAIN, &out), Q_BAD_INPUT, "UTF-8");
    assert_string_equal(buf_text(&out), "before");
}

static void omits_absent_values(void **state)
{
    (void)state;
    struct options_of_all none = {0};
    assert_both(&type_options, &none, "{}", "{}");
    struct inner inner = {1, BYTES_LIT("n")};
    struct sum sum = {.tag = 0};
    uint32_t number = 7, custom = 8;
    struct options_of_all all = {.text = BYTES_LIT(""),
                                 .blob = BYTES_LIT(""),
                                 .inner = &inner,
                                 .number = &number,
                                 .sum = &sum,
                                 .custom = &custom};
    assert_both(&type_options, &all,
                "{\"text\":\"\",\"blob\":\"\",\"inner\":{\"zeta\":1,\"alpha\":\"n\"},\"number\":7,"
                "\"sum\":\"nothing\",\"custom\":{\"#\":8,\"text\":\"\\\"\"}}",
                "{\"blob\":\"\",\"custom\":{\"canonical\":\"8\",\"text\":\"\\\"\"},"
                "\"inner\":{\"alpha\":\"n\",\"zeta\":\"1\"},\"number\":\"7\",\"sum\":\"nothing\","
                "\"text\":\"\"}");
}

static void omits_empty_lists_only_where_they_have_a_default(void **state)
{
    (void)state;
    struct lists empty = {0};
    assert_both(&type_lists, &empty, "{\"inners\":[],\"nested\":[],\"colors\":[]}",
                "{\"colors\":[],\"inners\":[],\"nested\":[]}");
}

static void writes_lists(void **state)
{
    (void)state;
    struct inner inners[] = {{1, BYTES_LIT("a")}, {2, BYTES_LIT("")}};
    uint16_t one[] = {1, 2};
    shorts nested[] = {{one, 2}, {NULL, 0}};
    struct bytes texts[] = {BYTES_LIT("t"), BYTES_LIT("")};
    struct color colors[] = {{7}, {0}};
    uint32_t customs[] = {9};
    struct lists all = {.inners = {inners, 2},
                        .nested = {nested, 2},
                        .texts = {texts, 2},
                        .colors = {colors, 2},
                        .customs = {customs, 1}};
    assert_both(&type_lists, &all,
                "{\"inners\":[{\"zeta\":1,\"alpha\":\"a\"},{\"zeta\":2,\"alpha\":\"\"}],"
                "\"nested\":[[1,2],[]],\"texts\":[\"t\",\"\"],\"colors\":[\"Blue\",\"DarkRed\"],"
                "\"customs\":[{\"#\":9,\"text\":\"\\\"\"}]}",
                "{\"colors\":[\"Blue\",\"DarkRed\"],"
                "\"customs\":[{\"canonical\":\"9\",\"text\":\"\\\"\"}],"
                "\"inners\":[{\"alpha\":\"a\",\"zeta\":\"1\"},{\"alpha\":\"\",\"zeta\":\"2\"}],"
                "\"nested\":[[\"1\",\"2\"],[]],\"texts\":[\"t\",\"\"]}");
}

static void writes_variants(void **state)
{
    (void)state;
    struct sum inner = {.tag = 1, .inner = {5, BYTES_LIT("x")}};
    assert_both(&type_sum, &inner, "{\"inner\":{\"zeta\":5,\"alpha\":\"x\"}}",
                "{\"inner\":{\"alpha\":\"x\",\"zeta\":\"5\"}}");
    struct sum text = {.tag = 2, .text = BYTES_LIT("hi")};
    assert_both(&type_sum, &text, "{\"text\":\"hi\"}", "{\"text\":\"hi\"}");
    struct sum pair = {.tag = 3, .pair = {1, BYTES_LIT("r")}};
    assert_both(&type_sum, &pair, "{\"pair\":[1,\"r\"]}", "{\"pair\":[\"1\",\"r\"]}");
    pair.pair.right = BYTES_NONE;
    assert_both(&type_sum, &pair, "{\"pair\":[1,null]}", "{\"pair\":[\"1\",null]}");
}

static void writes_internal_tags_among_the_fields(void **state)
{
    (void)state;
    struct link near = {.tag = 0, .near = {3000, BYTES_LIT("h")}};
    assert_both(&type_link, &near, "{\"type\":\"near\",\"port\":3000,\"host\":\"h\"}",
                "{\"host\":\"h\",\"port\":\"3000\",\"type\":\"near\"}");
    struct link far = {.tag = 1, .far = {.port = 443}};
    assert_both(&type_link, &far, "{\"type\":\"far\",\"port\":443}",
                "{\"port\":\"443\",\"type\":\"far\"}");
    struct link none = {.tag = 2};
    assert_both(&type_link, &none, "{\"type\":\"none\"}", "{\"type\":\"none\"}");
}

static void says_what_has_no_json_form(void **state)
{
    (void)state;
    BUF_AUTO out = {0};
    struct sum hidden = {.tag = 4};
    assert_refused(json_encode(&type_sum, &hidden, JSON_PLAIN, &out), Q_UNSUPPORTED,
                   "sum: expected a variant with a JSON form, found 4");
    struct sum odd = {.tag = 99};
    assert_refused(json_encode(&type_sum, &odd, JSON_PLAIN, &out), Q_INTERNAL, "found 99");
    uint32_t number = 1;
    assert_refused(json_encode(&type_borsh_only, &number, JSON_PLAIN, &out), Q_UNSUPPORTED,
                   "borsh only:");
    assert_int_equal(out.n, 0);
}

static void bounds_nesting(void **state)
{
    (void)state;
    struct node nodes[1000] = {0};
    for (size_t i = 0; i + 1 < 1000; i++)
        nodes[i].next = &nodes[i + 1];
    BUF_AUTO out = {0};
    assert_refused(json_encode(&type_node, &nodes[0], JSON_PLAIN, &out), Q_LIMIT, "levels");
    assert_int_equal(out.n, 0);
    assert_both(&type_node, &nodes[998], "{\"next\":{}}", "{\"next\":{}}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_scalars),
        cmocka_unit_test(escapes_text),
        cmocka_unit_test(refuses_text_that_is_not_utf8),
        cmocka_unit_test(omits_absent_values),
        cmocka_unit_test(omits_empty_lists_only_where_they_have_a_default),
        cmocka_unit_test(writes_lists),
        cmocka_unit_test(writes_variants),
        cmocka_unit_test(writes_internal_tags_among_the_fields),
        cmocka_unit_test(says_what_has_no_json_form),
        cmocka_unit_test(bounds_nesting),
    };
    return cmocka_run_group_tests_name("codec_json_write", tests, NULL, NULL);
}
