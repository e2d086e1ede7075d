// Every shape of value when the room of an encoding or the budget of a decoding runs out, and when allocations
// fail; and descriptions that are wrong in the ways test_describe.c leaves out.
#include "../failing/failing_calls.h"
#include "../failing/scarce_room.h"

#include "codec/borsh.h"
#include "codec/cbor.h"
#include "codec/describe_internal.h"
#include "codec/json.h"
#include "samples.h"

#include "base/arena.h"

#include <jansson.h>

enum form { BORSH, CANONICAL, PLAIN, FORMS };

struct sample {
    const struct type *type;
    const void *value;
    enum form form;
};

static enum q_err encode(const void *context, struct buf *out)
{
    const struct sample *s = context;
    if (s->form == BORSH)
        return borsh_encode(s->type, s->value, out);
    return json_encode(s->type, s->value, s->form == PLAIN ? JSON_PLAIN : JSON_CANONICAL, out);
}

static enum q_err decode(const struct sample *s, struct bytes in, struct arena *a)
{
    void *value;
    TRY(arena_alloc(a, s->type->size, &value));
    return s->form == BORSH ? borsh_decode(s->type, in, a, value)
                            : json_decode(s->type, in, a, value);
}

struct again {
    const struct sample *sample;
    struct bytes encoded;
};

static bool decode_again(void *context)
{
    const struct again *w = context;
    ARENA_AUTO a = {0};
    BUF_AUTO out = {0};
    return decode(w->sample, w->encoded, &a) == Q_OK && encode(w->sample, &out) == Q_OK;
}

static void try_form(const struct sample *s)
{
    BUF_AUTO encoded = {0};
    enum q_err err = encode(s, &encoded);
    if (err != Q_OK)
        return;
    (void)needs_room(encode, s, LEAVES_NOTHING);
    err = Q_NOMEM;
    for (size_t budget = 1; err != Q_OK; budget += 8) {
        ARENA_AUTO a = {.budget = budget};
        err = decode(s, buf_bytes(&encoded), &a);
        assert_true(err == Q_OK || budget < 10000);
    }
    struct again w = {s, buf_bytes(&encoded)};
    (void)failing_each(FAILING_MEMORY, decode_again, &w);
    assert_true(decode_again(&w));
}

static void try_all(const struct type *type, const void *value)
{
    for (int form = 0; form < FORMS; form++) {
        struct sample s = {type, value, (enum form)form};
        try_form(&s);
    }
}

static void every_shape_meets_scarcity(void **state)
{
    (void)state;
    const struct scalars scalars = {true, 1, 2, 3, BYTES_LIT("te\"xt\n"), BYTES_LIT("blob"), {4}};
    struct inner inner[2] = {{1, BYTES_LIT("one")}, {2, BYTES_LIT("two")}};
    const struct pair pair = {1, BYTES_LIT("right")};
    struct color colors[2] = {{0}, {7}};
    const struct sum sums[] = {{.tag = 0},
                               {.tag = 1, .inner = {1, BYTES_LIT("x")}},
                               {.tag = 2, .text = BYTES_LIT("text")},
                               {.tag = 3, .pair = {1, BYTES_LIT("y")}}};
    const struct link links[] = {{.tag = 0, .near = {80, BYTES_LIT("host")}},
                                 {.tag = 1, .far = {80, BYTES_NONE}},
                                 {.tag = 2}};
    uint32_t number = 9;
    struct sum text = sums[2];
    const struct options_of_all some = {.inner = inner, .number = &number, .custom = &number};
    const struct options_of_all all = {BYTES_LIT("t"), BYTES_LIT("b"), inner,
                                       &number,        &text,          &number};
    uint16_t shorts_of[3] = {1, 2, 3};
    shorts nested[2] = {{shorts_of, 3}, {shorts_of, 1}};
    struct bytes texts[2] = {BYTES_LIT("a"), BYTES_LIT("b")};
    uint32_t customs[2] = {5, 6};
    struct lists lists = {
        {inner, 2}, {nested, 2}, {texts, 2}, {colors, 2}, {customs, 2},
    };
    try_all(&type_scalars, &scalars);
    try_all(&type_inner, inner);
    try_all(&type_pair, &pair);
    for (size_t i = 0; i < 4; i++)
        try_all(&type_sum, &sums[i]);
    for (size_t i = 0; i < 3; i++)
        try_all(&type_link, &links[i]);
    try_all(&type_options, &some);
    try_all(&type_options, &all);
    try_all(&type_lists, &lists);
}

// jansson loses characters when it has no memory for them, and then writes beyond its copy of the string.
static bool parse_long_string(void *context)
{
    const struct bytes *text = context;
    json_t *tree;
    enum q_err err = json_parse(*text, &tree);
    assert_true(err == Q_OK || err == Q_NOMEM);
    assert_int_equal(tree != NULL, err == Q_OK);
    if (tree != NULL)
        assert_int_equal(json_string_length(json_array_get(tree, 0)), 300);
    json_decref(tree);
    return err == Q_OK;
}

static void a_long_string_is_whole_or_refused_whatever_allocation_fails(void **state)
{
    (void)state;
    BUF_AUTO text = {0};
    assert_ok(buf_printf(&text, "[\"%0300d\",{\"key\":1}]", 0));
    struct bytes whole = buf_bytes(&text);
    assert_true(failing_each(FAILING_MEMORY, parse_long_string, &whole) > 8);
    assert_true(parse_long_string(&whole));
}

static enum q_err write_cbor(const void *value, struct buf *out)
{
    (void)value;
    TRY(cbor_write_bytes(out, BYTES_LIT("0123456789012345678901234567890123456789")));
    return cbor_write_text(out, BYTES_LIT("text"));
}

static void cbor_meets_a_buffer_without_room(void **state)
{
    (void)state;
    assert_int_equal(needs_room(write_cbor, NULL, LEAVES_A_PART), 47);
}

static enum q_err check_one(const struct field *f, size_t size)
{
    struct type t = {.name = "s", .shape = SHAPE_STRUCT, .size = size, .fields = f, .count = 1};
    return type_check(&t);
}

static void descriptions_at_their_limits_are_refused(void **state)
{
    (void)state;
    static const struct field many[DESCRIBE_MAX_FIELDS + 1] = {{"a", &type_u32, 0, FIELD_REQUIRED}};
    struct type t = {.name = "s", .shape = SHAPE_STRUCT, .size = 4, .fields = many};
    t.count = DESCRIBE_MAX_FIELDS + 1;
    assert_refused(type_check(&t), Q_INTERNAL, "expected at most 32 fields");
    t.count = DESCRIBE_MAX_FIELDS;
    const struct variant full = {"full", 0, &t};
    struct type tagged = type_link;
    tagged.variants = &full;
    tagged.count = 1;
    assert_int_not_equal(type_check(&tagged), Q_OK);
    const struct variant tuple = {"tuple", 0, &type_pair};
    tagged.variants = &tuple;
    assert_int_not_equal(type_check(&tagged), Q_OK);
    t = type_sum;
    t.payload_offset = t.size + 1;
    assert_int_not_equal(type_check(&t), Q_OK);
    t = type_sum;
    t.size = 2;
    assert_int_not_equal(type_check(&t), Q_OK);
    t = type_sum;
    t.variants = NULL;
    assert_int_not_equal(type_check(&t), Q_OK);
    const struct variant wrong = {
        "wrong", 0, &(const struct type){.name = "no hooks", .shape = SHAPE_CUSTOM, .size = 4}};
    t = type_sum;
    t.variants = &wrong;
    t.count = 1;
    assert_refused(type_check(&t), Q_INTERNAL, "expected a size and hooks");
    t = (struct type){.name = "l", .shape = SHAPE_LIST, .size = sizeof(struct list)};
    assert_refused(type_check(&t), Q_INTERNAL, "expected elements of a size");
    const struct type nothing = {.name = "nothing", .shape = SHAPE_STRUCT};
    t.element = &nothing;
    assert_refused(type_check(&t), Q_INTERNAL, "expected elements of a size");
    t = type_custom;
    t.size = 0;
    assert_refused(type_check(&t), Q_INTERNAL, "expected a size and hooks");
    for (int hook = 0; hook < 4; hook++) {
        t = type_custom;
        t.hooks = (struct type_hooks){0};
        if (hook == 0)
            t.hooks.borsh_encode = type_custom.hooks.borsh_encode;
        if (hook == 1)
            t.hooks.borsh_decode = type_custom.hooks.borsh_decode;
        if (hook == 2)
            t.hooks.json_encode = type_custom.hooks.json_encode;
        if (hook == 3)
            t.hooks.json_decode = type_custom.hooks.json_decode;
        assert_ok(type_check(&t));
    }
    const struct field beyond = {"a", &type_u32, 5, FIELD_REQUIRED};
    assert_int_not_equal(check_one(&beyond, 4), Q_OK);
}

static void values_with_an_unknown_variant_have_no_encoding(void **state)
{
    (void)state;
    const struct sum unknown = {.tag = 99}, hidden = {.tag = 4};
    const struct link far_off = {.tag = 99};
    for (int form = 0; form < FORMS; form++) {
        BUF_AUTO out = {0};
        const struct sample samples[] = {{&type_sum, &unknown, (enum form)form},
                                         {&type_link, &far_off, (enum form)form}};
        for (size_t i = 0; i < 2; i++)
            assert_int_not_equal(encode(&samples[i], &out), Q_OK);
        const struct sample s = {&type_sum, &hidden, (enum form)form};
        if (form != BORSH)
            assert_int_not_equal(encode(&s, &out), Q_OK);
        assert_int_equal(out.n, 0);
    }
}

int main(void)
{
    assert_ok(json_start());
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_shape_meets_scarcity),
        cmocka_unit_test(a_long_string_is_whole_or_refused_whatever_allocation_fails),
        cmocka_unit_test(cbor_meets_a_buffer_without_room),
        cmocka_unit_test(descriptions_at_their_limits_are_refused),
        cmocka_unit_test(values_with_an_unknown_variant_have_no_encoding),
    };
    return cmocka_run_group_tests_name("codec/scarce", tests, NULL, NULL);
}
