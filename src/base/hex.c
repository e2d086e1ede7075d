// Hexadecimal (see hex.h; qos-wire 1.6).
#include "base/hex.h"

#include <sodium.h>

enum q_err hex_encode(struct bytes in, struct buf *out)
{
    static const char digits[] = "0123456789abcdef";
    if (in.n > SIZE_MAX / 2)
        return fail(Q_LIMIT, "hex: %zu bytes are too many", in.n);
    TRY(buf_reserve(out, in.n * 2));
    uint8_t *p = out->p + out->n;
    for (size_t i = 0; i < in.n; i++) {
        *p++ = (uint8_t)digits[in.p[i] >> 4];
        *p++ = (uint8_t)digits[in.p[i] & 15];
    }
    out->n += in.n * 2;
    return Q_OK;
}

#define NOT_A_DIGIT 16

static unsigned digit(uint8_t c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10u;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10u;
    return NOT_A_DIGIT;
}

static struct bytes without_prefix(struct bytes text)
{
    if (text.n >= 2 && text.p[0] == '0' && text.p[1] == 'x')
        return bytes_of(text.p + 2, text.n - 2);
    return text;
}

// The checks that come before any digit is looked at, in the original's order.
static enum q_err check_shape(struct bytes text)
{
    if (text.n >= HEX_MAX_CHARS)
        return fail(Q_LIMIT, "ExceedsMaxLength: expected fewer than %zu hex characters, found %zu",
                    HEX_MAX_CHARS, text.n);
    if (text.n == 1)
        return fail(Q_BAD_INPUT,
                    "LengthOne: expected pairs of hex characters, found one character");
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] >= 0x80)
            return fail(Q_BAD_INPUT,
                        "NonAsciiChar: expected hex characters, found byte 0x%02x at offset %zu",
                        text.p[i], i);
    }
    if (text.n % 2 != 0)
        return fail(Q_BAD_INPUT, "OddLength: expected an even number of hex characters, found %zu",
                    text.n);
    return Q_OK;
}

static enum q_err decode_pair(struct bytes text, size_t at, uint8_t *out)
{
    unsigned low = digit(text.p[at + 1]);
    unsigned high = text.p[at] == '+' ? 0 : digit(text.p[at]); // "+f" is the number f
    if (high == NOT_A_DIGIT || low == NOT_A_DIGIT)
        return fail(Q_BAD_INPUT, "ParseInt: expected two hex characters at offset %zu", at);
    *out = (uint8_t)(high << 4 | low);
    return Q_OK;
}

enum q_err hex_decode(struct bytes text, struct buf *out)
{
    text = without_prefix(text);
    TRY(check_shape(text));
    TRY(buf_reserve(out, text.n / 2));
    size_t before = out->n;
    for (size_t i = 0; i < text.n; i += 2) {
        enum q_err err = decode_pair(text, i, out->p + out->n);
        if (err != Q_OK) {
            out->n = before;
            return err;
        }
        out->n++;
    }
    return Q_OK;
}

enum q_err hex_decode_fixed(struct bytes text, uint8_t *out, size_t size)
{
    text = without_prefix(text);
    TRY(check_shape(text));
    if (text.n != size * 2)
        return fail(Q_BAD_INPUT, "expected %zu hex characters, found %zu", size * 2, text.n);
    for (size_t i = 0; i < size; i++)
        TRY(decode_pair(text, 2 * i, out + i));
    return Q_OK;
}

static bool is_space(uint8_t c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

// White space that surrounds a secret of n characters. What is no more than n characters is not looked
// at: where a file ends in a line end, as it does, that is the only character compared.
static struct bytes trim_to(struct bytes text, size_t n)
{
    while (text.n > n && is_space(text.p[text.n - 1]))
        text.n--;
    while (text.n > n && is_space(text.p[0])) {
        text.p++;
        text.n--;
    }
    return text;
}

enum q_err hex_decode_secret(struct bytes text, size_t size, struct secret *out)
{
    text = trim_to(text, size * 2);
    if (text.n == size * 2 + 2)
        text = without_prefix(text); // with that length only it is no part of the secret
    if (text.n != size * 2)
        return fail(Q_BAD_INPUT, "expected %zu hex characters, found %zu", size * 2, text.n);
    TRY(secret_new(out, size));
    size_t n = 0;
    const char *end = NULL;
    int bad = sodium_hex2bin(out->p, size, (const char *)text.p, text.n, NULL, &n, &end);
    if (bad != 0 || n != size || end != (const char *)text.p + text.n) {
        secret_free(out);
        return fail(Q_BAD_INPUT, "expected %zu hex characters, found other characters among them",
                    size * 2);
    }
    return Q_OK;
}

void hex_encode_into(struct bytes in, char *out)
{
    sodium_bin2hex(out, in.n * 2 + 1, in.p, in.n);
}

enum q_err hex_encode_secret(struct bytes in, struct secret *out)
{
    // sodium_bin2hex also writes a NUL, so the guarded block has one byte more than is shown.
    TRY(secret_new(out, in.n * 2 + 1));
    hex_encode_into(in, (char *)out->p);
    out->n = in.n * 2;
    return Q_OK;
}
