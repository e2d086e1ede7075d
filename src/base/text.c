// Text from others: safe as part of a file name, shown, quoted; decimal numbers (see text.h).
#include "base/text.h"

#include <string.h>

#define NAME_MAX_BYTES 200
#define NOT_UTF8 UINT32_MAX

// The next code point of text at *at; NOT_UTF8 (and one byte further) where there is none.
static uint32_t next_code_point(struct bytes text, size_t *at)
{
    uint8_t first = text.p[*at];
    size_t n = first < 0x80 ? 1 : first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
    size_t left = text.n - *at;
    if (n > left || !bytes_is_utf8(bytes_of(text.p + *at, n))) {
        (*at)++;
        return NOT_UTF8;
    }
    uint32_t c = n == 1 ? first : first & (0xffu >> (n + 1));
    for (size_t i = 1; i < n; i++)
        c = c << 6 | (text.p[*at + i] & 0x3fu);
    *at += n;
    return c;
}

static bool is_control(uint32_t c)
{
    return c < 0x20 || (c >= 0x7f && c <= 0x9f);
}

// Characters that reorder, join or hide their neighbours, or show nothing at all: Unicode's Bidi_Control and
// Default_Ignorable_Code_Point, line and paragraph separators, interlinear annotations.
static bool is_hidden_format(uint32_t c)
{
    static const struct {
        uint32_t first, last;
    } hidden[] = {
        {0xad, 0xad},       {0x34f, 0x34f},   {0x61c, 0x61c},     {0x115f, 0x1160},
        {0x17b4, 0x17b5},   {0x180b, 0x180f}, {0x200b, 0x200f},   {0x2028, 0x202e},
        {0x2060, 0x206f},   {0x3164, 0x3164}, {0xfe00, 0xfe0f},   {0xfeff, 0xfeff},
        {0xffa0, 0xffa0},   {0xfff0, 0xfffb}, {0x1bca0, 0x1bca3}, {0x1d173, 0x1d17a},
        {0xe0000, 0xe0fff},
    };
    bool found = false;
    for (size_t i = 0; i < sizeof hidden / sizeof *hidden; i++)
        found = found || (c >= hidden[i].first && c <= hidden[i].last);
    return found;
}

static enum q_err check_characters(const char *what, struct bytes name, bool allow_slash)
{
    for (size_t at = 0; at < name.n;) {
        size_t here = at;
        uint32_t c = next_code_point(name, &at);
        if (c == NOT_UTF8)
            return fail(Q_BAD_INPUT, "%s: expected UTF-8, found byte 0x%02x at offset %zu", what,
                        name.p[here], here);
        if (is_control(c) || is_hidden_format(c))
            return fail(Q_BAD_INPUT,
                        "%s: expected no control or bidirectional characters, found U+%04X", what,
                        (unsigned)c);
        if (c == '/' && !allow_slash)
            return fail(Q_BAD_INPUT, "%s: expected no '/', found one at offset %zu", what, here);
    }
    return Q_OK;
}

enum q_err text_check_name(const char *what, struct bytes name, bool allow_slash)
{
    if (name.n == 0)
        return fail(Q_BAD_INPUT, "%s: expected a name, found an empty one", what);
    if (name.n > NAME_MAX_BYTES)
        return fail(Q_BAD_INPUT, "%s: expected at most %d bytes, found %zu", what, NAME_MAX_BYTES,
                    name.n);
    TRY(check_characters(what, name, allow_slash));
    if (name.p[0] == '.' || memmem(name.p, name.n, "..", 2) != NULL)
        return fail(Q_BAD_INPUT, "%s: expected no leading '.' and no \"..\", found one", what);
    return Q_OK;
}

// ascii: nothing beyond ASCII as it is, either.
static enum q_err display(struct bytes text, bool ascii, struct buf *out)
{
    for (size_t at = 0; at < text.n;) {
        size_t here = at;
        uint32_t c = next_code_point(text, &at);
        if (c == NOT_UTF8)
            TRY(buf_printf(out, "\\x%02x", text.p[here]));
        else if (is_control(c) || is_hidden_format(c) || (ascii && c > 0x7f))
            TRY(buf_printf(out, "\\u{%x}", (unsigned)c));
        else
            TRY(buf_append(out, bytes_of(text.p + here, at - here)));
    }
    return Q_OK;
}

enum q_err text_display(struct bytes text, struct buf *out)
{
    return display(text, false, out);
}

enum q_err text_display_ascii(struct bytes text, struct buf *out)
{
    return display(text, true, out);
}

void text_tidy(char *text)
{
    struct bytes all = bytes_str(text);
    for (size_t at = 0; at < all.n;) {
        size_t here = at;
        uint32_t c = next_code_point(all, &at);
        if (c == NOT_UTF8 || is_control(c) || is_hidden_format(c))
            memset(text + here, '?', at - here);
    }
}

static const char *debug_escape(uint32_t c)
{
    switch (c) {
    case '"':
        return "\\\"";
    case '\\':
        return "\\\\";
    case '\n':
        return "\\n";
    case '\r':
        return "\\r";
    case '\t':
        return "\\t";
    case 0:
        return "\\0";
    default:
        return NULL;
    }
}

enum q_err text_debug(struct bytes text, struct buf *out)
{
    TRY(buf_u8(out, '"'));
    for (size_t at = 0; at < text.n;) {
        size_t here = at;
        uint32_t c = next_code_point(text, &at);
        const char *escape = debug_escape(c);
        if (escape != NULL)
            TRY(buf_append_str(out, escape));
        else
            TRY(text_display(bytes_of(text.p + here, at - here), out));
    }
    return buf_u8(out, '"');
}

enum q_err text_u64(struct bytes text, uint64_t *out)
{
    struct bytes digits = text;
    if (digits.n > 1 && digits.p[0] == '+')
        digits = bytes_of(digits.p + 1, digits.n - 1);
    uint64_t v = 0;
    bool good = digits.n > 0;
    for (size_t i = 0; i < digits.n && good; i++) {
        unsigned d = (unsigned)digits.p[i] - '0';
        good = d <= 9 && !__builtin_mul_overflow(v, 10, &v) && !__builtin_add_overflow(v, d, &v);
    }
    if (!good) {
        BUF_AUTO shown = {0};
        TRY(text_debug(bytes_of(text.p, text.n < 40 ? text.n : 40), &shown));
        return fail(Q_BAD_INPUT, "expected a decimal number, found %s", buf_text(&shown));
    }
    *out = v;
    return Q_OK;
}

enum q_err text_u32(struct bytes text, uint32_t *out)
{
    uint64_t v;
    TRY(text_u64(text, &v));
    if (v > UINT32_MAX)
        return fail(Q_BAD_INPUT, "expected a number below 4294967296, found %llu",
                    (unsigned long long)v);
    *out = (uint32_t)v;
    return Q_OK;
}
