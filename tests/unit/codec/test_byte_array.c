// Bytes that JSON writes as numbers, and members that say null when they are absent (renclave 1.1).
#include "../cmocka_setup.h"

#include "codec/borsh.h"
#include "codec/json.h"

#include <string.h>

struct sample {
    struct bytes must, may, null;
    uint32_t *number;
};
static const struct type type_short = {.name = "bytes",
                                       .shape = SHAPE_BYTES,
                                       .size = sizeof(struct bytes),
                                       .limit = 4,
                                       .numbers = true};
static const struct field sample_fields[] = {
    FIELD(struct sample, must, "must", &type_byte_array),
    FIELD_MAYBE(struct sample, may, "may", &type_byte_array),
    FIELD_OR_NULL(struct sample, null, "null", &type_byte_array),
    FIELD_OR_NULL(struct sample, number, "number", &type_u32),
};
static const struct type type_sample = {STRUCT(struct sample, "sample", sample_fields)};
static const struct field short_fields[] = {FIELD(struct sample, must, "must", &type_short)};
static const struct type type_short_sample = {STRUCT(struct sample, "sample", short_fields)};

static struct bytes text(const char *s)
{
    return bytes_str(s);
}

static void assert_written(const struct sample *s, enum json_style style, const char *expected)
{
    BUF_AUTO out = {0};
    assert_ok(json_encode(&type_sample, s, style, &out));
    assert_bytes(buf_bytes(&out), text(expected));
}

static void assert_not_read(const struct type *t, const char *json, enum q_err code,
                            const char *sentence)
{
    ARENA_AUTO a = {0};
    struct sample s;
    assert_refused(json_decode(t, text(json), &a, &s), code, sentence);
}

static void writes_numbers_and_nulls(void **state)
{
    (void)state;
    static const uint8_t all[] = {0, 1, 9, 10, 99, 100, 255};
    uint32_t number = 7;
    const struct sample full = {
        .must = BYTES_OF(all), .may = BYTES_LIT(""), .null = BYTES_LIT("A"), .number = &number};
    const struct sample bare = {.must = BYTES_LIT("")};
    assert_written(&full, JSON_PLAIN,
                   "{\"must\":[0,1,9,10,99,100,255],\"may\":[],\"null\":[65],\"number\":7}");
    assert_written(&bare, JSON_PLAIN, "{\"must\":[],\"null\":null,\"number\":null}");
}

static void reads_back_every_byte(void **state)
{
    (void)state;
    uint8_t all[256];
    ARENA_AUTO a = {0};
    BUF_AUTO out = {0};
    struct sample s;
    for (size_t i = 0; i < sizeof all; i++)
        all[i] = (uint8_t)i;
    const struct sample written = {.must = BYTES_OF(all)};
    assert_ok(json_encode(&type_sample, &written, JSON_PLAIN, &out));
    assert_ok(json_decode(&type_sample, buf_bytes(&out), &a, &s));
    assert_bytes(s.must, BYTES_OF(all));
    assert_null(s.may.p);
    assert_null(s.null.p);
    assert_null(s.number);
}

static void present_and_empty_is_not_absent(void **state)
{
    (void)state;
    ARENA_AUTO a = {0};
    struct sample s;
    assert_ok(json_decode(&type_sample, text("{\"must\":[],\"may\":[],\"null\":[]}"), &a, &s));
    assert_non_null(s.must.p);
    assert_non_null(s.may.p);
    assert_non_null(s.null.p);
    assert_int_equal(s.must.n + s.may.n + s.null.n, 0);
    assert_ok(json_decode(&type_sample, text("{\"must\":[1],\"may\":null,\"null\":null}"), &a, &s));
    assert_null(s.may.p);
    assert_null(s.null.p);
}

static void refuses_what_is_no_byte(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "{\"must\":[256]}",   "{\"must\":[-1]}",         "{\"must\":[1.0]}", "{\"must\":[1,null]}",
        "{\"must\":[[1]]}",   "{\"must\":[true]}",       "{\"must\":{}}",    "{\"must\":7}",
        "{\"must\":[65536]}", "{\"must\":[4294967297]}", "{\"must\":[1e0]}",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_not_read(&type_sample, bad[i], Q_BAD_INPUT, "must");
    assert_not_read(&type_sample, "{}", Q_BAD_INPUT, "must");
    assert_not_read(&type_sample, "{\"must\":null}", Q_BAD_INPUT, "must");
}

static void keeps_to_the_limit_of_its_type(void **state)
{
    (void)state;
    ARENA_AUTO a = {0};
    struct sample s;
    assert_ok(json_decode(&type_short_sample, text("{\"must\":[1,2,3,4]}"), &a, &s));
    ARENA_AUTO b = {0};
    assert_int_not_equal(json_decode(&type_short_sample, text("{\"must\":[1,2,3,4,5]}"), &b, &s),
                         Q_OK);
}

static void more_values_are_read_only_where_they_are_allowed(void **state)
{
    (void)state;
    BUF_AUTO json = {0};
    ARENA_AUTO a = {0};
    struct sample s;
    size_t n = JSON_MAX_VALUES + 10;
    assert_ok(buf_append_str(&json, "{\"must\":[0"));
    for (size_t i = 1; i < n; i++)
        assert_ok(buf_append_str(&json, ",1"));
    assert_ok(buf_append_str(&json, "]}"));
    assert_int_not_equal(json_decode(&type_sample, buf_bytes(&json), &a, &s), Q_OK);
    assert_int_not_equal(json_decode_up_to(&type_sample, buf_bytes(&json), n, &a, &s), Q_OK);
    assert_ok(json_decode_up_to(&type_sample, buf_bytes(&json), n + 8, &a, &s));
    assert_int_equal(s.must.n, n);
}

int main(void)
{
    if (json_start() != Q_OK)
        return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_numbers_and_nulls),
        cmocka_unit_test(reads_back_every_byte),
        cmocka_unit_test(present_and_empty_is_not_absent),
        cmocka_unit_test(refuses_what_is_no_byte),
        cmocka_unit_test(keeps_to_the_limit_of_its_type),
        cmocka_unit_test(more_values_are_read_only_where_they_are_allowed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
