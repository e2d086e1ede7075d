// Described values to JSON, plain or canonical, straight into a buffer (qos-wire 3 and 4).
#include "codec/json_internal.h"

#include "base/hex.h"

#include <inttypes.h>
#include <string.h>

static enum q_err write_value(struct json_writer *w, const struct type *t, const void *value);

static enum q_err write_integer(struct json_writer *w, uint64_t v)
{
    return buf_printf(w->out, w->style == JSON_CANONICAL ? "\"%" PRIu64 "\"" : "%" PRIu64, v);
}

static enum q_err write_hex(struct json_writer *w, struct bytes v)
{
    TRY(buf_u8(w->out, '"'));
    TRY(hex_encode(v, w->out));
    return buf_u8(w->out, '"');
}

static enum q_err write_numbers(struct json_writer *w, struct bytes v)
{
    TRY(buf_u8(w->out, '['));
    for (size_t i = 0; i < v.n; i++)
        TRY(buf_printf(w->out, i > 0 ? ",%u" : "%u", v.p[i]));
    return buf_u8(w->out, ']');
}

static enum q_err write_bytes(struct json_writer *w, const struct type *t, struct bytes v)
{
    return t->numbers ? write_numbers(w, v) : write_hex(w, v);
}

static enum q_err write_list(struct json_writer *w, const struct type *t, const struct list *l)
{
    TRY(buf_u8(w->out, '['));
    for (size_t i = 0; i < l->n; i++) {
        if (i > 0)
            TRY(buf_u8(w->out, ','));
        TRY(write_value(w, t->element, member_at(l->items, i * t->element->size)));
    }
    return buf_u8(w->out, ']');
}

static enum q_err write_tuple(struct json_writer *w, const struct type *t, const void *value)
{
    TRY(buf_u8(w->out, '['));
    for (size_t i = 0; i < t->count; i++) {
        const struct field *f = &t->fields[i];
        const void *member = member_at(value, f->offset);
        if (i > 0)
            TRY(buf_u8(w->out, ','));
        if (field_is_absent(f, member))
            TRY(buf_append_str(w->out, "null"));
        else
            TRY(write_value(w, f->type, field_value(f, member)));
    }
    return buf_u8(w->out, ']');
}

// One member of an object: a field, or the tag of an internally tagged variant (then text).
struct entry {
    const char *name;
    const struct type *type; // NULL: text
    const void *value;       // NULL: null
    const char *text;
};
struct entries {
    struct entry at[DESCRIBE_MAX_FIELDS + 1];
    size_t n;
};

// Keys of descriptions are ASCII, where the order of bytes is that of UTF-16 code units.
static void add_entry(struct entries *e, enum json_style style, struct entry new_entry)
{
    size_t i = e->n++;
    for (; style == JSON_CANONICAL && i > 0 && strcmp(e->at[i - 1].name, new_entry.name) > 0; i--)
        e->at[i] = e->at[i - 1];
    e->at[i] = new_entry;
}

static bool is_omitted(const struct field *f, const void *member)
{
    if (f->presence == FIELD_DEFAULT)
        return value_is_empty(member);
    return f->presence != FIELD_NULLABLE && field_is_absent(f, member);
}

static struct entry field_entry(const struct field *f, const void *member)
{
    const void *value = field_is_absent(f, member) ? NULL : field_value(f, member);
    return (struct entry){f->name, f->type, value, NULL};
}

static enum q_err add_fields(struct entries *e, enum json_style style, const struct type *t,
                             const void *value)
{
    if (t->count > DESCRIBE_MAX_FIELDS)
        return fail(Q_INTERNAL, "%s: expected at most %d fields, found %zu", t->name,
                    DESCRIBE_MAX_FIELDS, t->count);
    for (size_t i = 0; i < t->count; i++) {
        const struct field *f = &t->fields[i];
        const void *member = member_at(value, f->offset);
        if (!is_omitted(f, member))
            add_entry(e, style, field_entry(f, member));
    }
    return Q_OK;
}

static enum q_err write_entry(struct json_writer *w, const struct entry *e)
{
    TRY(json_quote(bytes_str(e->name), w->out));
    TRY(buf_u8(w->out, ':'));
    if (e->type == NULL)
        return json_quote(bytes_str(e->text), w->out);
    return e->value == NULL ? buf_append_str(w->out, "null") : write_value(w, e->type, e->value);
}

static enum q_err write_entries(struct json_writer *w, const struct entries *e)
{
    TRY(buf_u8(w->out, '{'));
    for (size_t i = 0; i < e->n; i++) {
        if (i > 0)
            TRY(buf_u8(w->out, ','));
        TRY(write_entry(w, &e->at[i]));
    }
    return buf_u8(w->out, '}');
}

static enum q_err write_struct(struct json_writer *w, const struct type *t, const void *value)
{
    if (t->tuple)
        return write_tuple(w, t, value);
    struct entries e = {.n = 0};
    TRY(add_fields(&e, w->style, t, value));
    return write_entries(w, &e);
}

static enum q_err find_variant(const struct type *t, const void *value, const struct variant **out)
{
    uint32_t tag = variant_tag(value);
    *out = variant_by_index(t, tag);
    if (*out == NULL)
        return fail(Q_INTERNAL, "%s: expected a known variant, found %" PRIu32, t->name, tag);
    if ((*out)->name == NULL)
        return fail(Q_UNSUPPORTED, "%s: expected a variant with a JSON form, found %" PRIu32,
                    t->name, tag);
    return Q_OK;
}

static enum q_err write_variants(struct json_writer *w, const struct type *t, const void *value)
{
    const struct variant *v;
    TRY(find_variant(t, value, &v));
    if (v->type == NULL)
        return json_quote(bytes_str(v->name), w->out);
    struct entries e = {
        .at = {{v->name, v->type, member_at(value, t->payload_offset), NULL}},
        .n = 1,
    };
    return write_entries(w, &e);
}

static enum q_err write_tagged(struct json_writer *w, const struct type *t, const void *value)
{
    const struct variant *v;
    TRY(find_variant(t, value, &v));
    struct entries e = {.n = 0};
    add_entry(&e, w->style, (struct entry){t->tag_name, NULL, NULL, v->name});
    if (v->type != NULL)
        TRY(add_fields(&e, w->style, v->type, member_at(value, t->payload_offset)));
    return write_entries(w, &e);
}

static enum q_err write_custom(struct json_writer *w, const struct type *t, const void *value)
{
    if (t->hooks.json_encode == NULL)
        return fail(Q_UNSUPPORTED, "%s: expected a type with a JSON form, this has none", t->name);
    return t->hooks.json_encode(value, w);
}

static enum q_err write_shape(struct json_writer *w, const struct type *t, const void *value)
{
    switch (t->shape) {
    case SHAPE_BOOL:
        return buf_append_str(w->out, *(const bool *)value ? "true" : "false");
    case SHAPE_U16:
        return write_integer(w, *(const uint16_t *)value);
    case SHAPE_U32:
        return write_integer(w, *(const uint32_t *)value);
    case SHAPE_U64:
        return write_integer(w, *(const uint64_t *)value);
    case SHAPE_TEXT:
        return json_quote(*(const struct bytes *)value, w->out);
    case SHAPE_BYTES:
        return write_bytes(w, t, *(const struct bytes *)value);
    case SHAPE_FIXED:
        return write_hex(w, bytes_of(value, t->size));
    case SHAPE_LIST:
        return write_list(w, t, value);
    case SHAPE_STRUCT:
        return write_struct(w, t, value);
    case SHAPE_VARIANTS:
        return write_variants(w, t, value);
    case SHAPE_TAGGED:
        return write_tagged(w, t, value);
    case SHAPE_CUSTOM:
        return write_custom(w, t, value);
    }
    return fail(Q_INTERNAL, "%s: expected a shape, found %d", t->name, (int)t->shape);
}

static enum q_err write_value(struct json_writer *w, const struct type *t, const void *value)
{
    TRY(check_depth(t, w->depth));
    w->depth++;
    enum q_err err = write_shape(w, t, value);
    w->depth--;
    return err;
}

enum q_err json_encode(const struct type *t, const void *value, enum json_style style,
                       struct buf *out)
{
    struct json_writer w = {.out = out, .style = style};
    size_t before = out->n;
    enum q_err err = write_value(&w, t, value);
    if (err != Q_OK)
        out->n = before;
    return err;
}

enum q_err json_write(struct json_writer *w, const struct type *t, const void *value)
{
    return write_value(w, t, value);
}

enum q_err json_write_text(struct json_writer *w, struct bytes text)
{
    return json_quote(text, w->out);
}

enum q_err json_write_raw(struct json_writer *w, const char *literal)
{
    return buf_append_str(w->out, literal);
}

enum json_style json_writer_style(const struct json_writer *w)
{
    return w->style;
}
