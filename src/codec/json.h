// JSON: canonical (qos-wire 3: sorted keys, integers as strings, nulls dropped) and plain (declaration
// order, numbers as numbers, no white space, as serde_json writes). Parsing by jansson, after one pass
// that bounds depth and number of values.
//
// Read are: objects with their fields in any order, or arrays of all fields in their order; integers as
// JSON integers or as strings ("5", "+5", "005"); bytes as hex (base/hex.h); variants without payload as
// "name" or {"name":null}. Narrower than JSON allows, because jansson is: no NUL in an object key, and
// no number beyond 64-bit signed integers or doubles (a u64 above 9223372036854775807 is a string, as
// canonical JSON has it anyway).
#ifndef QUORATE_CODEC_JSON_H
#define QUORATE_CODEC_JSON_H

#include "codec/describe.h"

// Once, at the start of a program: seeds jansson's hash tables from the kernel, so that nobody can choose
// keys that collide, also where there is no /dev/urandom yet.
enum q_err json_start(void);

#define JSON_MAX_DEPTH 128
#define JSON_MAX_VALUES 65536

enum json_style { JSON_CANONICAL, JSON_PLAIN };

// out grows by the whole encoding, or on failure not at all.
enum q_err json_encode(const struct type *t, const void *value, enum json_style style,
                       struct buf *out);
// Whole input; refuses duplicate keys, trailing text, excess depth or count, unknown fields of closed
// types, missing fields, integers out of range, bad hex. *out is zeroed first and then points into arena
// memory alone. Errors name the place: "manifest.namespace.nonce: expected a u32, found \"x\"".
// After a failure *out is not to be used.
enum q_err json_decode(const struct type *t, struct bytes in, struct arena *a, void *out);
// The same for texts whose bytes are written as numbers, which makes many values (renclave 1.1).
enum q_err json_decode_up_to(const struct type *t, struct bytes in, size_t values_max,
                             struct arena *a, void *out);

// The same for files of which one value has one form, so that a hash of the file stands for what it says:
// refuses anything but canonical JSON with known fields.
enum q_err json_decode_canonical(const struct type *t, struct bytes in, struct arena *a, void *out);

// Depth and value count of JSON text, before it is parsed, and no integer -0 (which is an integer to
// some parsers and a float to others). Does not judge the rest of the syntax.
enum q_err json_bound(struct bytes in);
// Parses any JSON document (bounded as above). The caller releases it with json_decref; NULL on failure.
enum q_err json_parse(struct bytes in, struct json_t **out);
void json_tree_free(struct json_t *tree); // safe on NULL
enum q_err json_parse_up_to(struct bytes in, size_t values_max, struct json_t **out);
// Any parsed document in canonical form, keys in the order of their UTF-16 code units; a number that is
// no integer is an error. Appends to out, on failure nothing.
enum q_err json_canonical(const struct json_t *in, struct buf *out);
// Any tree as jansson writes it with these flags (JSON_COMPACT, ...). Appends.
enum q_err json_write_tree(const struct json_t *in, size_t flags, struct buf *out);
// SHA-256 of the canonical form is taken by the caller: codec does not know crypto.

// For hooks: what a writer can emit, and reading one described value from a parsed one (which zeroes
// *out first). In canonical style a hook sorts its own keys.
enum q_err json_write(struct json_writer *w, const struct type *t, const void *value);
enum q_err json_write_text(struct json_writer *w, struct bytes text); // a quoted string
enum q_err json_write_raw(struct json_writer *w, const char *literal);
enum json_style json_writer_style(const struct json_writer *w);
enum q_err json_read(const struct type *t, const struct json_t *in, struct arena *a, void *out);

#endif
