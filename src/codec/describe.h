// Wire types, described once. A struct type is one table of fields, an enum with payloads one table of
// variants; Borsh, JSON (canonical and plain) and CBOR walk the same table, both ways. The descriptions of
// QuorumOS's types are in protocol/types.c.
//
// How values lie in C:
//   bool, uint16_t, uint32_t, uint64_t    numbers (JSON: number or decimal string in; canonical: string)
//   struct bytes                          text (UTF-8) and byte strings (hex in JSON), arena memory
//   uint8_t[N]                            fixed bytes (no length in Borsh)
//   LIST_OF(T)                            a list
//   T                                     a nested value; T * when optional (NULL: absent)
//   struct { uint32_t tag; union ... }    a value with variants; tag is the variant's index
// Optional text and bytes are absent when p == NULL; what is optional and neither text nor bytes is a
// pointer, also a number or a list. A decoder leaves p != NULL in every text and bytes that is there.
#ifndef QUORATE_CODEC_DESCRIBE_H
#define QUORATE_CODEC_DESCRIBE_H

#include "base/arena.h"
#include "base/bytes.h"

#include <stddef.h>

#define LIST_OF(T)                                                                                 \
    struct {                                                                                       \
        T *items;                                                                                  \
        size_t n;                                                                                  \
    }
// What every LIST_OF looks like to the walkers.
struct list {
    void *items;
    size_t n;
};

enum shape {
    SHAPE_BOOL,
    SHAPE_U16,
    SHAPE_U32,
    SHAPE_U64,
    SHAPE_TEXT,
    SHAPE_BYTES,
    SHAPE_FIXED,    // size bytes
    SHAPE_LIST,     // of element
    SHAPE_STRUCT,   // fields, a JSON object; a JSON array in field order when tuple
    SHAPE_VARIANTS, // externally tagged: "name" or {"name": payload}; Borsh: index byte
    SHAPE_TAGGED,   // internally tagged: {"<tag_name>": "name", ...fields}
    SHAPE_CUSTOM,   // the hooks do it
};

enum presence {
    FIELD_REQUIRED,
    FIELD_OPTIONAL, // JSON: omitted when absent, null read as absent; Borsh: 00 or 01 || value
    FIELD_NULLABLE, // as optional, but JSON says null when absent
    FIELD_DEFAULT,  // JSON: omitted when empty, empty when absent; Borsh: as required. For text,
                    // bytes and LIST_OF, the latter also behind hooks
};

struct type;

struct field {
    const char *name; // JSON and CBOR key
    const struct type *type;
    size_t offset;
    enum presence presence;
};

struct variant {
    const char *name;        // JSON name; NULL: this variant has no JSON form
    uint8_t index;           // Borsh index, and the value of tag
    const struct type *type; // payload, NULL when there is none
};

// Hooks of SHAPE_CUSTOM. value points at the C value. A NULL hook: no such form (an error that says so).
struct json_t; // jansson
struct json_writer;
struct type_hooks {
    enum q_err (*borsh_encode)(const void *value, struct buf *out);
    enum q_err (*borsh_decode)(struct reader *in, struct arena *a, void *value);
    enum q_err (*json_encode)(const void *value, struct json_writer *w);
    enum q_err (*json_decode)(const struct json_t *in, struct arena *a, void *value);
};

struct type {
    const char *name; // in errors
    enum shape shape;
    size_t size;  // sizeof the C value
    size_t limit; // most bytes or elements accepted when decoding; 0: the codec's own bound
    const struct type *element;     // SHAPE_LIST
    const struct field *fields;     // SHAPE_STRUCT
    const struct variant *variants; // SHAPE_VARIANTS, SHAPE_TAGGED
    size_t count;                   // of fields or variants
    size_t payload_offset;          // of the union in a value with variants
    const char *tag_name;           // SHAPE_TAGGED
    bool tuple;                     // SHAPE_STRUCT: a JSON array
    bool closed;                    // SHAPE_STRUCT: unknown JSON fields are refused
    bool numbers;                   // SHAPE_BYTES: in JSON an array of integers from 0 to 255
    bool camel_too;                 // unit variants: PascalCase written, camelCase read too
    struct type_hooks hooks;        // SHAPE_CUSTOM
};

// Rows of a field table: FIELD(struct member, alias, "alias", &type_text).
#define FIELD(S, member, key, t)                                                                   \
    {                                                                                              \
        key, t, offsetof(S, member), FIELD_REQUIRED                                                \
    }
#define FIELD_MAYBE(S, member, key, t)                                                             \
    {                                                                                              \
        key, t, offsetof(S, member), FIELD_OPTIONAL                                                \
    }
#define FIELD_OR_NULL(S, member, key, t)                                                           \
    {                                                                                              \
        key, t, offsetof(S, member), FIELD_NULLABLE                                                \
    }
#define FIELD_OR_EMPTY(S, member, key, t)                                                          \
    {                                                                                              \
        key, t, offsetof(S, member), FIELD_DEFAULT                                                 \
    }

// Whole descriptions; further members may follow: {STRUCT(struct dns, "dns", dns_fields), .closed = true}.
#define STRUCT(S, label, table)                                                                    \
    .name = label, .shape = SHAPE_STRUCT, .size = sizeof(S), .fields = table,                      \
    .count = sizeof table / sizeof table[0]
#define VARIANTS(S, first_payload, label, table)                                                   \
    .name = label, .shape = SHAPE_VARIANTS, .size = sizeof(S), .variants = table,                  \
    .count = sizeof table / sizeof table[0], .payload_offset = offsetof(S, first_payload)
#define UNITS(S, label, table)                                                                     \
    .name = label, .shape = SHAPE_VARIANTS, .size = sizeof(S), .variants = table,                  \
    .count = sizeof table / sizeof table[0], .payload_offset = sizeof(S)
#define TAGGED(S, first_payload, label, key, table)                                                \
    .name = label, .shape = SHAPE_TAGGED, .size = sizeof(S), .variants = table,                    \
    .count = sizeof table / sizeof table[0], .payload_offset = offsetof(S, first_payload),         \
    .tag_name = key
#define LIST(label, t) .name = label, .shape = SHAPE_LIST, .size = sizeof(struct list), .element = t
#define FIXED(label, n) .name = label, .shape = SHAPE_FIXED, .size = n

extern const struct type type_bool, type_u16, type_u32, type_u64, type_text, type_bytes,
    type_byte_array; // bytes that JSON writes as numbers

// Checks a description and everything below it: offsets inside the size and not overlapping, unique
// names and indices, payloads that fit, C sizes that match their shapes. For the tests.
enum q_err type_check(const struct type *t);

#endif
