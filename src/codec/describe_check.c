// Checks descriptions, so that a wrong table is found by a test and never by a message (see describe.h).
#include "codec/describe_internal.h"

#include <string.h>

static enum q_err check(const struct type *t, unsigned depth);

static enum q_err check_size(const struct type *t, size_t size)
{
    if (t->size != size)
        return fail(Q_INTERNAL, "%s: expected a C size of %zu, found %zu", t->name, size, t->size);
    return Q_OK;
}

static size_t field_width(const struct field *f)
{
    return field_is_pointer(f) ? sizeof(void *) : f->type->size;
}

static bool overlaps(const struct field *a, const struct field *b)
{
    return a->offset < b->offset + field_width(b) && b->offset < a->offset + field_width(a);
}

static enum q_err check_field_default(const struct field *f)
{
    enum shape s = f->type->shape;
    bool counted = s == SHAPE_LIST || s == SHAPE_TEXT || s == SHAPE_BYTES || s == SHAPE_CUSTOM;
    if (f->presence == FIELD_DEFAULT && (!counted || f->type->size != sizeof(struct list)))
        return fail(Q_INTERNAL, "expected a list, text or bytes where FIELD_DEFAULT stands");
    return Q_OK;
}

static enum q_err check_field(const struct type *t, size_t at, unsigned depth)
{
    const struct field *f = &t->fields[at];
    if (f->type == NULL)
        return fail(Q_INTERNAL, "expected a type, found none");
    TRY(check_field_default(f));
    if (f->offset > t->size || field_width(f) > t->size - f->offset)
        return fail(Q_INTERNAL, "expected an end within %zu bytes, found %zu", t->size,
                    f->offset + field_width(f));
    for (size_t i = 0; i < at; i++) {
        if (strcmp(t->fields[i].name, f->name) == 0)
            return fail(Q_INTERNAL, "expected its name once, found it twice");
        if (overlaps(&t->fields[i], f))
            return fail(Q_INTERNAL, "expected memory of its own, found it shared with %s",
                        t->fields[i].name);
    }
    return check(f->type, depth + 1);
}

static enum q_err check_struct(const struct type *t, unsigned depth)
{
    if (t->count > DESCRIBE_MAX_FIELDS)
        return fail(Q_INTERNAL, "%s: expected at most %d fields, found %zu", t->name,
                    DESCRIBE_MAX_FIELDS, t->count);
    if (t->count > 0 && t->fields == NULL)
        return fail(Q_INTERNAL, "%s: expected fields, found none", t->name);
    for (size_t i = 0; i < t->count; i++) {
        if (t->fields[i].name == NULL)
            return fail(Q_INTERNAL, "%s: expected a name for field %zu, found none", t->name, i);
        TRY(err_context(check_field(t, i, depth), "%s.%s", t->name, t->fields[i].name));
    }
    return Q_OK;
}

// The payload of an internally tagged variant shares its JSON object with the tag.
static enum q_err check_tagged_payload(const struct type *t, const struct type *payload)
{
    if (t->shape != SHAPE_TAGGED)
        return Q_OK;
    if (payload->shape != SHAPE_STRUCT || payload->tuple || payload->count == DESCRIBE_MAX_FIELDS)
        return fail(Q_INTERNAL,
                    "expected a struct with a place for the tag, found another payload");
    for (size_t i = 0; i < payload->count; i++) {
        if (strcmp(payload->fields[i].name, t->tag_name) == 0)
            return fail(Q_INTERNAL, "expected no field named as the tag, found one");
    }
    return Q_OK;
}

static enum q_err check_payload(const struct type *t, const struct type *payload, unsigned depth)
{
    if (payload == NULL)
        return Q_OK;
    if (t->payload_offset < sizeof(uint32_t) || t->payload_offset > t->size ||
        payload->size > t->size - t->payload_offset)
        return fail(Q_INTERNAL, "expected a payload between the tag and byte %zu, found %zu at %zu",
                    t->size, payload->size, t->payload_offset);
    TRY(check(payload, depth + 1));
    return check_tagged_payload(t, payload);
}

static enum q_err check_variant(const struct type *t, size_t at, unsigned depth)
{
    const struct variant *v = &t->variants[at];
    for (size_t i = 0; i < at; i++) {
        const struct variant *other = &t->variants[i];
        if (other->index == v->index)
            return fail(Q_INTERNAL, "expected index %u once, found it twice", v->index);
        if (other->name != NULL && v->name != NULL && strcmp(other->name, v->name) == 0)
            return fail(Q_INTERNAL, "expected its name once, found it twice");
    }
    return check_payload(t, v->type, depth);
}

static enum q_err check_variants(const struct type *t, unsigned depth)
{
    if (t->size < sizeof(uint32_t) || t->count == 0 || t->variants == NULL)
        return fail(Q_INTERNAL, "%s: expected a tag and variants, found none", t->name);
    if (t->shape == SHAPE_TAGGED && t->tag_name == NULL)
        return fail(Q_INTERNAL, "%s: expected a name for the tag, found none", t->name);
    for (size_t i = 0; i < t->count; i++) {
        const char *name = t->variants[i].name;
        TRY(err_context(check_variant(t, i, depth), "%s.%s", t->name,
                        name == NULL ? "(no name)" : name));
    }
    return Q_OK;
}

static enum q_err check_list(const struct type *t, unsigned depth)
{
    TRY(check_size(t, sizeof(struct list)));
    if (t->element == NULL || t->element->size == 0)
        return fail(Q_INTERNAL, "%s: expected elements of a size, found none", t->name);
    return err_context(check(t->element, depth + 1), "%s", t->name);
}

static enum q_err check_custom(const struct type *t)
{
    const struct type_hooks *h = &t->hooks;
    bool any = h->borsh_encode != NULL || h->borsh_decode != NULL || h->json_encode != NULL ||
               h->json_decode != NULL;
    if (!any || t->size == 0)
        return fail(Q_INTERNAL, "%s: expected a size and hooks, found none", t->name);
    return Q_OK;
}

static enum q_err check(const struct type *t, unsigned depth)
{
    if (t->name == NULL)
        return fail(Q_INTERNAL, "expected a name of the type, found none");
    TRY(check_depth(t, depth));
    switch (t->shape) {
    case SHAPE_BOOL:
        return check_size(t, sizeof(bool));
    case SHAPE_U16:
        return check_size(t, sizeof(uint16_t));
    case SHAPE_U32:
        return check_size(t, sizeof(uint32_t));
    case SHAPE_U64:
        return check_size(t, sizeof(uint64_t));
    case SHAPE_TEXT:
    case SHAPE_BYTES:
        return check_size(t, sizeof(struct bytes));
    case SHAPE_FIXED:
        return t->size > 0 ? Q_OK : fail(Q_INTERNAL, "%s: expected a size, found 0", t->name);
    case SHAPE_LIST:
        return check_list(t, depth);
    case SHAPE_STRUCT:
        return check_struct(t, depth);
    case SHAPE_VARIANTS:
    case SHAPE_TAGGED:
        return check_variants(t, depth);
    case SHAPE_CUSTOM:
        return check_custom(t);
    }
    return fail(Q_INTERNAL, "%s: expected a shape, found %d", t->name, (int)t->shape);
}

enum q_err type_check(const struct type *t)
{
    return check(t, 0);
}
