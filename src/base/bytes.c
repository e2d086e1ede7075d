// Views, readers and growable buffers (see bytes.h).
#include "base/bytes.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct bytes bytes_of(const void *p, size_t n)
{
    return (struct bytes){p, n};
}

struct bytes bytes_str(const char *text)
{
    return text == NULL ? BYTES_NONE : bytes_of(text, strlen(text));
}

bool bytes_equal(struct bytes a, struct bytes b)
{
    return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

bool bytes_is(struct bytes a, const char *text)
{
    return bytes_equal(a, bytes_str(text));
}

bool bytes_begin_with(struct bytes a, struct bytes start)
{
    return a.n >= start.n && bytes_equal(bytes_of(a.p, start.n), start);
}

int bytes_compare(struct bytes a, struct bytes b)
{
    size_t n = a.n < b.n ? a.n : b.n;
    int order = n == 0 ? 0 : memcmp(a.p, b.p, n);
    if (order != 0)
        return order;
    return (a.n > b.n) - (a.n < b.n);
}

static bool is_space(uint8_t c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

struct bytes bytes_trim(struct bytes a)
{
    while (a.n > 0 && is_space(a.p[0])) {
        a.p++;
        a.n--;
    }
    while (a.n > 0 && is_space(a.p[a.n - 1]))
        a.n--;
    return a;
}

struct bytes bytes_first_line(struct bytes a)
{
    const uint8_t *end = a.n == 0 ? NULL : memchr(a.p, '\n', a.n);
    if (end == NULL)
        return a;
    a.n = (size_t)(end - a.p);
    if (a.n > 0 && a.p[a.n - 1] == '\r')
        a.n--;
    return a;
}

bool bytes_is_zero(struct bytes a)
{
    uint8_t any = 0;
    for (size_t i = 0; i < a.n; i++)
        any |= a.p[i];
    return any == 0;
}

// Length of the UTF-8 sequence at p (at most left bytes), 0 when it is not one (RFC 3629, table 3-7 of
// the Unicode standard).
static size_t utf8_sequence(const uint8_t *p, size_t left)
{
    uint8_t first = p[0];
    if (first < 0x80)
        return 1;
    size_t n = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
    if (first < 0xc2 || first > 0xf4 || left < n)
        return 0;
    uint8_t lowest = first == 0xe0 ? 0xa0 : first == 0xf0 ? 0x90 : 0x80;
    uint8_t highest = first == 0xed ? 0x9f : first == 0xf4 ? 0x8f : 0xbf;
    if (p[1] < lowest || p[1] > highest)
        return 0;
    for (size_t i = 2; i < n; i++) {
        if ((p[i] & 0xc0) != 0x80)
            return 0;
    }
    return n;
}

bool bytes_is_utf8(struct bytes a)
{
    for (size_t i = 0; i < a.n;) {
        size_t step = utf8_sequence(a.p + i, a.n - i);
        if (step == 0)
            return false;
        i += step;
    }
    return true;
}

struct reader reader_of(struct bytes in, const char *what)
{
    return (struct reader){in, 0, what};
}

size_t reader_left(const struct reader *r)
{
    return r->in.n - r->at;
}

enum q_err reader_take(struct reader *r, size_t n, struct bytes *out)
{
    size_t left = reader_left(r);
    if (n > left)
        return fail(Q_BAD_INPUT, "%s: expected %zu bytes at offset %zu, found %zu", r->what, n,
                    r->at, left);
    // An empty value that is present keeps a pointer.
    *out = bytes_of(r->in.p == NULL ? (const uint8_t *)"" : r->in.p + r->at, n);
    r->at += n;
    return Q_OK;
}

static enum q_err take_le(struct reader *r, size_t n, uint64_t *out)
{
    struct bytes raw;
    TRY(reader_take(r, n, &raw));
    *out = 0;
    for (size_t i = n; i-- > 0;)
        *out = *out << 8 | raw.p[i];
    return Q_OK;
}

enum q_err reader_u8(struct reader *r, uint8_t *out)
{
    uint64_t v;
    TRY(take_le(r, 1, &v));
    *out = (uint8_t)v;
    return Q_OK;
}

enum q_err reader_u16le(struct reader *r, uint16_t *out)
{
    uint64_t v;
    TRY(take_le(r, 2, &v));
    *out = (uint16_t)v;
    return Q_OK;
}

enum q_err reader_u32le(struct reader *r, uint32_t *out)
{
    uint64_t v;
    TRY(take_le(r, 4, &v));
    *out = (uint32_t)v;
    return Q_OK;
}

enum q_err reader_u64le(struct reader *r, uint64_t *out)
{
    return take_le(r, 8, out);
}

enum q_err reader_end(const struct reader *r)
{
    size_t left = reader_left(r);
    if (left != 0)
        return fail(Q_BAD_INPUT, "%s: expected the end at offset %zu, found %zu more bytes",
                    r->what, r->at, left);
    return Q_OK;
}

#define BUF_FIRST 256

// A wiping buffer moves by hand, so that no copy stays behind where realloc moved from.
static void *grow(struct buf *b, size_t cap)
{
    if (!b->wipe)
        return realloc(b->p, cap);
    uint8_t *p = malloc(cap);
    if (p == NULL)
        return NULL;
    if (b->n > 0)
        memcpy(p, b->p, b->n);
    if (b->p != NULL)
        wipe(b->p, b->cap);
    free(b->p);
    return p;
}

enum q_err buf_reserve(struct buf *b, size_t more)
{
    size_t limit = b->limit == 0 ? BUF_DEFAULT_LIMIT : b->limit;
    if (more > limit || b->n > limit - more)
        return fail(Q_LIMIT, "buffer: %zu more bytes would pass its limit of %zu", more, limit);
    size_t need = b->n + more;
    if (need <= b->cap)
        return Q_OK;
    size_t cap = b->cap < BUF_FIRST ? BUF_FIRST : b->cap;
    while (cap < need)
        cap = cap > limit / 2 ? need : cap * 2;
    uint8_t *p = grow(b, cap);
    if (p == NULL)
        return fail(Q_NOMEM, "buffer: no memory for %zu bytes", cap);
    b->p = p;
    b->cap = cap;
    return Q_OK;
}

enum q_err buf_append(struct buf *b, struct bytes in)
{
    TRY(buf_reserve(b, in.n));
    if (in.n > 0)
        memcpy(b->p + b->n, in.p, in.n);
    b->n += in.n;
    return Q_OK;
}

enum q_err buf_append_str(struct buf *b, const char *text)
{
    return buf_append(b, bytes_str(text));
}

static enum q_err append_le(struct buf *b, uint64_t v, size_t n)
{
    TRY(buf_reserve(b, n));
    for (size_t i = 0; i < n; i++)
        b->p[b->n++] = (uint8_t)(v >> (8 * i));
    return Q_OK;
}

enum q_err buf_u8(struct buf *b, uint8_t v)
{
    return append_le(b, v, 1);
}

enum q_err buf_u16le(struct buf *b, uint16_t v)
{
    return append_le(b, v, 2);
}

enum q_err buf_u32le(struct buf *b, uint32_t v)
{
    return append_le(b, v, 4);
}

enum q_err buf_u64le(struct buf *b, uint64_t v)
{
    return append_le(b, v, 8);
}

enum q_err buf_printf(struct buf *b, const char *format, ...)
{
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int n = vsnprintf(NULL, 0, format, args);
    va_end(args);
    enum q_err err = n < 0 ? fail(Q_INTERNAL, "buffer: text that cannot be formatted")
                           : buf_reserve(b, (size_t)n + 1);
    if (err == Q_OK) {
        (void)vsnprintf((char *)b->p + b->n, (size_t)n + 1, format, again);
        b->n += (size_t)n;
    }
    va_end(again);
    return err;
}

const char *buf_text(struct buf *b)
{
    if (buf_reserve(b, 1) != Q_OK)
        return NULL;
    b->p[b->n] = '\0';
    return (const char *)b->p;
}

struct bytes buf_bytes(const struct buf *b)
{
    return b->p == NULL ? BYTES_LIT("") : bytes_of(b->p, b->n);
}

void buf_clear(struct buf *b)
{
    if (b->wipe && b->p != NULL)
        wipe(b->p, b->n);
    b->n = 0;
}

void buf_free(struct buf *b)
{
    if (b->wipe && b->p != NULL)
        wipe(b->p, b->cap);
    free(b->p);
    *b = (struct buf){.limit = b->limit, .wipe = b->wipe};
}

void wipe(void *p, size_t n)
{
    explicit_bzero(p, n);
}
