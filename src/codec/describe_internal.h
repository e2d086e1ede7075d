// What the walkers of descriptions share: reaching members of a C value, and naming the place of a
// failure.
#ifndef QUORATE_CODEC_DESCRIBE_INTERNAL_H
#define QUORATE_CODEC_DESCRIBE_INTERNAL_H

#include "codec/describe.h"

// Nesting of described values that walkers follow; no type of ours comes near it.
#define DESCRIBE_MAX_DEPTH 48
// Fields of one struct, so that writers can sort them without allocating.
#define DESCRIBE_MAX_FIELDS 32

const void *member_at(const void *value, size_t offset);
void *member_at_mut(void *value, size_t offset);
// The tag of a value with variants.
uint32_t variant_tag(const void *value);
const struct variant *variant_by_index(const struct type *t, uint32_t index);

// True when the C member is a pointer to the value: optional, and neither text nor bytes.
bool field_may_be_absent(const struct field *f);
bool field_is_pointer(const struct field *f);
// True when an optional field is absent (never for others).
bool field_is_absent(const struct field *f, const void *member);
// True when a list, text or bytes has no elements.
bool value_is_empty(const void *value);
// The described value of a field that is not absent.
const void *field_value(const struct field *f, const void *member);
// Where to decode a field's value to; allocates it when the member is a pointer.
enum q_err field_prepare(const struct field *f, void *member, struct arena *a, void **out);

// Where in a message a failure happened, put together while the walker returns: "set.members[3].alias".
struct place {
    bool named;
};
enum q_err place_member(enum q_err err, struct place *p, const char *name);
enum q_err place_element(enum q_err err, struct place *p, size_t index);

enum q_err check_depth(const struct type *t, unsigned depth);
enum q_err check_limit(const struct type *t, size_t n); // against the type's own limit

#endif
