// CBOR heads, strings and nested items, read strictly and written in the shortest form (RFC 8949).
#include "codec/cbor.h"

#include <inttypes.h>
#include <string.h>

enum major {
    MAJOR_UINT,
    MAJOR_NEGATIVE,
    MAJOR_BYTES,
    MAJOR_TEXT,
    MAJOR_ARRAY,
    MAJOR_MAP,
    MAJOR_TAG,
    MAJOR_SIMPLE,
};

#define INFO_1_BYTE 24 // the argument follows in 1, 2, 4 or 8 bytes from here on
#define INFO_8_BYTES 27
#define INFO_INDEFINITE 31
#define SIMPLE_FALSE 20
#define SIMPLE_TRUE 21
#define SIMPLE_NULL 22
#define SIMPLE_HALF 25
#define SIMPLE_DOUBLE 27
#define BREAK 0xff

struct head {
    enum major major;
    unsigned info;
    uint64_t argument;
};

static const char *kind_name(enum cbor_kind kind)
{
    switch (kind) {
    case CBOR_UINT:
        return "an unsigned integer";
    case CBOR_NEGATIVE:
        return "a negative integer";
    case CBOR_BYTES:
        return "a byte string";
    case CBOR_TEXT:
        return "a text";
    case CBOR_ARRAY:
        return "an array";
    case CBOR_MAP:
        return "a map";
    case CBOR_TAG:
        return "a tag";
    case CBOR_BOOL:
        return "a boolean";
    case CBOR_NULL:
        return "null";
    }
    return "an unknown kind";
}

// The argument of a head whose info says that it follows: big-endian, 1, 2, 4 or 8 bytes.
static enum q_err read_argument(struct reader *r, unsigned info, uint64_t *out)
{
    struct bytes raw;
    TRY(reader_take(r, (size_t)1 << (info - INFO_1_BYTE), &raw));
    *out = 0;
    for (size_t i = 0; i < raw.n; i++)
        *out = *out << 8 | raw.p[i];
    return Q_OK;
}

static enum q_err read_head(struct reader *r, struct head *out)
{
    uint8_t first;
    size_t at = r->at;
    TRY(reader_u8(r, &first));
    *out = (struct head){.major = (enum major)(first >> 5), .info = first & 31};
    if (out->info < INFO_1_BYTE) {
        out->argument = out->info;
        return Q_OK;
    }
    if (out->info <= INFO_8_BYTES)
        return read_argument(r, out->info, &out->argument);
    if (out->info != INFO_INDEFINITE)
        return fail(Q_BAD_INPUT,
                    "%s: expected a CBOR item at offset %zu, found reserved byte 0x%02x", r->what,
                    at, first);
    return Q_OK;
}

static enum q_err read_simple(const struct reader *r, const struct head *h, struct cbor_item *out)
{
    if (h->info == SIMPLE_FALSE || h->info == SIMPLE_TRUE) {
        out->kind = CBOR_BOOL;
        out->number = h->info == SIMPLE_TRUE;
        return Q_OK;
    }
    if (h->info == SIMPLE_NULL) {
        *out = (struct cbor_item){.kind = CBOR_NULL};
        return Q_OK;
    }
    const char *found = h->info == INFO_INDEFINITE                           ? "a break"
                        : h->info >= SIMPLE_HALF && h->info <= SIMPLE_DOUBLE ? "a float"
                                                                             : "a simple value";
    return fail(Q_BAD_INPUT, "%s: expected a CBOR item before offset %zu, found %s", r->what, r->at,
                found);
}

static enum q_err read_string(struct reader *r, const struct head *h, struct cbor_item *out)
{
    if (h->info == INFO_INDEFINITE)
        return fail(Q_BAD_INPUT, "%s: expected a string of definite length before offset %zu",
                    r->what, r->at);
    if (h->argument > reader_left(r))
        return fail(Q_BAD_INPUT, "%s: expected %" PRIu64 " bytes at offset %zu, found %zu", r->what,
                    h->argument, r->at, reader_left(r));
    size_t at = r->at;
    TRY(reader_take(r, (size_t)h->argument, &out->string));
    if (out->kind == CBOR_TEXT && !bytes_is_utf8(out->string))
        return fail(Q_BAD_INPUT, "%s: expected UTF-8 text at offset %zu", r->what, at);
    return Q_OK;
}

// Every element takes a byte or more, every entry two: a larger count cannot be true.
static enum q_err read_count(const struct reader *r, const struct head *h, struct cbor_item *out)
{
    out->indefinite = h->info == INFO_INDEFINITE;
    size_t most = reader_left(r) / (out->kind == CBOR_MAP ? 2 : 1);
    if (h->argument > most)
        return fail(
            Q_BAD_INPUT,
            "%s: expected at most %zu elements before offset %zu, found a count of %" PRIu64,
            r->what, most, r->at, h->argument);
    return Q_OK;
}

static enum q_err read_item(struct reader *r, struct cbor_item *out)
{
    struct head h;
    TRY(read_head(r, &h));
    *out = (struct cbor_item){.kind = (enum cbor_kind)h.major, .number = h.argument};
    switch (h.major) {
    case MAJOR_UINT:
    case MAJOR_NEGATIVE:
    case MAJOR_TAG:
        break;
    case MAJOR_BYTES:
    case MAJOR_TEXT:
        return read_string(r, &h, out);
    case MAJOR_ARRAY:
    case MAJOR_MAP:
        return read_count(r, &h, out);
    case MAJOR_SIMPLE:
        return read_simple(r, &h, out);
    }
    if (h.info == INFO_INDEFINITE)
        return fail(Q_BAD_INPUT, "%s: expected a CBOR item before offset %zu, found reserved byte",
                    r->what, r->at);
    return Q_OK;
}

_Static_assert(CBOR_UINT == (int)MAJOR_UINT && CBOR_TAG == (int)MAJOR_TAG,
               "kinds of items are numbered as their major types");

enum q_err cbor_next(struct reader *r, struct cbor_item *out)
{
    struct reader at = *r;
    TRY(read_item(&at, out));
    *r = at;
    return Q_OK;
}

bool cbor_break(struct reader *r)
{
    if (reader_left(r) == 0 || r->in.p[r->at] != BREAK)
        return false;
    r->at++;
    return true;
}

enum q_err cbor_expect(struct reader *r, enum cbor_kind kind, struct cbor_item *out)
{
    struct reader at = *r;
    TRY(cbor_next(&at, out));
    if (out->kind != kind)
        return fail(Q_BAD_INPUT, "%s: expected %s at offset %zu, found %s", r->what,
                    kind_name(kind), r->at, kind_name(out->kind));
    *r = at;
    return Q_OK;
}

static bool same_key(const struct cbor_item *a, const struct cbor_item *b)
{
    if (a->kind != b->kind)
        return false;
    bool string = a->kind == CBOR_BYTES || a->kind == CBOR_TEXT;
    return string ? bytes_equal(a->string, b->string) : a->number == b->number;
}

enum q_err cbor_key(struct reader *r, struct cbor_keys *keys, struct cbor_item *out)
{
    struct reader at = *r;
    TRY(cbor_next(&at, out));
    if (out->kind > CBOR_TEXT)
        return fail(Q_BAD_INPUT, "%s: expected a key (integer or string) at offset %zu, found %s",
                    r->what, r->at, kind_name(out->kind));
    for (size_t i = 0; i < keys->n; i++) {
        if (same_key(&keys->seen[i], out))
            return fail(Q_BAD_INPUT, "%s: expected each key once, found one again at offset %zu",
                        r->what, r->at);
    }
    if (keys->n == CBOR_MAX_ENTRIES)
        return fail(Q_LIMIT, "%s: expected at most %d entries in a map, found more at offset %zu",
                    r->what, CBOR_MAX_ENTRIES, r->at);
    keys->seen[keys->n++] = *out;
    *r = at;
    return Q_OK;
}

static enum q_err skip(struct reader *r, unsigned depth);

static bool at_end(struct reader *r, const struct cbor_item *container, uint64_t done)
{
    return container->indefinite ? cbor_break(r) : done == container->number;
}

static enum q_err skip_array(struct reader *r, const struct cbor_item *array, unsigned depth)
{
    for (uint64_t i = 0; !at_end(r, array, i); i++)
        TRY(skip(r, depth));
    return Q_OK;
}

static enum q_err skip_map(struct reader *r, const struct cbor_item *map, unsigned depth)
{
    struct cbor_keys keys = {0};
    struct cbor_item key;
    for (uint64_t i = 0; !at_end(r, map, i); i++) {
        TRY(cbor_key(r, &keys, &key));
        TRY(skip(r, depth));
    }
    return Q_OK;
}

// depth: of the arrays, maps and tags around this item.
static enum q_err skip(struct reader *r, unsigned depth)
{
    struct cbor_item item;
    TRY(cbor_next(r, &item));
    bool nests = item.kind == CBOR_ARRAY || item.kind == CBOR_MAP || item.kind == CBOR_TAG;
    if (!nests)
        return Q_OK;
    if (depth == CBOR_MAX_DEPTH)
        return fail(Q_LIMIT, "%s: expected at most %d levels, found more before offset %zu",
                    r->what, CBOR_MAX_DEPTH, r->at);
    if (item.kind == CBOR_ARRAY)
        return skip_array(r, &item, depth + 1);
    if (item.kind == CBOR_MAP)
        return skip_map(r, &item, depth + 1);
    return skip(r, depth + 1);
}

enum q_err cbor_skip(struct reader *r)
{
    struct reader at = *r;
    TRY(skip(&at, 0));
    *r = at;
    return Q_OK;
}

static enum q_err write_head(struct buf *b, enum major major, uint64_t argument)
{
    uint8_t first = (uint8_t)(major << 5);
    if (argument < INFO_1_BYTE)
        return buf_u8(b, (uint8_t)(first | argument));
    unsigned log2_size = argument > UINT32_MAX   ? 3
                         : argument > UINT16_MAX ? 2
                         : argument > UINT8_MAX  ? 1
                                                 : 0;
    uint8_t raw[1 + sizeof argument] = {(uint8_t)(first | (INFO_1_BYTE + log2_size))};
    size_t n = (size_t)1 << log2_size;
    for (size_t i = 0; i < n; i++)
        raw[1 + i] = (uint8_t)(argument >> (8 * (n - 1 - i)));
    return buf_append(b, bytes_of(raw, 1 + n));
}

enum q_err cbor_write_uint(struct buf *b, uint64_t v)
{
    return write_head(b, MAJOR_UINT, v);
}

enum q_err cbor_write_negative(struct buf *b, uint64_t n)
{
    return write_head(b, MAJOR_NEGATIVE, n);
}

enum q_err cbor_write_bytes(struct buf *b, struct bytes v)
{
    TRY(write_head(b, MAJOR_BYTES, v.n));
    return buf_append(b, v);
}

enum q_err cbor_write_text(struct buf *b, struct bytes v)
{
    if (!bytes_is_utf8(v))
        return fail(Q_BAD_INPUT, "CBOR text: expected UTF-8, found other bytes");
    TRY(write_head(b, MAJOR_TEXT, v.n));
    return buf_append(b, v);
}

enum q_err cbor_write_array(struct buf *b, uint64_t count)
{
    return write_head(b, MAJOR_ARRAY, count);
}

enum q_err cbor_write_map(struct buf *b, uint64_t count)
{
    return write_head(b, MAJOR_MAP, count);
}

enum q_err cbor_write_null(struct buf *b)
{
    return write_head(b, MAJOR_SIMPLE, SIMPLE_NULL);
}

enum q_err cbor_write_bool(struct buf *b, bool v)
{
    return write_head(b, MAJOR_SIMPLE, v ? SIMPLE_TRUE : SIMPLE_FALSE);
}
