// Described values from Borsh, strictly: nothing is allocated before the input is known to hold it
// (qos-wire, decoding rules).
#include "codec/borsh.h"

#include "codec/describe_internal.h"

#include <inttypes.h>
#include <string.h>

// Elements of a list whose encoding may take no bytes at all.
#define MAX_EMPTY_ELEMENTS 65536

struct decoder {
    struct reader *in;
    struct arena *a;
    struct place place;
};

static enum q_err decode(struct decoder *d, const struct type *t, void *out, unsigned depth);

static size_t least_size(const struct type *t, unsigned depth);

static size_t least_struct(const struct type *t, unsigned depth)
{
    size_t sum = 0;
    for (size_t i = 0; i < t->count; i++) {
        const struct field *f = &t->fields[i];
        sum += field_may_be_absent(f) ? 1 : least_size(f->type, depth + 1);
    }
    return sum;
}

static size_t least_variant(const struct type *t, unsigned depth)
{
    size_t least = SIZE_MAX;
    for (size_t i = 0; i < t->count; i++) {
        const struct type *payload = t->variants[i].type;
        size_t n = payload == NULL ? 0 : least_size(payload, depth + 1);
        least = n < least ? n : least;
    }
    return least == SIZE_MAX ? 1 : least + 1;
}

// The fewest bytes that a value of this type can be encoded in.
static size_t least_size(const struct type *t, unsigned depth)
{
    if (depth > DESCRIBE_MAX_DEPTH)
        return 0;
    switch (t->shape) {
    case SHAPE_BOOL:
        return 1;
    case SHAPE_U16:
    case SHAPE_U32:
    case SHAPE_U64:
    case SHAPE_FIXED:
        return t->size;
    case SHAPE_TEXT:
    case SHAPE_BYTES:
    case SHAPE_LIST:
        return sizeof(uint32_t);
    case SHAPE_STRUCT:
        return least_struct(t, depth);
    case SHAPE_VARIANTS:
    case SHAPE_TAGGED:
        return least_variant(t, depth);
    case SHAPE_CUSTOM:
        break;
    }
    return 0;
}

// A byte that may only be 0 or 1.
static enum q_err decode_flag(struct decoder *d, const char *what, bool *out)
{
    uint8_t v;
    TRY(reader_u8(d->in, &v));
    if (v > 1)
        return fail(Q_BAD_INPUT, "expected 0 or 1 for %s, found %u", what, v);
    *out = v == 1;
    return Q_OK;
}

static enum q_err decode_string(struct decoder *d, const struct type *t, struct bytes *out)
{
    uint32_t n;
    struct bytes raw;
    TRY(reader_u32le(d->in, &n));
    TRY(check_limit(t, n));
    TRY(reader_take(d->in, n, &raw));
    if (t->shape == SHAPE_TEXT && !bytes_is_utf8(raw))
        return fail(Q_BAD_INPUT, "expected UTF-8 text, found other bytes");
    return arena_copy(d->a, raw, out);
}

static enum q_err decode_fixed(struct decoder *d, const struct type *t, void *out)
{
    struct bytes raw;
    TRY(reader_take(d->in, t->size, &raw));
    memcpy(out, raw.p, raw.n);
    return Q_OK;
}

static enum q_err check_count(const struct decoder *d, const struct type *t, uint32_t count)
{
    size_t left = reader_left(d->in), least = least_size(t->element, 0);
    size_t most = least == 0 ? MAX_EMPTY_ELEMENTS : left / least;
    if (count > most)
        return fail(
            Q_BAD_INPUT,
            "expected at most %zu elements in the %zu bytes left, found a count of %" PRIu32, most,
            left, count);
    return check_limit(t, count);
}

static enum q_err decode_list(struct decoder *d, const struct type *t, struct list *out,
                              unsigned depth)
{
    uint32_t count;
    TRY(reader_u32le(d->in, &count));
    TRY(check_count(d, t, count));
    TRY(arena_array(d->a, count, t->element->size, &out->items));
    out->n = count;
    for (size_t i = 0; i < count; i++) {
        void *element = member_at_mut(out->items, i * t->element->size);
        TRY(place_element(decode(d, t->element, element, depth + 1), &d->place, i));
    }
    return Q_OK;
}

static enum q_err decode_field(struct decoder *d, const struct field *f, void *member,
                               unsigned depth)
{
    void *value;
    bool present = true;
    if (field_may_be_absent(f))
        TRY(decode_flag(d, "an option", &present));
    if (!present)
        return Q_OK;
    TRY(field_prepare(f, member, d->a, &value));
    return decode(d, f->type, value, depth + 1);
}

static enum q_err decode_struct(struct decoder *d, const struct type *t, void *out, unsigned depth)
{
    for (size_t i = 0; i < t->count; i++) {
        const struct field *f = &t->fields[i];
        enum q_err err = decode_field(d, f, member_at_mut(out, f->offset), depth);
        TRY(place_member(err, &d->place, f->name));
    }
    return Q_OK;
}

static enum q_err decode_variant(struct decoder *d, const struct type *t, void *out, unsigned depth)
{
    uint8_t index;
    TRY(reader_u8(d->in, &index));
    const struct variant *v = variant_by_index(t, index);
    if (v == NULL)
        return fail(Q_BAD_INPUT, "expected a variant of %s, found index %u", t->name, index);
    *(uint32_t *)out = index;
    if (v->type == NULL)
        return Q_OK;
    enum q_err err = decode(d, v->type, member_at_mut(out, t->payload_offset), depth + 1);
    return place_member(err, &d->place, v->name == NULL ? v->type->name : v->name);
}

static enum q_err decode_custom(struct decoder *d, const struct type *t, void *out)
{
    if (t->hooks.borsh_decode == NULL)
        return fail(Q_UNSUPPORTED, "%s: expected a type with a Borsh form, this has none", t->name);
    return t->hooks.borsh_decode(d->in, d->a, out);
}

static enum q_err decode(struct decoder *d, const struct type *t, void *out, unsigned depth)
{
    TRY(check_depth(t, depth));
    switch (t->shape) {
    case SHAPE_BOOL:
        return decode_flag(d, "a boolean", out);
    case SHAPE_U16:
        return reader_u16le(d->in, out);
    case SHAPE_U32:
        return reader_u32le(d->in, out);
    case SHAPE_U64:
        return reader_u64le(d->in, out);
    case SHAPE_TEXT:
    case SHAPE_BYTES:
        return decode_string(d, t, out);
    case SHAPE_FIXED:
        return decode_fixed(d, t, out);
    case SHAPE_LIST:
        return decode_list(d, t, out, depth);
    case SHAPE_STRUCT:
        return decode_struct(d, t, out, depth);
    case SHAPE_VARIANTS:
    case SHAPE_TAGGED:
        return decode_variant(d, t, out, depth);
    case SHAPE_CUSTOM:
        return decode_custom(d, t, out);
    }
    return fail(Q_INTERNAL, "%s: expected a shape, found %d", t->name, (int)t->shape);
}

enum q_err borsh_read(const struct type *t, struct reader *in, struct arena *a, void *out)
{
    struct decoder d = {.in = in, .a = a};
    memset(out, 0, t->size);
    return decode(&d, t, out, 0);
}

enum q_err borsh_decode(const struct type *t, struct bytes in, struct arena *a, void *out)
{
    struct reader r = reader_of(in, t->name);
    struct decoder d = {.in = &r, .a = a};
    memset(out, 0, t->size);
    TRY(place_member(decode(&d, t, out, 0), &d.place, t->name));
    return reader_end(&r);
}
