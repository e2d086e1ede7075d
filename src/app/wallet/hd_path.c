// Derivation paths, read and written (see hd_path.h).
#include "app/wallet/hd_path.h"

#include <stdio.h>

static bool is_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

// One level from *at on, without its '/'; number: its place in the path, from 1.
static enum q_err parse_level(struct bytes text, size_t *at, size_t number, uint32_t *out)
{
    size_t start = *at;
    uint64_t index = 0;
    while (*at < text.n && is_digit(text.p[*at]) && index < HD_HARDENED)
        index = index * 10 + (text.p[(*at)++] - (uint64_t)'0');
    if (*at == start)
        return fail(Q_BAD_INPUT, "path: expected a decimal number at level %zu, found none",
                    number);
    if (index >= HD_HARDENED)
        return fail(Q_BAD_INPUT,
                    "path: expected a number from 0 to 2147483647 at level %zu, found a larger one",
                    number);
    if (text.p[start] == '0' && *at - start > 1)
        return fail(Q_BAD_INPUT, "path: expected no leading zeros at level %zu, found one", number);
    if (*at < text.n && (text.p[*at] == '\'' || text.p[*at] == 'h')) {
        index |= HD_HARDENED;
        (*at)++;
    }
    *out = (uint32_t)index;
    return Q_OK;
}

enum q_err hd_path_parse(struct bytes text, struct hd_path *out)
{
    *out = (struct hd_path){0};
    if (text.n == 0 || text.p[0] != 'm')
        return fail(Q_BAD_INPUT,
                    "path: expected one like m/44'/60'/0'/0/0, found no m at its start");
    for (size_t at = 1; at < text.n;) {
        if (text.p[at] != '/')
            return fail(Q_BAD_INPUT,
                        "path: expected '/' or its end at offset %zu, found byte 0x%02x", at,
                        text.p[at]);
        if (out->n == HD_PATH_LEVELS_MAX)
            return fail(Q_LIMIT, "path: expected at most %d levels, found more",
                        HD_PATH_LEVELS_MAX);
        at++;
        TRY(parse_level(text, &at, out->n + 1, &out->level[out->n]));
        out->n++;
    }
    return Q_OK;
}

void hd_path_text(const struct hd_path *path, char out[static HD_PATH_TEXT_SIZE])
{
    size_t at = 1;
    (void)snprintf(out, HD_PATH_TEXT_SIZE, "m");
    for (size_t i = 0; i < path->n; i++) {
        int n = snprintf(out + at, HD_PATH_TEXT_SIZE - at, "/%u%s",
                         (unsigned)(path->level[i] & ~HD_HARDENED),
                         (path->level[i] & HD_HARDENED) != 0 ? "'" : "");
        at += (size_t)n;
    }
}
