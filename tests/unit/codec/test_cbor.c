// CBOR: RFC 8949's examples, vectors of python3-cbor2, and libcbor as a second opinion on random input.
#include "../cmocka_setup.h"

#include "../vector_file.h"

#include "codec/cbor.h"

#include <cbor.h>

static struct reader reading(struct bytes in)
{
    return reader_of(in, "item");
}

// One whole item and nothing behind it.
static enum q_err skip_all(struct bytes in)
{
    struct reader r = reading(in);
    TRY(cbor_skip(&r));
    return reader_end(&r);
}

static void skips_what_the_vectors_accept(void **state)
{
    (void)state;
    VECTOR_FILE_AUTO f;
    vector_file_own(&f, "codec/cbor.json");
    const json_t *list = vector_field(f.root, "accept");
    assert_true(json_array_size(list) > 100);
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *v = json_array_get(list, i);
        if (skip_all(vector_hex(&f, v, "cbor")) != Q_OK)
            fail_msg("%s: %s", vector_text(v, "cbor"), err_text());
    }
}

static void refuses_what_the_vectors_refuse(void **state)
{
    (void)state;
    VECTOR_FILE_AUTO f;
    vector_file_own(&f, "codec/cbor.json");
    const json_t *list = vector_field(f.root, "refuse");
    assert_true(json_array_size(list) > 100);
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *v = json_array_get(list, i);
        if (skip_all(vector_hex(&f, v, "cbor")) == Q_OK)
            fail_msg("%s (%s) was accepted", vector_text(v, "cbor"), vector_text(v, "why"));
    }
}

static void writes_integers_as_cbor2_does(void **state)
{
    (void)state;
    VECTOR_FILE_AUTO f;
    vector_file_own(&f, "codec/cbor.json");
    const json_t *list = vector_field(f.root, "integers");
    assert_true(json_array_size(list) > 0);
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *v = json_array_get(list, i);
        uint64_t n = strtoull(vector_text(v, "n"), NULL, 10);
        BUF_AUTO positive = {0}, negative = {0};
        assert_ok(cbor_write_uint(&positive, n));
        assert_bytes(buf_bytes(&positive), vector_hex(&f, v, "uint"));
        assert_ok(cbor_write_negative(&negative, n));
        assert_bytes(buf_bytes(&negative), vector_hex(&f, v, "negative"));
        struct cbor_item item;
        struct reader r = reading(buf_bytes(&negative));
        assert_ok(cbor_expect(&r, CBOR_NEGATIVE, &item));
        assert_true(item.number == n);
    }
}

static void write_array_of_nulls(struct buf *b, uint64_t n)
{
    assert_ok(cbor_write_array(b, n));
    for (uint64_t i = 0; i < n; i++)
        assert_ok(cbor_write_null(b));
}

static void write_map_to_nulls(struct buf *b, uint64_t n)
{
    assert_ok(cbor_write_map(b, n));
    for (uint64_t i = 0; i < n; i++) {
        assert_ok(cbor_write_uint(b, i));
        assert_ok(cbor_write_null(b));
    }
}

static void writes_lengths_as_cbor2_does(void **state)
{
    (void)state;
    VECTOR_FILE_AUTO f;
    vector_file_own(&f, "codec/cbor.json");
    const json_t *list = vector_field(f.root, "lengths");
    uint8_t letters[256];
    memset(letters, 'a', sizeof letters);
    assert_true(json_array_size(list) > 0);
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *v = json_array_get(list, i);
        unsigned n = vector_number(v, "n");
        BUF_AUTO bytes = {0}, text = {0}, array = {0}, map = {0};
        assert_ok(cbor_write_bytes(&bytes, bytes_of(letters, n)));
        assert_bytes(buf_bytes(&bytes), vector_hex(&f, v, "bytes"));
        assert_ok(cbor_write_text(&text, bytes_of(letters, n)));
        assert_bytes(buf_bytes(&text), vector_hex(&f, v, "text"));
        write_array_of_nulls(&array, n);
        assert_bytes(buf_bytes(&array), vector_hex(&f, v, "array"));
        write_map_to_nulls(&map, n);
        assert_bytes(buf_bytes(&map), vector_hex(&f, v, "map"));
    }
}

static void writes_booleans_and_null(void **state)
{
    (void)state;
    BUF_AUTO out = {0};
    assert_ok(cbor_write_bool(&out, false));
    assert_ok(cbor_write_bool(&out, true));
    assert_ok(cbor_write_null(&out));
    assert_bytes(buf_bytes(&out), BYTES_LIT("\xf4\xf5\xf6"));
    assert_refused(cbor_write_text(&out, BYTES_LIT("\xff")), Q_BAD_INPUT, "UTF-8");
    assert_int_equal(out.n, 3);
}

static void reads_the_parts_of_items(void **state)
{
    (void)state;
    struct cbor_item item;
    struct reader r =
        reading(BYTES_LIT("\x19\x01\x00\x38\x63\x42hi\x62\xc3\xb6\x83\xbf\xd2\xf5\xf6"));
    assert_ok(cbor_expect(&r, CBOR_UINT, &item));
    assert_int_equal(item.number, 256);
    assert_ok(cbor_expect(&r, CBOR_NEGATIVE, &item));
    assert_int_equal(item.number, 99);
    assert_ok(cbor_expect(&r, CBOR_BYTES, &item));
    assert_bytes(item.string, BYTES_LIT("hi"));
    assert_ok(cbor_expect(&r, CBOR_TEXT, &item));
    assert_bytes(item.string, BYTES_LIT("\xc3\xb6"));
    assert_ok(cbor_expect(&r, CBOR_ARRAY, &item));
    assert_true(item.number == 3 && !item.indefinite);
    assert_ok(cbor_expect(&r, CBOR_MAP, &item));
    assert_true(item.number == 0 && item.indefinite);
    assert_ok(cbor_expect(&r, CBOR_TAG, &item));
    assert_int_equal(item.number, 18);
    assert_ok(cbor_expect(&r, CBOR_BOOL, &item));
    assert_int_equal(item.number, 1);
    assert_ok(cbor_expect(&r, CBOR_NULL, &item));
    assert_int_equal(item.number, 0);
    assert_ok(reader_end(&r));
}

static void an_empty_string_that_is_there_has_a_pointer(void **state)
{
    (void)state;
    struct cbor_item item;
    struct reader r = reading(BYTES_LIT("\x40"));
    assert_ok(cbor_expect(&r, CBOR_BYTES, &item));
    assert_non_null(item.string.p);
    assert_int_equal(item.string.n, 0);
}

static void a_failure_leaves_the_reader_where_it_was(void **state)
{
    (void)state;
    struct cbor_item item;
    struct reader r = reading(BYTES_LIT("\x82\x01\x19\x01"));
    assert_refused(cbor_skip(&r), Q_BAD_INPUT, "item: expected 2 bytes at offset 3, found 1");
    assert_int_equal(r.at, 0);
    assert_refused(cbor_expect(&r, CBOR_MAP, &item), Q_BAD_INPUT,
                   "item: expected a map at offset 0, found an array");
    assert_int_equal(r.at, 0);
    struct cbor_keys keys = {0};
    assert_refused(cbor_key(&r, &keys, &item), Q_BAD_INPUT, "found an array");
    assert_int_equal(r.at, 0);
    assert_int_equal(keys.n, 0);
}

static void a_break_is_taken_only_where_it_is(void **state)
{
    (void)state;
    struct reader r = reading(BYTES_LIT("\x01\xff"));
    struct cbor_item item;
    assert_false(cbor_break(&r));
    assert_ok(cbor_next(&r, &item));
    assert_refused(cbor_next(&r, &item), Q_BAD_INPUT, "found a break");
    assert_true(cbor_break(&r));
    assert_false(cbor_break(&r));
    assert_int_equal(reader_left(&r), 0);
}

static void keys_come_once(void **state)
{
    (void)state;
    struct reader r = reading(BYTES_LIT("\x01\x20\x41\x01\x61\x01\x18\x01"));
    struct cbor_keys keys = {0};
    struct cbor_item key;
    for (size_t i = 0; i < 4; i++)
        assert_ok(cbor_key(&r, &keys, &key));
    assert_refused(cbor_key(&r, &keys, &key), Q_BAD_INPUT, "found one again at offset 6");
}

static void work_on_hostile_counts_is_bounded(void **state)
{
    (void)state;
    uint8_t arrays[65536];
    memset(arrays, 0x9f, sizeof arrays);
    assert_refused(skip_all(BYTES_OF(arrays)), Q_LIMIT, "expected at most 8 levels");
    assert_refused(skip_all(BYTES_LIT("\x9b\x7f\xff\xff\xff\xff\xff\xff\xff\x00")), Q_BAD_INPUT,
                   "found a count of 9223372036854775807");
}

// The second opinion. libcbor judges well-formedness; what it accepts beyond our subset is found in the
// tree it made.

static bool subset(const cbor_item_t *item, unsigned depth);

static bool subset_children(cbor_item_t *const *items, size_t n, unsigned depth)
{
    for (size_t i = 0; i < n; i++) {
        if (!subset(items[i], depth))
            return false;
    }
    return true;
}

static bool same_string(const cbor_item_t *a, const cbor_item_t *b)
{
    bool text = cbor_isa_string(a);
    struct bytes x = text ? bytes_of(cbor_string_handle(a), cbor_string_length(a))
                          : bytes_of(cbor_bytestring_handle(a), cbor_bytestring_length(a));
    struct bytes y = text ? bytes_of(cbor_string_handle(b), cbor_string_length(b))
                          : bytes_of(cbor_bytestring_handle(b), cbor_bytestring_length(b));
    return bytes_equal(x, y);
}

static bool same_key(const cbor_item_t *a, const cbor_item_t *b)
{
    if (cbor_typeof(a) != cbor_typeof(b))
        return false;
    return cbor_is_int(a) ? cbor_get_int(a) == cbor_get_int(b) : same_string(a, b);
}

static bool subset_map(const cbor_item_t *map, unsigned depth)
{
    const struct cbor_pair *pairs = cbor_map_handle(map);
    size_t n = cbor_map_size(map);
    if (n > CBOR_MAX_ENTRIES)
        return false;
    for (size_t i = 0; i < n; i++) {
        const cbor_item_t *key = pairs[i].key;
        bool good = cbor_is_int(key) || cbor_isa_string(key) || cbor_isa_bytestring(key);
        if (!good || !subset(key, depth) || !subset(pairs[i].value, depth))
            return false;
        for (size_t j = 0; j < i; j++) {
            if (same_key(pairs[j].key, key))
                return false;
        }
    }
    return true;
}

static bool subset_tag(const cbor_item_t *item, unsigned depth)
{
    cbor_item_t *inner = cbor_tag_item(item);
    bool good = subset(inner, depth);
    cbor_decref(&inner);
    return good;
}

static bool subset(const cbor_item_t *item, unsigned depth)
{
    switch (cbor_typeof(item)) {
    case CBOR_TYPE_UINT:
    case CBOR_TYPE_NEGINT:
        return true;
    case CBOR_TYPE_BYTESTRING:
        return cbor_bytestring_is_definite(item);
    case CBOR_TYPE_STRING:
        return cbor_string_is_definite(item) &&
               bytes_is_utf8(bytes_of(cbor_string_handle(item), cbor_string_length(item)));
    case CBOR_TYPE_ARRAY:
        return depth < CBOR_MAX_DEPTH &&
               subset_children(cbor_array_handle(item), cbor_array_size(item), depth + 1);
    case CBOR_TYPE_MAP:
        return depth < CBOR_MAX_DEPTH && subset_map(item, depth + 1);
    case CBOR_TYPE_TAG:
        return depth < CBOR_MAX_DEPTH && subset_tag(item, depth + 1);
    case CBOR_TYPE_FLOAT_CTRL:
        return cbor_float_ctrl_is_ctrl(item) && (cbor_is_bool(item) || cbor_is_null(item));
    }
    return false;
}

// libcbor allocates what a count promises; such input is not for it.
struct counts {
    uint64_t largest;
};
static void note_count(void *context, uint64_t n)
{
    struct counts *c = context;
    c->largest = n > c->largest ? n : c->largest;
}

static bool counts_are_credible(struct bytes in)
{
    struct counts c = {0};
    struct cbor_callbacks callbacks = cbor_empty_callbacks;
    callbacks.array_start = note_count;
    callbacks.map_start = note_count;
    for (size_t at = 0; at < in.n;) {
        struct cbor_decoder_result r = cbor_stream_decode(in.p + at, in.n - at, &callbacks, &c);
        if (r.status != CBOR_DECODER_FINISHED)
            break;
        at += r.read;
    }
    return c.largest <= in.n;
}

static bool libcbor_accepts(struct bytes in)
{
    if (!counts_are_credible(in))
        return false;
    struct cbor_load_result result;
    cbor_item_t *item = cbor_load(in.p, in.n, &result);
    if (item == NULL)
        return false;
    bool good = result.read == in.n && subset(item, 0);
    cbor_decref(&item);
    return good;
}

// libcbor 0.8 refuses tags 6 to 20 in their one-byte form; it gets tag 0 instead.
static void spare_libcbor_its_tags(struct buf *b)
{
    struct reader r = reading(buf_bytes(b));
    struct cbor_item item;
    size_t at = 0;
    while (reader_left(&r) > 0 && (cbor_break(&r) || cbor_next(&r, &item) == Q_OK)) {
        if (b->p[at] >= 0xc6 && b->p[at] <= 0xd4)
            b->p[at] = 0xc0;
        at = r.at;
    }
}

static void assert_same_verdict(struct bytes in)
{
    BUF_AUTO copy = {0};
    assert_ok(buf_append(&copy, in));
    spare_libcbor_its_tags(&copy);
    bool ours = skip_all(in) == Q_OK, theirs = libcbor_accepts(buf_bytes(&copy));
    if (ours == theirs)
        return;
    for (size_t i = 0; i < in.n; i++)
        print_error("%02x", in.p[i]);
    fail_msg("\nours %d, libcbor %d: %s", ours, theirs, ours ? "" : err_text());
}

// xorshift64: the same input in every run.
static uint64_t next_random(uint64_t *s)
{
    *s ^= *s << 13;
    *s ^= *s >> 7;
    *s ^= *s << 17;
    return *s;
}

static void agrees_with_libcbor_on_random_bytes(void **state)
{
    (void)state;
    uint64_t s = 0x9e3779b97f4a7c15;
    for (unsigned round = 0; round < 200000; round++) {
        uint8_t in[24];
        size_t n = 1 + next_random(&s) % sizeof in;
        for (size_t i = 0; i < n; i++) {
            uint64_t v = next_random(&s);
            in[i] = (uint8_t)(v & 0x100 ? v & 0xe7 : v); // short lengths more often
        }
        assert_same_verdict(bytes_of(in, n));
    }
}

static void agrees_with_libcbor_on_changed_vectors(void **state)
{
    (void)state;
    VECTOR_FILE_AUTO f;
    vector_file_own(&f, "codec/cbor.json");
    const json_t *list = vector_field(f.root, "accept");
    uint64_t s = 0x2545f4914f6cdd1d;
    for (size_t i = 0; i < json_array_size(list); i++) {
        BUF_AUTO changed = {0};
        assert_ok(buf_append(&changed, vector_hex(&f, json_array_get(list, i), "cbor")));
        assert_same_verdict(buf_bytes(&changed));
        for (unsigned round = 0; round < 500; round++) {
            size_t at = next_random(&s) % changed.n;
            uint8_t was = changed.p[at];
            changed.p[at] = (uint8_t)next_random(&s);
            assert_same_verdict(buf_bytes(&changed));
            changed.p[at] = was;
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(skips_what_the_vectors_accept),
        cmocka_unit_test(refuses_what_the_vectors_refuse),
        cmocka_unit_test(writes_integers_as_cbor2_does),
        cmocka_unit_test(writes_lengths_as_cbor2_does),
        cmocka_unit_test(writes_booleans_and_null),
        cmocka_unit_test(reads_the_parts_of_items),
        cmocka_unit_test(an_empty_string_that_is_there_has_a_pointer),
        cmocka_unit_test(a_failure_leaves_the_reader_where_it_was),
        cmocka_unit_test(a_break_is_taken_only_where_it_is),
        cmocka_unit_test(keys_come_once),
        cmocka_unit_test(work_on_hostile_counts_is_bounded),
        cmocka_unit_test(agrees_with_libcbor_on_random_bytes),
        cmocka_unit_test(agrees_with_libcbor_on_changed_vectors),
    };
    return cmocka_run_group_tests_name("codec_cbor", tests, NULL, NULL);
}
