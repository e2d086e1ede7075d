// The primitive types, and what all walkers need to reach into a described C value (see describe.h).
#include "codec/describe_internal.h"

#include <string.h>

const struct type type_bool = {.name = "boolean", .shape = SHAPE_BOOL, .size = sizeof(bool)};
const struct type type_u16 = {.name = "u16", .shape = SHAPE_U16, .size = sizeof(uint16_t)};
const struct type type_u32 = {.name = "u32", .shape = SHAPE_U32, .size = sizeof(uint32_t)};
const struct type type_u64 = {.name = "u64", .shape = SHAPE_U64, .size = sizeof(uint64_t)};
const struct type type_text = {.name = "text", .shape = SHAPE_TEXT, .size = sizeof(struct bytes)};
const struct type type_bytes = {
    .name = "bytes", .shape = SHAPE_BYTES, .size = sizeof(struct bytes)};
const struct type type_byte_array = {
    .name = "byte array", .shape = SHAPE_BYTES, .size = sizeof(struct bytes), .numbers = true};

// value_is_empty looks at text, bytes and lists alike.
_Static_assert(sizeof(struct list) == sizeof(struct bytes) &&
                   offsetof(struct list, n) == offsetof(struct bytes, n),
               "lists and bytes are a pointer and a count");

const void *member_at(const void *value, size_t offset)
{
    return (const uint8_t *)value + offset;
}

void *member_at_mut(void *value, size_t offset)
{
    return (uint8_t *)value + offset;
}

uint32_t variant_tag(const void *value)
{
    return *(const uint32_t *)value;
}

const struct variant *variant_by_index(const struct type *t, uint32_t index)
{
    for (size_t i = 0; i < t->count; i++) {
        if (t->variants[i].index == index)
            return &t->variants[i];
    }
    return NULL;
}

static bool is_string(const struct type *t)
{
    return t->shape == SHAPE_TEXT || t->shape == SHAPE_BYTES;
}

bool field_may_be_absent(const struct field *f)
{
    return f->presence == FIELD_OPTIONAL || f->presence == FIELD_NULLABLE;
}

bool field_is_pointer(const struct field *f)
{
    return field_may_be_absent(f) && !is_string(f->type);
}

bool field_is_absent(const struct field *f, const void *member)
{
    if (!field_may_be_absent(f))
        return false;
    if (is_string(f->type))
        return ((const struct bytes *)member)->p == NULL;
    return *(const void *const *)member == NULL;
}

bool value_is_empty(const void *value)
{
    return ((const struct list *)value)->n == 0;
}

const void *field_value(const struct field *f, const void *member)
{
    return field_is_pointer(f) ? *(const void *const *)member : member;
}

enum q_err field_prepare(const struct field *f, void *member, struct arena *a, void **out)
{
    *out = member;
    if (!field_is_pointer(f))
        return Q_OK;
    TRY(arena_alloc(a, f->type->size, out));
    *(void **)member = *out;
    return Q_OK;
}

// The first step out of the failing value ends the place, later ones go in front of it.
static const char *joint(struct place *p)
{
    const char *text = !p->named ? ": " : err_text()[0] == '[' ? "" : ".";
    p->named = true;
    return text;
}

enum q_err place_member(enum q_err err, struct place *p, const char *name)
{
    if (err != Q_OK)
        err_record(err_detail(), "%s%s%s", name, joint(p), err_text());
    return err;
}

enum q_err place_element(enum q_err err, struct place *p, size_t index)
{
    if (err != Q_OK)
        err_record(err_detail(), "[%zu]%s%s", index, joint(p), err_text());
    return err;
}

enum q_err check_depth(const struct type *t, unsigned depth)
{
    if (depth > DESCRIBE_MAX_DEPTH)
        return fail(Q_LIMIT, "%s: expected at most %d levels, found more", t->name,
                    DESCRIBE_MAX_DEPTH);
    return Q_OK;
}

enum q_err check_limit(const struct type *t, size_t n)
{
    if (t->limit != 0 && n > t->limit)
        return fail(Q_LIMIT, "expected at most %zu %s, found %zu", t->limit,
                    t->shape == SHAPE_LIST ? "elements" : "bytes", n);
    return Q_OK;
}
