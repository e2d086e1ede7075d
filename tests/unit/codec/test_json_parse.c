// Parsing any JSON within bounds, and its canonical form: our own vectors and the shared ones.
#include "../cmocka_setup.h"

#include "../vector_file.h"

#include "codec/json.h"

static enum q_err canonical_of(struct bytes in, struct buf *out)
{
    json_t *tree;
    TRY(json_parse(in, &tree));
    enum q_err err = json_canonical(tree, out);
    json_decref(tree);
    return err;
}

static void assert_canonical(struct bytes in, struct bytes expected)
{
    BUF_AUTO once = {0}, twice = {0};
    assert_ok(canonical_of(in, &once));
    assert_bytes(buf_bytes(&once), expected);
    assert_ok(canonical_of(buf_bytes(&once), &twice));
    assert_bytes(buf_bytes(&twice), expected);
}

static void canonical_form_is_that_of_the_vectors(void **state)
{
    (void)state;
    VECTOR_FILE_AUTO f;
    vector_file_own(&f, "codec/canonical_json.json");
    const json_t *list = vector_field(f.root, "accept");
    assert_true(json_array_size(list) > 100);
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *v = json_array_get(list, i);
        assert_canonical(vector_hex(&f, v, "input"), vector_hex(&f, v, "canonical"));
    }
}

static void refuses_what_the_vectors_refuse(void **state)
{
    (void)state;
    VECTOR_FILE_AUTO f;
    vector_file_own(&f, "codec/canonical_json.json");
    const json_t *list = vector_field(f.root, "refuse");
    assert_true(json_array_size(list) > 40);
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *v = json_array_get(list, i);
        BUF_AUTO out = {0};
        if (canonical_of(vector_hex(&f, v, "input"), &out) == Q_OK)
            fail_msg("%s (%s) was accepted", vector_text(v, "input"), vector_text(v, "why"));
        assert_int_equal(out.n, 0);
    }
}

static void matches_the_shared_canonical_vectors(void **state)
{
    (void)state;
    VECTOR_FILE_AUTO f;
    vector_file_shared(&f, "vectors/qos/protocol/canonical_json.json");
    const json_t *accept = vector_field(f.root, "accept");
    assert_true(json_array_size(accept) > 0);
    for (size_t i = 0; i < json_array_size(accept); i++) {
        const json_t *v = json_array_get(accept, i);
        assert_canonical(bytes_str(vector_text(v, "input")),
                         bytes_str(vector_text(v, "canonical")));
    }
    const json_t *refuse = vector_field(f.root, "reject_non_integer");
    assert_true(json_array_size(refuse) > 0);
    for (size_t i = 0; i < json_array_size(refuse); i++) {
        BUF_AUTO out = {0};
        const char *text = json_string_value(json_array_get(refuse, i));
        assert_refused(canonical_of(bytes_str(text), &out), Q_BAD_INPUT, "integers only");
    }
}

static void fill(struct buf *b, const char *unit, size_t count)
{
    for (size_t i = 0; i < count; i++)
        assert_ok(buf_append_str(b, unit));
}

// An array of count values, of which it is one itself.
static void array_of_values(struct buf *b, size_t count, const char *element)
{
    buf_clear(b);
    fill(b, "[", 1);
    for (size_t i = 0; i + 2 < count; i++) {
        fill(b, element, 1);
        fill(b, ",", 1);
    }
    fill(b, element, 1);
    fill(b, "]", 1);
}

static void bounds_the_number_of_values(void **state)
{
    (void)state;
    static const char *const elements[] = {"1", "\"a\"", "[]", "{}", "null", "\" \\\"[,:\" "};
    BUF_AUTO text = {0};
    for (size_t i = 0; i < sizeof elements / sizeof elements[0]; i++) {
        array_of_values(&text, JSON_MAX_VALUES, elements[i]);
        assert_ok(json_bound(buf_bytes(&text)));
        array_of_values(&text, JSON_MAX_VALUES + 1, elements[i]);
        assert_refused(json_bound(buf_bytes(&text)), Q_LIMIT, "at most 65536 values");
    }
}

static void keys_are_not_values(void **state)
{
    (void)state;
    BUF_AUTO text = {0};
    array_of_values(&text, JSON_MAX_VALUES / 2, "{\"k\" \n :1}");
    assert_ok(json_bound(buf_bytes(&text)));
    array_of_values(&text, JSON_MAX_VALUES / 2 + 2, "{\"k\":1}");
    assert_refused(json_bound(buf_bytes(&text)), Q_LIMIT, "values");
}

static void bounds_depth_outside_strings(void **state)
{
    (void)state;
    BUF_AUTO text = {0};
    fill(&text, "[", 128);
    assert_ok(json_bound(buf_bytes(&text)));
    fill(&text, "{", 1);
    assert_refused(json_bound(buf_bytes(&text)), Q_LIMIT, "at most 128 deep");
    buf_clear(&text);
    fill(&text, "\"", 1);
    fill(&text, "[", 1000);
    fill(&text, "\\\"[\\\\\"", 1);
    assert_ok(json_bound(buf_bytes(&text)));
    buf_clear(&text);
    fill(&text, "[[]]", 1000);
    assert_ok(json_bound(buf_bytes(&text)));
}

static void a_million_brackets_do_not_reach_the_parser(void **state)
{
    (void)state;
    BUF_AUTO text = {0};
    fill(&text, "[", 1000000);
    json_t *tree;
    assert_refused(json_parse(buf_bytes(&text), &tree), Q_LIMIT, "deep");
    assert_null(tree);
}

static void bounding_stays_inside_cut_text(void **state)
{
    (void)state;
    static const char *const cut[] = {"\"", "\"\\", "\"a\\\"", "[\"", "{\"a\":", "-", "tru", "]]]"};
    for (size_t i = 0; i < sizeof cut / sizeof cut[0]; i++) {
        // A copy of exactly that size, so that a sanitizer sees a read beyond it.
        size_t n = strlen(cut[i]);
        uint8_t *copy = malloc(n);
        assert_non_null(copy);
        memcpy(copy, cut[i], n);
        enum q_err bound = json_bound(bytes_of(copy, n));
        json_t *tree;
        enum q_err parsed = json_parse(bytes_of(copy, n), &tree);
        free(copy);
        assert_int_equal(bound, Q_OK);
        assert_int_equal(parsed, Q_BAD_INPUT);
    }
}

static void errors_say_where(void **state)
{
    (void)state;
    json_t *tree;
    assert_refused(json_parse(BYTES_LIT("{\n\"a\":1,\n\"a\":2}"), &tree), Q_BAD_INPUT,
                   "JSON: line 3");
    assert_refused(json_parse(BYTES_LIT("[9223372036854775808]"), &tree), Q_BAD_INPUT,
                   "9223372036854775807");
    assert_refused(json_parse(BYTES_LIT("[-0]"), &tree), Q_BAD_INPUT, "offset 1, found -0");
    assert_refused(json_parse(BYTES_LIT(""), &tree), Q_BAD_INPUT, "JSON: line 1");
    assert_refused(json_parse(BYTES_NONE, &tree), Q_BAD_INPUT, "JSON: line 1");
}

static void canonical_form_bounds_depth_itself(void **state)
{
    (void)state;
    json_t *tree = json_array();
    for (unsigned i = 0; i < 200; i++) {
        json_t *outer = json_array();
        assert_int_equal(json_array_append_new(outer, tree), 0);
        tree = outer;
    }
    BUF_AUTO out = {0};
    enum q_err err = json_canonical(tree, &out);
    json_decref(tree);
    assert_int_equal(err, Q_LIMIT);
    assert_int_equal(out.n, 0);
}

int main(void)
{
    assert_ok(json_start());
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(canonical_form_is_that_of_the_vectors),
        cmocka_unit_test(refuses_what_the_vectors_refuse),
        cmocka_unit_test(matches_the_shared_canonical_vectors),
        cmocka_unit_test(bounds_the_number_of_values),
        cmocka_unit_test(keys_are_not_values),
        cmocka_unit_test(bounds_depth_outside_strings),
        cmocka_unit_test(a_million_brackets_do_not_reach_the_parser),
        cmocka_unit_test(bounding_stays_inside_cut_text),
        cmocka_unit_test(errors_say_where),
        cmocka_unit_test(canonical_form_bounds_depth_itself),
    };
    return cmocka_run_group_tests_name("codec_json_parse", tests, NULL, NULL);
}
