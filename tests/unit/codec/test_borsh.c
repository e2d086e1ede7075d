// Borsh: the bytes of every shape, both ways, and everything a decoder must refuse.
#include "../cmocka_setup.h"

#include "../vector_file.h"

#include "base/file.h"
#include "codec/borsh.h"
#include "codec/describe_internal.h"
#include "samples.h"

// value encodes to exactly these bytes, and they decode to something that encodes to them again.
static void assert_encodes(const struct type *t, const void *value, struct bytes expected)
{
    BUF_AUTO out = {0}, again = {0};
    ARENA_AUTO a = {0};
    void *decoded;
    assert_ok(borsh_encode(t, value, &out));
    assert_bytes(buf_bytes(&out), expected);
    assert_ok(arena_alloc(&a, t->size, &decoded));
    memset(decoded, 0xa5, t->size);
    assert_ok(borsh_decode(t, expected, &a, decoded));
    assert_ok(borsh_encode(t, decoded, &again));
    assert_bytes(buf_bytes(&again), expected);
}

#define assert_not_decoded(t, in, code, text)                                                      \
    do {                                                                                           \
        ARENA_AUTO a_ = {0};                                                                       \
        void *out_;                                                                                \
        assert_ok(arena_alloc(&a_, (t)->size, &out_));                                             \
        assert_refused(borsh_decode((t), (in), &a_, out_), code, text);                            \
    } while (0)

static const struct scalars some_scalars = {
    .flag = true,
    .small = 0x0102,
    .medium = 0x01020304,
    .large = 0x0102030405060708,
    .text = {(const uint8_t *)"\xc3\xb6", 2},
    .blob = {(const uint8_t *)"\xff", 1},
    .fixed = {1, 2, 3, 4},
};
#define SCALARS_BYTES "\1\2\1\4\3\2\1\x8\7\6\5\4\3\2\1\2\0\0\0\xc3\xb6\1\0\0\0\xff\1\2\3\4"

static void encodes_scalars_little_endian(void **state)
{
    (void)state;
    assert_encodes(&type_scalars, &some_scalars, BYTES_LIT(SCALARS_BYTES));
}

static void decodes_scalars(void **state)
{
    (void)state;
    ARENA_AUTO a = {0};
    struct scalars got;
    assert_ok(borsh_decode(&type_scalars, BYTES_LIT(SCALARS_BYTES), &a, &got));
    assert_true(got.flag);
    assert_int_equal(got.small, some_scalars.small);
    assert_int_equal(got.medium, some_scalars.medium);
    assert_true(got.large == some_scalars.large);
    assert_bytes(got.text, some_scalars.text);
    assert_bytes(got.blob, some_scalars.blob);
    assert_memory_equal(got.fixed, some_scalars.fixed, 4);
}

static void encodes_options(void **state)
{
    (void)state;
    struct options_of_all none = {0};
    assert_encodes(&type_options, &none, BYTES_LIT("\0\0\0\0\0\0"));
    struct inner inner = {.number = 1, .name = BYTES_LIT("n")};
    struct sum sum = {.tag = 0};
    uint32_t number = 7, custom = 8;
    struct options_of_all all = {.text = BYTES_LIT(""),
                                 .blob = BYTES_LIT("b"),
                                 .inner = &inner,
                                 .number = &number,
                                 .sum = &sum,
                                 .custom = &custom};
    assert_encodes(&type_options, &all,
                   BYTES_LIT("\1\0\0\0\0\1\1\0\0\0b\1\1\0\0\0\1\0\0\0n\1\7\0\0\0\1\0\1\x8\0\0\0"));
}

static void tells_an_empty_value_from_an_absent_one(void **state)
{
    (void)state;
    ARENA_AUTO a = {0};
    struct options_of_all got;
    assert_ok(borsh_decode(&type_options, BYTES_LIT("\1\0\0\0\0\0\0\0\0\0"), &a, &got));
    assert_non_null(got.text.p);
    assert_int_equal(got.text.n, 0);
    assert_null(got.blob.p);
    assert_null(got.inner);
    assert_null(got.number);
}

static void encodes_lists(void **state)
{
    (void)state;
    struct lists empty = {0};
    assert_encodes(&type_lists, &empty, BYTES_LIT("\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"));
    struct inner inners[] = {{1, BYTES_LIT("a")}, {2, BYTES_LIT("")}};
    uint16_t one[] = {1, 2};
    shorts nested[] = {{one, 2}, {NULL, 0}};
    struct bytes texts[] = {BYTES_LIT("t")};
    struct color colors[] = {{7}, {0}};
    uint32_t customs[] = {9};
    struct lists all = {.inners = {inners, 2},
                        .nested = {nested, 2},
                        .texts = {texts, 1},
                        .colors = {colors, 2},
                        .customs = {customs, 1}};
    assert_encodes(&type_lists, &all,
                   BYTES_LIT("\2\0\0\0\1\0\0\0\1\0\0\0a\2\0\0\0\0\0\0\0"
                             "\2\0\0\0\2\0\0\0\1\0\2\0\0\0\0\0"
                             "\1\0\0\0\1\0\0\0t"
                             "\2\0\0\0\7\0"
                             "\1\0\0\0\x9\0\0\0"));
}

static void encodes_variants_by_index(void **state)
{
    (void)state;
    struct sum nothing = {.tag = 0};
    assert_encodes(&type_sum, &nothing, BYTES_LIT("\0"));
    struct sum inner = {.tag = 1, .inner = {5, BYTES_LIT("x")}};
    assert_encodes(&type_sum, &inner, BYTES_LIT("\1\5\0\0\0\1\0\0\0x"));
    struct sum text = {.tag = 2, .text = BYTES_LIT("hi")};
    assert_encodes(&type_sum, &text, BYTES_LIT("\2\2\0\0\0hi"));
    struct sum pair = {.tag = 3, .pair = {.left = 1}};
    assert_encodes(&type_sum, &pair, BYTES_LIT("\3\1\0\0\0\0"));
    struct sum hidden = {.tag = 4, .inner = {6, BYTES_LIT("")}};
    assert_encodes(&type_sum, &hidden, BYTES_LIT("\4\6\0\0\0\0\0\0\0"));
    struct color blue = {7};
    assert_encodes(&type_color, &blue, BYTES_LIT("\7"));
    struct link far = {.tag = 1, .far = {.port = 443}};
    assert_encodes(&type_link, &far, BYTES_LIT("\1\xbb\1\0"));
}

static void decoded_values_do_not_need_the_input(void **state)
{
    (void)state;
    ARENA_AUTO a = {0};
    uint8_t in[] = "\1\5\0\0\0\1\0\0\0x";
    struct sum got;
    assert_ok(borsh_decode(&type_sum, bytes_of(in, sizeof in - 1), &a, &got));
    memset(in, 0, sizeof in);
    assert_bytes(got.inner.name, BYTES_LIT("x"));
}

static void refuses_every_truncation_and_trailing_bytes(void **state)
{
    (void)state;
    struct bytes whole = BYTES_LIT(SCALARS_BYTES);
    for (size_t n = 0; n < whole.n; n++)
        assert_not_decoded(&type_scalars, bytes_of(whole.p, n), Q_BAD_INPUT, "scalars");
    assert_not_decoded(&type_scalars, BYTES_LIT(SCALARS_BYTES "\0"), Q_BAD_INPUT,
                       "expected the end");
}

static void refuses_flags_other_than_0_and_1(void **state)
{
    (void)state;
    assert_not_decoded(&type_bool, BYTES_LIT("\2"), Q_BAD_INPUT, "expected 0 or 1 for a boolean");
    assert_not_decoded(&type_options, BYTES_LIT("\0\2"), Q_BAD_INPUT,
                       "options.blob: expected 0 or 1 for an option, found 2");
}

static void refuses_unknown_variants(void **state)
{
    (void)state;
    assert_not_decoded(&type_sum, BYTES_LIT("\5"), Q_BAD_INPUT,
                       "sum: expected a variant of sum, found index 5");
    assert_not_decoded(&type_color, BYTES_LIT("\1"), Q_BAD_INPUT, "found index 1");
}

static void refuses_text_that_is_not_utf8(void **state)
{
    (void)state;
    assert_not_decoded(&type_sum, BYTES_LIT("\2\1\0\0\0\xff"), Q_BAD_INPUT,
                       "sum.text: expected UTF-8");
    assert_not_decoded(&type_text, BYTES_LIT("\3\0\0\0\xed\xa0\x80"), Q_BAD_INPUT, "UTF-8");
    BUF_AUTO out = {0};
    struct bytes bad = BYTES_LIT("\xff");
    assert_ok(buf_u8(&out, 1));
    assert_refused(borsh_encode(&type_text, &bad, &out), Q_BAD_INPUT, "UTF-8");
    assert_int_equal(out.n, 1);
}

static void names_the_place_of_a_failure(void **state)
{
    (void)state;
    assert_not_decoded(&type_lists,
                       BYTES_LIT("\2\0\0\0\1\0\0\0\1\0\0\0a\2\0\0\0\1\0\0\0\xff\0\0\0\0"),
                       Q_BAD_INPUT, "lists.inners[1].alpha: expected UTF-8");
    assert_not_decoded(&type_lists, BYTES_LIT("\0\0\0\0\1\0\0\0\1\0\0\0\5"), Q_BAD_INPUT,
                       "lists.nested[0]: expected at most 0 elements in the 1 bytes left");
    assert_not_decoded(&type_sum, BYTES_LIT("\3\1\0"), Q_BAD_INPUT, "sum.pair.left: ");
    assert_not_decoded(&type_sum, BYTES_LIT("\4\6\0"), Q_BAD_INPUT, "sum.inner.zeta: ");
}

// A count must not make the decoder allocate more than the input is worth.
static void refuses_lengths_beyond_the_input_before_allocating(void **state)
{
    (void)state;
    ARENA_AUTO a = {.budget = 64};
    struct lists lists;
    struct bytes blob;
    assert_refused(borsh_decode(&type_bytes, BYTES_LIT("\xff\xff\xff\xff\1"), &a, &blob),
                   Q_BAD_INPUT, "expected 4294967295 bytes");
    assert_refused(borsh_decode(&type_lists, BYTES_LIT("\xff\xff\xff\xff\1\0\0\0"), &a, &lists),
                   Q_BAD_INPUT, "lists.inners: expected at most 0 elements in the 4 bytes left");
    // 17 bytes cannot hold three elements of at least 8.
    assert_refused(borsh_decode(&type_lists,
                                BYTES_LIT("\3\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"), &a,
                                &lists),
                   Q_BAD_INPUT, "lists.inners: expected at most 2 elements");
    assert_int_equal(a.used, 0);
}

// The bound on counts knows the least size of an element: not one byte more, not one less.
static void counts_are_bounded_by_the_least_size_of_elements(void **state)
{
    (void)state;
    static const struct type colors = {LIST("colors", &type_color)};
    static const struct type sums = {LIST("sums", &type_sum)};
    static const struct type links = {LIST("links", &type_link)};
    static const struct type options = {LIST("options", &type_options)};
    struct color color[] = {{7}, {0}};
    struct sum sum[] = {{.tag = 0}, {.tag = 0}};
    struct link link[] = {{.tag = 2}, {.tag = 2}};
    struct options_of_all option[2] = {0};
    assert_encodes(&colors, &(struct list){color, 2}, BYTES_LIT("\2\0\0\0\7\0"));
    assert_encodes(&sums, &(struct list){sum, 2}, BYTES_LIT("\2\0\0\0\0\0"));
    assert_encodes(&links, &(struct list){link, 2}, BYTES_LIT("\2\0\0\0\2\2"));
    assert_encodes(&options, &(struct list){option, 2},
                   BYTES_LIT("\2\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"));
    assert_not_decoded(&colors, BYTES_LIT("\3\0\0\0\7\0"), Q_BAD_INPUT, "at most 2 elements");
    assert_not_decoded(&sums, BYTES_LIT("\3\0\0\0\0\0"), Q_BAD_INPUT, "at most 2 elements");
    assert_not_decoded(&options, BYTES_LIT("\2\0\0\0\0\0\0\0\0\0\0"), Q_BAD_INPUT,
                       "at most 1 elements");
}

static void bounds_lists_of_elements_without_bytes(void **state)
{
    (void)state;
    ARENA_AUTO a = {0};
    struct list got;
    assert_ok(borsh_decode(&type_empty_units, BYTES_LIT("\0\0\1\0"), &a, &got));
    assert_int_equal(got.n, 65536);
    assert_refused(borsh_decode(&type_empty_units, BYTES_LIT("\1\0\1\0"), &a, &got), Q_BAD_INPUT,
                   "expected at most 65536 elements");
}

static void keeps_to_the_limits_of_types(void **state)
{
    (void)state;
    assert_not_decoded(&type_limited_text, BYTES_LIT("\4\0\0\0abcd"), Q_LIMIT,
                       "short text: expected at most 3 bytes, found 4");
    assert_not_decoded(&type_limited_list, BYTES_LIT("\3\0\0\0\0\0\0\0\0\0"), Q_LIMIT,
                       "short list: expected at most 2 elements, found 3");
    ARENA_AUTO a = {.budget = 1024};
    struct list got;
    assert_refused(borsh_decode(&type_limited_list, BYTES_LIT("\xff\xff\xff\xff"), &a, &got),
                   Q_BAD_INPUT, "elements");
}

static void keeps_to_the_budget_of_the_arena(void **state)
{
    (void)state;
    ARENA_AUTO a = {.budget = 16};
    struct bytes got;
    assert_refused(
        borsh_decode(&type_bytes, BYTES_LIT("\x18\0\0\0abcdefghijklmnopqrstuvwx"), &a, &got),
        Q_NOMEM, "budget");
}

static void bounds_nesting(void **state)
{
    (void)state;
    // n nodes: n - 1 bytes of 1 and a 0.
    uint8_t encoded[1000];
    struct node nodes[1000] = {0};
    memset(encoded, 1, sizeof encoded);
    encoded[999] = 0;
    for (size_t i = 0; i + 1 < 1000; i++)
        nodes[i].next = &nodes[i + 1];
    size_t most = DESCRIBE_MAX_DEPTH + 1;
    assert_encodes(&type_node, &nodes[1000 - most], bytes_of(encoded + 1000 - most, most));
    for (size_t n = most + 1; n <= 1000; n += 1000 - most - 1) {
        BUF_AUTO out = {0};
        assert_not_decoded(&type_node, bytes_of(encoded + 1000 - n, n), Q_LIMIT, "levels");
        assert_refused(borsh_encode(&type_node, &nodes[1000 - n], &out), Q_LIMIT, "levels");
        assert_int_equal(out.n, 0);
    }
}

static void says_which_type_has_no_borsh_form(void **state)
{
    (void)state;
    uint32_t value = 1;
    BUF_AUTO out = {0};
    assert_encodes(&type_borsh_only, &value, BYTES_LIT("\1\0\0\0"));
    assert_refused(borsh_encode(&type_json_only, &value, &out), Q_UNSUPPORTED, "JSON only:");
    assert_not_decoded(&type_json_only, BYTES_LIT("\1\0\0\0"), Q_UNSUPPORTED, "JSON only:");
}

static void refuses_to_encode_unknown_variants(void **state)
{
    (void)state;
    BUF_AUTO out = {0};
    struct sum odd = {.tag = 257};
    assert_refused(borsh_encode(&type_sum, &odd, &out), Q_INTERNAL, "found 257");
}

static void reads_one_value_and_leaves_the_rest(void **state)
{
    (void)state;
    ARENA_AUTO a = {0};
    struct reader r = reader_of(BYTES_LIT("\1\0\0\0\2\0\0\0"), "two numbers");
    uint32_t first, second;
    assert_ok(borsh_read(&type_u32, &r, &a, &first));
    assert_ok(borsh_read(&type_u32, &r, &a, &second));
    assert_int_equal(first, 1);
    assert_int_equal(second, 2);
    assert_refused(borsh_read(&type_u32, &r, &a, &second), Q_BAD_INPUT, "two numbers");
}

// {u32 42, "Hello, world!", [1,2,3,4,5]}
struct greeting {
    uint32_t number;
    struct bytes text, data;
};
static const struct field greeting_fields[] = {
    FIELD(struct greeting, number, "number", &type_u32),
    FIELD(struct greeting, text, "text", &type_text),
    FIELD(struct greeting, data, "data", &type_bytes),
};
static const struct type type_greeting = {STRUCT(struct greeting, "greeting", greeting_fields)};

static void matches_the_shared_borsh_vector(void **state)
{
    (void)state;
    char path[1024];
    shared_path("vectors/qos/protocol/borsh_serialize.bin", path, sizeof path);
    BUF_AUTO golden = {0};
    assert_ok(file_read(path, 4096, &golden));
    struct greeting value = {42, BYTES_LIT("Hello, world!"), BYTES_LIT("\1\2\3\4\5")};
    assert_encodes(&type_greeting, &value, buf_bytes(&golden));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(encodes_scalars_little_endian),
        cmocka_unit_test(decodes_scalars),
        cmocka_unit_test(encodes_options),
        cmocka_unit_test(tells_an_empty_value_from_an_absent_one),
        cmocka_unit_test(encodes_lists),
        cmocka_unit_test(encodes_variants_by_index),
        cmocka_unit_test(decoded_values_do_not_need_the_input),
        cmocka_unit_test(refuses_every_truncation_and_trailing_bytes),
        cmocka_unit_test(refuses_flags_other_than_0_and_1),
        cmocka_unit_test(refuses_unknown_variants),
        cmocka_unit_test(refuses_text_that_is_not_utf8),
        cmocka_unit_test(names_the_place_of_a_failure),
        cmocka_unit_test(refuses_lengths_beyond_the_input_before_allocating),
        cmocka_unit_test(counts_are_bounded_by_the_least_size_of_elements),
        cmocka_unit_test(bounds_lists_of_elements_without_bytes),
        cmocka_unit_test(keeps_to_the_limits_of_types),
        cmocka_unit_test(keeps_to_the_budget_of_the_arena),
        cmocka_unit_test(bounds_nesting),
        cmocka_unit_test(says_which_type_has_no_borsh_form),
        cmocka_unit_test(refuses_to_encode_unknown_variants),
        cmocka_unit_test(reads_one_value_and_leaves_the_rest),
        cmocka_unit_test(matches_the_shared_borsh_vector),
    };
    return cmocka_run_group_tests_name("codec_borsh", tests, NULL, NULL);
}
