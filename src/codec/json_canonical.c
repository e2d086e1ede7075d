// Quoted strings, and any parsed document in canonical form (qos-wire 3).
#include "codec/json_internal.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

static enum q_err quote_character(uint8_t c, struct buf *out)
{
    static const char short_escapes[] = "\"\"\\\\\bb\tt\nn\ff\rr";
    for (size_t i = 0; i + 1 < sizeof short_escapes; i += 2) {
        if ((uint8_t)short_escapes[i] == c)
            return buf_printf(out, "\\%c", short_escapes[i + 1]);
    }
    return buf_printf(out, "\\u%04x", c);
}

enum q_err json_quote(struct bytes text, struct buf *out)
{
    if (!bytes_is_utf8(text))
        return fail(Q_BAD_INPUT, "JSON text: expected UTF-8, found other bytes");
    TRY(buf_u8(out, '"'));
    size_t plain = 0; // from here on nothing needed an escape
    for (size_t i = 0; i < text.n; i++) {
        uint8_t c = text.p[i];
        if (c >= 0x20 && c != '"' && c != '\\')
            continue;
        TRY(buf_append(out, bytes_of(text.p + plain, i - plain)));
        TRY(quote_character(c, out));
        plain = i + 1;
    }
    if (plain < text.n)
        TRY(buf_append(out, bytes_of(text.p + plain, text.n - plain)));
    return buf_u8(out, '"');
}

static enum q_err write_any(const json_t *in, struct buf *out, unsigned depth);

// The order of UTF-16 code units, read off UTF-8: it is that of the bytes, but for U+E000 to U+FFFF
// (first byte EE or EF), which come after everything that takes two units (first byte F0 to F4).
static int utf16_rank(uint8_t c)
{
    return c == 0xee || c == 0xef ? c + 0x10 : c;
}

static int compare_keys(const void *a, const void *b)
{
    const uint8_t *x = *(const uint8_t *const *)a, *y = *(const uint8_t *const *)b;
    while (*x != 0 && *x == *y) {
        x++;
        y++;
    }
    return utf16_rank(*x) - utf16_rank(*y);
}

static enum q_err write_member(const json_t *object, const char *key, bool first, struct buf *out,
                               unsigned depth)
{
    if (!first)
        TRY(buf_u8(out, ','));
    TRY(json_quote(bytes_str(key), out));
    TRY(buf_u8(out, ':'));
    return write_any(json_object_get(object, key), out, depth + 1);
}

// Keys of the members that are not null, sorted.
static enum q_err sorted_keys(const json_t *object, struct arena *a, const char ***out, size_t *n)
{
    void *keys;
    TRY(arena_array(a, json_object_size(object), sizeof(char *), &keys));
    *out = keys;
    *n = 0;
    // jansson's iterators take an object they do not change without const.
    json_t *walked = (json_t *)(uintptr_t)object;
    for (void *i = json_object_iter(walked); i != NULL; i = json_object_iter_next(walked, i)) {
        if (!json_is_null(json_object_iter_value(i)))
            (*out)[(*n)++] = json_object_iter_key(i);
    }
    if (*n > 1)
        qsort(keys, *n, sizeof(char *), compare_keys);
    return Q_OK;
}

static enum q_err write_object(const json_t *in, struct buf *out, unsigned depth)
{
    ARENA_AUTO a = {0};
    const char **keys;
    size_t n;
    TRY(sorted_keys(in, &a, &keys, &n));
    TRY(buf_u8(out, '{'));
    for (size_t i = 0; i < n; i++)
        TRY(write_member(in, keys[i], i == 0, out, depth));
    return buf_u8(out, '}');
}

static enum q_err write_array(const json_t *in, struct buf *out, unsigned depth)
{
    TRY(buf_u8(out, '['));
    for (size_t i = 0; i < json_array_size(in); i++) {
        if (i > 0)
            TRY(buf_u8(out, ','));
        TRY(write_any(json_array_get(in, i), out, depth + 1));
    }
    return buf_u8(out, ']');
}

static enum q_err write_any(const json_t *in, struct buf *out, unsigned depth)
{
    if (in == NULL || depth > JSON_MAX_DEPTH)
        return fail(Q_LIMIT, "JSON: expected values nested at most %d deep, found more",
                    JSON_MAX_DEPTH);
    switch (json_typeof(in)) {
    case JSON_OBJECT:
        return write_object(in, out, depth);
    case JSON_ARRAY:
        return write_array(in, out, depth);
    case JSON_STRING:
        return json_quote(bytes_of(json_string_value(in), json_string_length(in)), out);
    case JSON_INTEGER:
        return buf_printf(out, "\"%" JSON_INTEGER_FORMAT "\"", json_integer_value(in));
    case JSON_REAL:
        return fail(Q_BAD_INPUT, "JSON: expected integers only, found %g", json_real_value(in));
    case JSON_TRUE:
        return buf_append_str(out, "true");
    case JSON_FALSE:
        return buf_append_str(out, "false");
    case JSON_NULL:
        return buf_append_str(out, "null");
    }
    return fail(Q_INTERNAL, "JSON: expected a kind of value, found %d", (int)json_typeof(in));
}

enum q_err json_canonical(const struct json_t *in, struct buf *out)
{
    size_t before = out->n;
    enum q_err err = write_any(in, out, 0);
    if (err != Q_OK)
        out->n = before;
    return err;
}

enum q_err json_decode_canonical(const struct type *t, struct bytes in, struct arena *a, void *out)
{
    BUF_AUTO again = {0};
    TRY(json_decode(t, in, a, out));
    TRY(json_encode(t, out, JSON_CANONICAL, &again));
    if (bytes_equal(buf_bytes(&again), in))
        return Q_OK;
    return fail(Q_BAD_INPUT, "expected canonical JSON with known fields only, found another form");
}

static int append_text(const char *text, size_t n, void *out)
{
    return buf_append(out, bytes_of((const uint8_t *)text, n)) == Q_OK ? 0 : -1;
}

enum q_err json_write_tree(const struct json_t *in, size_t flags, struct buf *out)
{
    if (json_dump_callback(in, append_text, out, flags) != 0)
        return fail(Q_NOMEM, "JSON: no memory to write it");
    return Q_OK;
}
