// Borsh from described values (qos-wire, notation).
#include "codec/borsh.h"

#include "codec/describe_internal.h"

#include <inttypes.h>
#include <string.h>

static enum q_err encode(const struct type *t, const void *value, struct buf *out, unsigned depth);

static enum q_err encode_length(const struct type *t, size_t n, struct buf *out)
{
    if (n > UINT32_MAX)
        return fail(Q_LIMIT, "%s: expected a length below 2^32, found %zu", t->name, n);
    return buf_u32le(out, (uint32_t)n);
}

static enum q_err encode_string(const struct type *t, const struct bytes *s, struct buf *out)
{
    if (t->shape == SHAPE_TEXT && !bytes_is_utf8(*s))
        return fail(Q_BAD_INPUT, "%s: expected UTF-8, found other bytes", t->name);
    TRY(encode_length(t, s->n, out));
    return buf_append(out, *s);
}

static enum q_err encode_list(const struct type *t, const struct list *l, struct buf *out,
                              unsigned depth)
{
    TRY(encode_length(t, l->n, out));
    for (size_t i = 0; i < l->n; i++)
        TRY(encode(t->element, member_at(l->items, i * t->element->size), out, depth + 1));
    return Q_OK;
}

static enum q_err encode_field(const struct field *f, const void *member, struct buf *out,
                               unsigned depth)
{
    bool absent = field_is_absent(f, member);
    if (field_may_be_absent(f))
        TRY(buf_u8(out, !absent));
    return absent ? Q_OK : encode(f->type, field_value(f, member), out, depth + 1);
}

static enum q_err encode_struct(const struct type *t, const void *value, struct buf *out,
                                unsigned depth)
{
    for (size_t i = 0; i < t->count; i++) {
        const struct field *f = &t->fields[i];
        TRY(encode_field(f, member_at(value, f->offset), out, depth));
    }
    return Q_OK;
}

static enum q_err encode_variant(const struct type *t, const void *value, struct buf *out,
                                 unsigned depth)
{
    const struct variant *v = variant_by_index(t, variant_tag(value));
    if (v == NULL)
        return fail(Q_INTERNAL, "%s: expected a known variant, found %" PRIu32, t->name,
                    variant_tag(value));
    TRY(buf_u8(out, v->index));
    if (v->type == NULL)
        return Q_OK;
    return encode(v->type, member_at(value, t->payload_offset), out, depth + 1);
}

static enum q_err encode_custom(const struct type *t, const void *value, struct buf *out)
{
    if (t->hooks.borsh_encode == NULL)
        return fail(Q_UNSUPPORTED, "%s: expected a type with a Borsh form, this has none", t->name);
    return t->hooks.borsh_encode(value, out);
}

static enum q_err encode(const struct type *t, const void *value, struct buf *out, unsigned depth)
{
    TRY(check_depth(t, depth));
    switch (t->shape) {
    case SHAPE_BOOL:
        return buf_u8(out, *(const bool *)value);
    case SHAPE_U16:
        return buf_u16le(out, *(const uint16_t *)value);
    case SHAPE_U32:
        return buf_u32le(out, *(const uint32_t *)value);
    case SHAPE_U64:
        return buf_u64le(out, *(const uint64_t *)value);
    case SHAPE_TEXT:
    case SHAPE_BYTES:
        return encode_string(t, value, out);
    case SHAPE_FIXED:
        return buf_append(out, bytes_of(value, t->size));
    case SHAPE_LIST:
        return encode_list(t, value, out, depth);
    case SHAPE_STRUCT:
        return encode_struct(t, value, out, depth);
    case SHAPE_VARIANTS:
    case SHAPE_TAGGED:
        return encode_variant(t, value, out, depth);
    case SHAPE_CUSTOM:
        return encode_custom(t, value, out);
    }
    return fail(Q_INTERNAL, "%s: expected a shape, found %d", t->name, (int)t->shape);
}

enum q_err borsh_encode(const struct type *t, const void *value, struct buf *out)
{
    size_t before = out->n;
    enum q_err err = encode(t, value, out, 0);
    if (err != Q_OK)
        out->n = before;
    return err;
}
