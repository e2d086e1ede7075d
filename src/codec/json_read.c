// Described values from parsed JSON (qos-wire 3 and 4).
#include "codec/json_internal.h"

#include "base/hex.h"
#include "base/text.h"

#include <inttypes.h>
#include <jansson.h>
#include <string.h>

struct json_reader {
    struct arena *a;
    struct place place;
    unsigned depth;
};

static enum q_err read_value(struct json_reader *r, const struct type *t, const json_t *in,
                             void *out);

static const char *kind_name(const json_t *in)
{
    if (in == NULL)
        return "nothing";
    switch (json_typeof(in)) {
    case JSON_OBJECT:
        return "an object";
    case JSON_ARRAY:
        return "an array";
    case JSON_STRING:
        return "a string";
    case JSON_INTEGER:
        return "an integer";
    case JSON_REAL:
        return "a number that is no integer";
    case JSON_TRUE:
    case JSON_FALSE:
        return "a boolean";
    case JSON_NULL:
        return "null";
    }
    return "an unknown kind of value";
}

static struct bytes string_of(const json_t *in)
{
    return bytes_of(json_string_value(in), json_string_length(in));
}

// Strings of others are shown quoted and cut.
static enum q_err fail_found_text(const char *expected, struct bytes found)
{
    BUF_AUTO shown = {0};
    TRY(text_debug(bytes_of(found.p, found.n < 40 ? found.n : 40), &shown));
    return fail(Q_BAD_INPUT, "expected %s, found %s", expected, buf_text(&shown));
}

static enum q_err read_bool(const json_t *in, bool *out)
{
    if (!json_is_boolean(in))
        return fail(Q_BAD_INPUT, "expected a boolean, found %s", kind_name(in));
    *out = json_is_true(in);
    return Q_OK;
}

static enum q_err read_integer(const struct type *t, const json_t *in, uint64_t most, uint64_t *out)
{
    char expected[40];
    (void)snprintf(expected, sizeof expected, "a %s", t->name);
    if (json_is_string(in)) {
        if (text_u64(string_of(in), out) != Q_OK || *out > most)
            return fail_found_text(expected, string_of(in));
        return Q_OK;
    }
    if (!json_is_integer(in))
        return fail(Q_BAD_INPUT, "expected %s, found %s", expected, kind_name(in));
    json_int_t v = json_integer_value(in);
    if (v < 0 || (uint64_t)v > most)
        return fail(Q_BAD_INPUT, "expected %s, found %" JSON_INTEGER_FORMAT, expected, v);
    *out = (uint64_t)v;
    return Q_OK;
}

static enum q_err read_u16(const struct type *t, const json_t *in, uint16_t *out)
{
    uint64_t v;
    TRY(read_integer(t, in, UINT16_MAX, &v));
    *out = (uint16_t)v;
    return Q_OK;
}

static enum q_err read_u32(const struct type *t, const json_t *in, uint32_t *out)
{
    uint64_t v;
    TRY(read_integer(t, in, UINT32_MAX, &v));
    *out = (uint32_t)v;
    return Q_OK;
}

static enum q_err read_text(struct json_reader *r, const struct type *t, const json_t *in,
                            struct bytes *out)
{
    if (!json_is_string(in))
        return fail(Q_BAD_INPUT, "expected a string, found %s", kind_name(in));
    TRY(check_limit(t, json_string_length(in)));
    return arena_copy(r->a, string_of(in), out);
}

static enum q_err expect_hex(const json_t *in)
{
    if (!json_is_string(in))
        return fail(Q_BAD_INPUT, "expected a string of hex, found %s", kind_name(in));
    return Q_OK;
}

static enum q_err read_numbers(struct json_reader *r, const struct type *t, const json_t *in,
                               struct bytes *out)
{
    if (!json_is_array(in))
        return fail(Q_BAD_INPUT, "expected an array of bytes, found %s", kind_name(in));
    size_t n = json_array_size(in);
    void *p;
    TRY(check_limit(t, n));
    TRY(arena_alloc(r->a, n, &p));
    for (size_t i = 0; i < n; i++) {
        const json_t *number = json_array_get(in, i);
        json_int_t v = json_is_integer(number) ? json_integer_value(number) : -1;
        if (v < 0 || v > UINT8_MAX)
            return place_element(
                fail(Q_BAD_INPUT, "expected an integer from 0 to 255, found another value"),
                &r->place, i);
        ((uint8_t *)p)[i] = (uint8_t)v;
    }
    *out = bytes_of(p, n);
    return Q_OK;
}

// Decodes straight into memory of the right size: what is decoded may be large.
static enum q_err read_bytes(struct json_reader *r, const struct type *t, const json_t *in,
                             struct bytes *out)
{
    if (t->numbers)
        return read_numbers(r, t, in, out);
    TRY(expect_hex(in));
    struct bytes text = string_of(in);
    bool prefix = text.n >= 2 && text.p[0] == '0' && text.p[1] == 'x';
    size_t n = (text.n - (prefix ? 2 : 0)) / 2;
    void *p;
    TRY(check_limit(t, n));
    TRY(arena_alloc(r->a, n, &p));
    TRY(hex_decode_fixed(text, p, n));
    *out = bytes_of(p, n);
    return Q_OK;
}

static enum q_err read_fixed(const struct type *t, const json_t *in, void *out)
{
    TRY(expect_hex(in));
    return hex_decode_fixed(string_of(in), out, t->size);
}

static enum q_err read_list(struct json_reader *r, const struct type *t, const json_t *in,
                            struct list *out)
{
    if (!json_is_array(in))
        return fail(Q_BAD_INPUT, "expected an array, found %s", kind_name(in));
    size_t n = json_array_size(in);
    TRY(check_limit(t, n));
    TRY(arena_array(r->a, n, t->element->size, &out->items));
    out->n = n;
    for (size_t i = 0; i < n; i++) {
        void *element = member_at_mut(out->items, i * t->element->size);
        TRY(place_element(read_value(r, t->element, json_array_get(in, i), element), &r->place, i));
    }
    return Q_OK;
}

// in: NULL when the object does not have the field.
static enum q_err read_field(struct json_reader *r, const struct field *f, const json_t *in,
                             void *member)
{
    void *value;
    if (field_may_be_absent(f) && (in == NULL || json_is_null(in)))
        return Q_OK;
    if (f->presence == FIELD_DEFAULT && in == NULL)
        return Q_OK;
    if (in == NULL)
        return fail(Q_BAD_INPUT, "expected this field, found none");
    TRY(field_prepare(f, member, r->a, &value));
    return read_value(r, f->type, in, value);
}

static bool knows_key(const struct type *t, const char *tag_name, const char *key)
{
    if (tag_name != NULL && strcmp(tag_name, key) == 0)
        return true;
    for (size_t i = 0; i < t->count; i++) {
        if (strcmp(t->fields[i].name, key) == 0)
            return true;
    }
    return false;
}

// jansson's iterators take an object they do not change without const.
static json_t *walkable(const json_t *object)
{
    return (json_t *)(uintptr_t)object;
}

static enum q_err refuse_unknown(const struct type *t, const char *tag_name, const json_t *in)
{
    json_t *object = walkable(in);
    for (void *i = json_object_iter(object); i != NULL; i = json_object_iter_next(object, i)) {
        const char *key = json_object_iter_key(i);
        if (!knows_key(t, tag_name, key))
            return fail_found_text("known fields only", bytes_str(key));
    }
    return Q_OK;
}

// The fields of an object; tag_name: a key beside them that has been read already, or NULL.
static enum q_err read_object(struct json_reader *r, const struct type *t, const char *tag_name,
                              const json_t *in, void *out)
{
    if (t->closed)
        TRY(refuse_unknown(t, tag_name, in));
    for (size_t i = 0; i < t->count; i++) {
        const struct field *f = &t->fields[i];
        enum q_err err =
            read_field(r, f, json_object_get(in, f->name), member_at_mut(out, f->offset));
        TRY(place_member(err, &r->place, f->name));
    }
    return Q_OK;
}

static enum q_err read_positions(struct json_reader *r, const struct type *t, const json_t *in,
                                 void *out)
{
    if (json_array_size(in) != t->count)
        return fail(Q_BAD_INPUT, "expected an array of %zu fields, found %zu", t->count,
                    json_array_size(in));
    for (size_t i = 0; i < t->count; i++) {
        const struct field *f = &t->fields[i];
        enum q_err err = read_field(r, f, json_array_get(in, i), member_at_mut(out, f->offset));
        TRY(place_member(err, &r->place, f->name));
    }
    return Q_OK;
}

static enum q_err read_struct(struct json_reader *r, const struct type *t, const json_t *in,
                              void *out)
{
    if (json_is_array(in))
        return read_positions(r, t, in, out);
    if (json_is_object(in) && !t->tuple)
        return read_object(r, t, NULL, in, out);
    return fail(Q_BAD_INPUT, "expected %s, found %s", t->tuple ? "an array" : "an object",
                kind_name(in));
}

static char lower(char c)
{
    return (char)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
}

static bool variant_has_name(const struct type *t, const struct variant *v, struct bytes name)
{
    if (v->name == NULL)
        return false;
    if (bytes_is(name, v->name))
        return true;
    bool camel = t->camel_too && name.n > 0 && (char)name.p[0] == lower(v->name[0]);
    return camel && bytes_is(bytes_of(name.p + 1, name.n - 1), v->name + 1);
}

static const struct variant *variant_by_name(const struct type *t, struct bytes name)
{
    for (size_t i = 0; i < t->count; i++) {
        if (variant_has_name(t, &t->variants[i], name))
            return &t->variants[i];
    }
    return NULL;
}

static enum q_err fail_unknown_variant(const struct type *t, struct bytes name)
{
    char expected[80];
    (void)snprintf(expected, sizeof expected, "the name of a %s", t->name);
    return fail_found_text(expected, name);
}

static enum q_err read_payload(struct json_reader *r, const struct type *t, const struct variant *v,
                               const json_t *in, void *out)
{
    if (v->type == NULL && (in == NULL || json_is_null(in)))
        return Q_OK;
    if (v->type == NULL)
        return fail(Q_BAD_INPUT, "expected null, found %s", kind_name(in));
    if (in == NULL)
        return fail(Q_BAD_INPUT, "expected an object {\"%s\": ...}, found the name alone", v->name);
    return read_value(r, v->type, in, member_at_mut(out, t->payload_offset));
}

// "name", or {"name": payload}.
static enum q_err read_variants(struct json_reader *r, const struct type *t, const json_t *in,
                                void *out)
{
    bool named = json_is_string(in);
    if (!named && (!json_is_object(in) || json_object_size(in) != 1))
        return fail(Q_BAD_INPUT, "expected a %s as a string or an object of one member, found %s",
                    t->name, json_is_object(in) ? "another object" : kind_name(in));
    void *member = named ? NULL : json_object_iter(walkable(in));
    struct bytes name = named ? string_of(in) : bytes_str(json_object_iter_key(member));
    const struct variant *v = variant_by_name(t, name);
    if (v == NULL)
        return fail_unknown_variant(t, name);
    *(uint32_t *)out = v->index;
    const json_t *payload = named ? NULL : json_object_iter_value(member);
    return place_member(read_payload(r, t, v, payload, out), &r->place, v->name);
}

// {"<tag_name>": "name", fields of the payload}.
static enum q_err read_tagged(struct json_reader *r, const struct type *t, const json_t *in,
                              void *out)
{
    if (!json_is_object(in))
        return fail(Q_BAD_INPUT, "expected an object, found %s", kind_name(in));
    const json_t *tag = json_object_get(in, t->tag_name);
    if (!json_is_string(tag))
        return fail(Q_BAD_INPUT, "expected a string in \"%s\", found %s", t->tag_name,
                    kind_name(tag));
    const struct variant *v = variant_by_name(t, string_of(tag));
    if (v == NULL)
        return fail_unknown_variant(t, string_of(tag));
    *(uint32_t *)out = v->index;
    if (v->type == NULL)
        return Q_OK;
    return read_object(r, v->type, t->tag_name, in, member_at_mut(out, t->payload_offset));
}

static enum q_err read_custom(struct json_reader *r, const struct type *t, const json_t *in,
                              void *out)
{
    if (t->hooks.json_decode == NULL)
        return fail(Q_UNSUPPORTED, "%s: expected a type with a JSON form, this has none", t->name);
    return t->hooks.json_decode(in, r->a, out);
}

static enum q_err read_shape(struct json_reader *r, const struct type *t, const json_t *in,
                             void *out)
{
    switch (t->shape) {
    case SHAPE_BOOL:
        return read_bool(in, out);
    case SHAPE_U16:
        return read_u16(t, in, out);
    case SHAPE_U32:
        return read_u32(t, in, out);
    case SHAPE_U64:
        return read_integer(t, in, UINT64_MAX, out);
    case SHAPE_TEXT:
        return read_text(r, t, in, out);
    case SHAPE_BYTES:
        return read_bytes(r, t, in, out);
    case SHAPE_FIXED:
        return read_fixed(t, in, out);
    case SHAPE_LIST:
        return read_list(r, t, in, out);
    case SHAPE_STRUCT:
        return read_struct(r, t, in, out);
    case SHAPE_VARIANTS:
        return read_variants(r, t, in, out);
    case SHAPE_TAGGED:
        return read_tagged(r, t, in, out);
    case SHAPE_CUSTOM:
        return read_custom(r, t, in, out);
    }
    return fail(Q_INTERNAL, "%s: expected a shape, found %d", t->name, (int)t->shape);
}

static enum q_err read_value(struct json_reader *r, const struct type *t, const json_t *in,
                             void *out)
{
    TRY(check_depth(t, r->depth));
    r->depth++;
    enum q_err err = read_shape(r, t, in, out);
    r->depth--;
    return err;
}

enum q_err json_read(const struct type *t, const struct json_t *in, struct arena *a, void *out)
{
    struct json_reader r = {.a = a};
    memset(out, 0, t->size);
    return read_value(&r, t, in, out);
}

enum q_err json_decode(const struct type *t, struct bytes in, struct arena *a, void *out)
{
    return json_decode_up_to(t, in, JSON_MAX_VALUES, a, out);
}

// The tree goes as soon as it has been read: beside a large application it doubles what is held.
enum q_err json_decode_up_to(const struct type *t, struct bytes in, size_t values_max,
                             struct arena *a, void *out)
{
    struct json_reader r = {.a = a};
    struct json_t *tree;
    memset(out, 0, t->size);
    TRY(err_context(json_parse_up_to(in, values_max, &tree), "%s", t->name));
    enum q_err err = read_value(&r, t, tree, out);
    json_decref(tree);
    return place_member(err, &r.place, t->name);
}
