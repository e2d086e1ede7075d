// Parameters of a query (see query.h).
#include "enclave/instance/query.h"

#include "base/hex.h"

#include <string.h>

static bool is_hex(uint8_t c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

static enum q_err decode_byte(struct bytes in, size_t *at, uint8_t *out)
{
    *out = in.p[*at] == '+' ? ' ' : in.p[*at];
    if (in.p[(*at)++] != '%')
        return Q_OK;
    if (in.n - *at < 2 || !is_hex(in.p[*at]) || !is_hex(in.p[*at + 1]))
        return fail(Q_BAD_INPUT, "query: expected two hex digits after %%, found none");
    TRY(hex_decode_fixed(bytes_of(in.p + *at, 2), out, 1));
    *at += 2;
    return Q_OK;
}

static enum q_err decode(struct bytes in, struct arena *a, struct bytes *out)
{
    void *memory;
    size_t n = 0;
    TRY(arena_alloc(a, in.n, &memory));
    uint8_t *text = memory;
    for (size_t at = 0; at < in.n; n++)
        TRY(decode_byte(in, &at, &text[n]));
    *out = bytes_of(text, n);
    return bytes_is_utf8(*out) ? Q_OK
                               : fail(Q_BAD_INPUT, "query: expected UTF-8, found other bytes");
}

// The piece up to the next separator; *rest is what follows.
static struct bytes take_until(struct bytes in, uint8_t separator, struct bytes *rest)
{
    const uint8_t *at = in.n > 0 ? memchr(in.p, separator, in.n) : NULL;
    size_t n = at != NULL ? (size_t)(at - in.p) : in.n;
    *rest = at != NULL ? bytes_of(at + 1, in.n - n - 1) : BYTES_LIT("");
    return bytes_of(in.p, n);
}

enum q_err query_parameter(struct bytes query, const char *name, struct arena *a, struct bytes *out)
{
    *out = BYTES_NONE;
    while (query.n > 0) {
        struct bytes pair = take_until(query, '&', &query), raw, key;
        TRY(decode(take_until(pair, '=', &raw), a, &key));
        if (!bytes_is(key, name))
            continue;
        if (out->p != NULL)
            return fail(Q_BAD_INPUT, "query: expected %s once, found it twice", name);
        TRY(decode(raw, a, out));
    }
    return Q_OK;
}
