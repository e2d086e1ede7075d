// The kernel's command line (see kernel_line.h).
#include "enclave/kernel_line.h"

#include "base/text.h"

#include <string.h>

#define PREFIX "quorate."

enum name { PARENT_CID, UNFILTERED_APP, NAME_COUNT };

static const char *const names[NAME_COUNT] = {
    [PARENT_CID] = "quorate.parent_cid",
    [UNFILTERED_APP] = "quorate.unsafe_unfiltered_app",
};

static enum q_err read_number(const char *name, struct bytes text, uint64_t highest, uint32_t *out)
{
    uint64_t value = 0;
    bool well = text.n > 0 && text.n <= 10;
    for (size_t i = 0; well && i < text.n; i++) {
        well = text.p[i] >= '0' && text.p[i] <= '9';
        value = value * 10 + (uint64_t)(text.p[i] - '0');
    }
    if (!well || value > highest)
        return fail(Q_BAD_INPUT, "kernel command line: %s: expected a number up to %llu", name,
                    (unsigned long long)highest);
    *out = (uint32_t)value;
    return Q_OK;
}

static enum q_err take(enum name name, struct bytes value, struct kernel_line *out)
{
    uint32_t number = 0;
    switch (name) {
    case PARENT_CID:
        return read_number(names[name], value, UINT32_MAX - 1, &out->parent_cid);
    case UNFILTERED_APP:
        TRY(read_number(names[name], value, 1, &number));
        out->unsafe_unfiltered_app = number == 1;
        return Q_OK;
    case NAME_COUNT:
        break;
    }
    return fail(Q_INTERNAL, "kernel command line: unknown name");
}

static enum q_err read_word(struct bytes word, bool *given, struct kernel_line *out)
{
    const uint8_t *equals = memchr(word.p, '=', word.n);
    size_t n = equals == NULL ? word.n : (size_t)(equals - word.p);
    struct bytes value = equals == NULL ? BYTES_NONE : bytes_of(equals + 1, word.n - n - 1);
    for (enum name i = 0; i < NAME_COUNT; i++) {
        if (!bytes_is(bytes_of(word.p, n), names[i]))
            continue;
        if (given[i])
            return fail(Q_BAD_INPUT, "kernel command line: expected %s once, found it twice",
                        names[i]);
        given[i] = true;
        return take(i, value, out);
    }
    return fail(Q_BAD_INPUT,
                "kernel command line: expected quorate.parent_cid or "
                "quorate.unsafe_unfiltered_app, found %.*s",
                (int)(n < 100 ? n : 100), (const char *)word.p);
}

static bool ours(struct bytes word)
{
    return word.n >= sizeof PREFIX - 1 && memcmp(word.p, PREFIX, sizeof PREFIX - 1) == 0;
}

static bool is_space(uint8_t c)
{
    return c == ' ' || c == '\n' || c == '\t';
}

enum q_err kernel_line_read(struct bytes line, struct kernel_line *out)
{
    bool given[NAME_COUNT] = {false};
    *out = (struct kernel_line){.parent_cid = PARENT_CID_NITRO};
    size_t at = 0;
    while (at < line.n) {
        size_t end = at;
        while (end < line.n && !is_space(line.p[end]))
            end++;
        struct bytes word = bytes_of(line.p + at, end - at);
        if (ours(word))
            TRY(read_word(word, given, out));
        at = end + 1;
    }
    return Q_OK;
}
