// The check of descriptions: it accepts the samples and names what is wrong with wrong tables.
#include "../cmocka_setup.h"

#include "samples.h"

static void accepts_every_shape(void **state)
{
    (void)state;
    assert_ok(type_check(&type_scalars));
    assert_ok(type_check(&type_inner_closed));
    assert_ok(type_check(&type_pair));
    assert_ok(type_check(&type_color));
    assert_ok(type_check(&type_sum));
    assert_ok(type_check(&type_link));
    assert_ok(type_check(&type_options));
    assert_ok(type_check(&type_lists));
    assert_ok(type_check(&type_custom));
    assert_ok(type_check(&type_borsh_only));
    assert_ok(type_check(&type_limited_list));
    assert_ok(type_check(&type_empty_units));
}

static void refuses_types_that_nest_without_end(void **state)
{
    (void)state;
    assert_refused(type_check(&type_node), Q_LIMIT, "levels");
}

static void refuses_a_wrong_size(void **state)
{
    (void)state;
    struct type t = type_u32;
    t.size = 8;
    assert_refused(type_check(&t), Q_INTERNAL, "u32: expected a C size of 4, found 8");
    t = type_text;
    t.size = 8;
    assert_refused(type_check(&t), Q_INTERNAL, "text: expected a C size");
    t = type_limited_list;
    t.size = 8;
    assert_refused(type_check(&t), Q_INTERNAL, "short list: expected a C size");
    t = (struct type){FIXED("none", 0)};
    assert_refused(type_check(&t), Q_INTERNAL, "none: expected a size");
}

static void refuses_incomplete_types(void **state)
{
    (void)state;
    struct type t = {.shape = SHAPE_BOOL, .size = 1};
    assert_refused(type_check(&t), Q_INTERNAL, "expected a name");
    t = (struct type){LIST("lone list", NULL)};
    assert_refused(type_check(&t), Q_INTERNAL, "lone list: expected elements");
    t = (struct type){.name = "hookless", .shape = SHAPE_CUSTOM, .size = 4};
    assert_refused(type_check(&t), Q_INTERNAL, "hookless: expected a size and hooks");
    t = (struct type){.name = "fieldless", .shape = SHAPE_STRUCT, .size = 4, .count = 1};
    assert_refused(type_check(&t), Q_INTERNAL, "fieldless: expected fields");
    t = (struct type){.name = "odd", .shape = (enum shape)99, .size = 4};
    assert_refused(type_check(&t), Q_INTERNAL, "odd: expected a shape, found 99");
}

static enum q_err check_fields(const struct field *fields, size_t count, size_t size)
{
    struct type t = {
        .name = "s", .shape = SHAPE_STRUCT, .size = size, .fields = fields, .count = count};
    return type_check(&t);
}

static void refuses_wrong_fields(void **state)
{
    (void)state;
    struct field f[2] = {{"a", &type_u32, 0, FIELD_REQUIRED}, {"b", &type_u32, 4, FIELD_REQUIRED}};
    assert_ok(check_fields(f, 2, 8));
    f[1].offset = 2;
    assert_refused(check_fields(f, 2, 8), Q_INTERNAL, "s.b: expected memory of its own");
    f[1].offset = 6;
    assert_refused(check_fields(f, 2, 8), Q_INTERNAL, "s.b: expected an end within 8 bytes");
    f[1].offset = SIZE_MAX;
    assert_refused(check_fields(f, 2, 8), Q_INTERNAL, "s.b: expected an end within 8 bytes");
    f[1] = (struct field){"a", &type_u32, 4, FIELD_REQUIRED};
    assert_refused(check_fields(f, 2, 8), Q_INTERNAL, "s.a: expected its name once");
    f[1].name = NULL;
    assert_refused(check_fields(f, 2, 8), Q_INTERNAL, "expected a name for field 1");
    f[1] = (struct field){"b", NULL, 4, FIELD_REQUIRED};
    assert_refused(check_fields(f, 2, 8), Q_INTERNAL, "s.b: expected a type");
}

static void knows_that_optional_values_are_pointers(void **state)
{
    (void)state;
    const struct field f = {"a", &type_u32, 0, FIELD_OPTIONAL};
    assert_refused(check_fields(&f, 1, 4), Q_INTERNAL, "expected an end within 4 bytes, found 8");
    assert_ok(check_fields(&f, 1, 8));
    const struct field text = {"a", &type_text, 0, FIELD_OPTIONAL};
    assert_refused(check_fields(&text, 1, 8), Q_INTERNAL, "expected an end within 8 bytes");
}

static void refuses_a_default_for_what_cannot_be_empty(void **state)
{
    (void)state;
    const struct field f = {"a", &type_u32, 0, FIELD_DEFAULT};
    assert_refused(check_fields(&f, 1, 4), Q_INTERNAL, "s.a: expected a list, text or bytes");
    const struct field text = {"a", &type_text, 0, FIELD_DEFAULT};
    assert_ok(check_fields(&text, 1, sizeof(struct bytes)));
    const struct field bytes = {"a", &type_bytes, 0, FIELD_DEFAULT};
    assert_ok(check_fields(&bytes, 1, sizeof(struct bytes)));
    const struct field custom = {"a", &type_custom, 0, FIELD_DEFAULT};
    assert_refused(check_fields(&custom, 1, 4), Q_INTERNAL, "s.a: expected a list, text or bytes");
}

static enum q_err check_variants(const struct variant *variants, size_t count)
{
    struct type t = type_sum;
    t.name = "v";
    t.variants = variants;
    t.count = count;
    return type_check(&t);
}

static void refuses_wrong_variants(void **state)
{
    (void)state;
    struct variant v[2] = {{"a", 0, NULL}, {"b", 1, &type_inner}};
    assert_ok(check_variants(v, 2));
    assert_refused(check_variants(v, 0), Q_INTERNAL, "v: expected a tag and variants");
    v[1].index = 0;
    assert_refused(check_variants(v, 2), Q_INTERNAL, "v.b: expected index 0 once");
    v[1] = (struct variant){"a", 1, NULL};
    assert_refused(check_variants(v, 2), Q_INTERNAL, "v.a: expected its name once");
    const struct variant number = {"n", 0, &type_u32};
    struct type tight = type_sum;
    tight.variants = &number;
    tight.count = 1;
    tight.payload_offset = 4;
    tight.size = 8;
    assert_ok(type_check(&tight));
    tight.payload_offset = 8;
    assert_refused(type_check(&tight), Q_INTERNAL, "sum.n: expected a payload between");
    v[1] = (struct variant){"big", 1, &type_scalars};
    assert_refused(check_variants(v, 2), Q_INTERNAL, "v.big: expected a payload between");
    v[1] = (struct variant){NULL, 1, &type_scalars};
    assert_refused(check_variants(v, 2), Q_INTERNAL, "v.(no name): expected a payload between");
}

static void refuses_payloads_that_cover_the_tag(void **state)
{
    (void)state;
    struct type t = type_sum;
    t.payload_offset = 0;
    assert_refused(type_check(&t), Q_INTERNAL, "sum.inner: expected a payload between the tag");
}

static void refuses_tagged_payloads_that_cannot_share_the_object(void **state)
{
    (void)state;
    const struct variant text = {"a", 0, &type_text};
    struct type t = type_link;
    t.variants = &text;
    t.count = 1;
    assert_refused(type_check(&t), Q_INTERNAL, "link.a: expected a struct with a place");
    t = type_link;
    t.tag_name = "port";
    assert_refused(type_check(&t), Q_INTERNAL, "link.near: expected no field named as the tag");
    t.tag_name = NULL;
    assert_refused(type_check(&t), Q_INTERNAL, "link: expected a name for the tag");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(accepts_every_shape),
        cmocka_unit_test(refuses_types_that_nest_without_end),
        cmocka_unit_test(refuses_a_wrong_size),
        cmocka_unit_test(refuses_incomplete_types),
        cmocka_unit_test(refuses_wrong_fields),
        cmocka_unit_test(knows_that_optional_values_are_pointers),
        cmocka_unit_test(refuses_a_default_for_what_cannot_be_empty),
        cmocka_unit_test(refuses_wrong_variants),
        cmocka_unit_test(refuses_payloads_that_cover_the_tag),
        cmocka_unit_test(refuses_tagged_payloads_that_cannot_share_the_object),
    };
    return cmocka_run_group_tests_name("codec_describe", tests, NULL, NULL);
}
