// CBOR (RFC 8949) for the evidence path only: strict, depth-bounded. Reads definite and indefinite maps
// and arrays, and definite strings; refuses duplicate keys, keys that are neither integers nor strings,
// floats, undefined and unknown simple values, reserved lengths, indefinite strings, text that is not
// UTF-8, counts that the input cannot hold, and anything nested deeper than CBOR_MAX_DEPTH. Heads longer
// than they need be are read. Writes definite lengths in the shortest form.
#ifndef QUORATE_CODEC_CBOR_H
#define QUORATE_CODEC_CBOR_H

#include "base/arena.h"
#include "base/bytes.h"

#define CBOR_MAX_DEPTH 8    // arrays, maps and tags inside each other
#define CBOR_MAX_ENTRIES 64 // of a map that is skipped or whose keys are kept in struct cbor_keys

enum cbor_kind {
    CBOR_UINT,
    CBOR_NEGATIVE,
    CBOR_BYTES,
    CBOR_TEXT,
    CBOR_ARRAY,
    CBOR_MAP,
    CBOR_TAG,
    CBOR_BOOL,
    CBOR_NULL,
};

// One head: kind, and its number (value, length or count; NEGATIVE: n means -1 - n; BOOL: 0 or 1).
struct cbor_item {
    enum cbor_kind kind;
    uint64_t number;     // 0 when indefinite
    bool indefinite;     // ARRAY and MAP only
    struct bytes string; // contents of BYTES and TEXT, inside the input; never p == NULL
};

// Every reading function leaves the reader where it was when it fails.
enum q_err cbor_next(struct reader *r, struct cbor_item *out);
// True (and consumed) when the next byte is the "break" that ends an indefinite array or map.
bool cbor_break(struct reader *r);
// Skips one whole item, however nested (<= CBOR_MAX_DEPTH), checking it as it goes.
enum q_err cbor_skip(struct reader *r);
enum q_err cbor_expect(struct reader *r, enum cbor_kind kind, struct cbor_item *out);

// The keys of one map that were read so far. Zero-initialise it.
struct cbor_keys {
    struct cbor_item seen[CBOR_MAX_ENTRIES];
    size_t n;
};
// The next key: an integer or a string that is not among keys yet. Q_LIMIT over CBOR_MAX_ENTRIES.
enum q_err cbor_key(struct reader *r, struct cbor_keys *keys, struct cbor_item *out);

enum q_err cbor_write_uint(struct buf *b, uint64_t v);
enum q_err cbor_write_negative(struct buf *b, uint64_t n); // -1 - n
enum q_err cbor_write_bytes(struct buf *b, struct bytes v);
enum q_err cbor_write_text(struct buf *b, struct bytes v); // refuses what is not UTF-8
enum q_err cbor_write_array(struct buf *b, uint64_t count);
enum q_err cbor_write_map(struct buf *b, uint64_t count);
enum q_err cbor_write_null(struct buf *b);
enum q_err cbor_write_bool(struct buf *b, bool v);

#endif
