// Fuzzes JSON: its canonical form is byte for byte what a second writer makes of the same tree (qos-wire 3, written
// anew here: code points, UTF-16 units, a stream), and its own canonical form again; and neither the bound nor the
// parser reads outside the input.
#include "codec/json.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
    if (!holds)
        abort();
}

// One code point of text that jansson has found to be UTF-8.
static uint32_t next_code_point(const uint8_t **at)
{
    uint32_t c = *(*at)++;
    int more = c >= 0xf0 ? 3 : c >= 0xe0 ? 2 : c >= 0xc0 ? 1 : 0;
    if (more > 0)
        c &= 0x3fU >> more;
    for (; more > 0; more--)
        c = c << 6 | (*(*at)++ & 0x3fU);
    return c;
}

struct units {
    uint16_t unit[2];
    int n;
};

static struct units next_units(const uint8_t **at)
{
    uint32_t c = next_code_point(at);
    if (c < 0x10000)
        return (struct units){{(uint16_t)c}, 1};
    c -= 0x10000;
    return (struct units){{(uint16_t)(0xd800 + (c >> 10)), (uint16_t)(0xdc00 + (c & 0x3ff))}, 2};
}

static int compare_units(const void *a, const void *b)
{
    const uint8_t *x = *(const uint8_t *const *)a, *y = *(const uint8_t *const *)b;
    while (*x != 0 && *y != 0) {
        struct units u = next_units(&x), v = next_units(&y);
        if (u.unit[0] != v.unit[0])
            return u.unit[0] < v.unit[0] ? -1 : 1;
        if (u.n == 2 && u.unit[1] != v.unit[1])
            return u.unit[1] < v.unit[1] ? -1 : 1;
    }
    return *x != 0 ? 1 : *y != 0 ? -1 : 0;
}

static void write_text(FILE *out, const char *text, size_t n)
{
    (void)fputc('"', out);
    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)text[i];
        switch (c) {
        case '\b':
            (void)fputs("\\b", out);
            break;
        case '\t':
            (void)fputs("\\t", out);
            break;
        case '\n':
            (void)fputs("\\n", out);
            break;
        case '\f':
            (void)fputs("\\f", out);
            break;
        case '\r':
            (void)fputs("\\r", out);
            break;
        case '"':
        case '\\':
            (void)fprintf(out, "\\%c", c);
            break;
        default:
            (void)fprintf(out, c < 0x20 ? "\\u%04x" : "%c", c);
        }
    }
    (void)fputc('"', out);
}

static bool write_value(FILE *out, json_t *v);

static bool write_object(FILE *out, json_t *object)
{
    size_t n = 0;
    const char *key, **keys = calloc(json_object_size(object) + 1, sizeof *keys);
    json_t *value;
    bool good = true;
    if (keys == NULL)
        abort();
    json_object_foreach(object, key, value) if (!json_is_null(value)) keys[n++] = key;
    qsort(keys, n, sizeof *keys, compare_units);
    for (size_t i = 0; i < n; i++) {
        (void)fputc(i == 0 ? '{' : ',', out);
        write_text(out, keys[i], strlen(keys[i]));
        (void)fputc(':', out);
        good &= write_value(out, json_object_get(object, keys[i]));
    }
    (void)fputs(n == 0 ? "{}" : "}", out);
    free(keys);
    return good;
}

static bool write_array(FILE *out, json_t *array)
{
    size_t i;
    json_t *value;
    bool good = true;
    (void)fputc('[', out);
    json_array_foreach(array, i, value)
    {
        if (i > 0)
            (void)fputc(',', out);
        good &= write_value(out, value);
    }
    (void)fputc(']', out);
    return good;
}

// False when there is no such form: a number that is no integer.
static bool write_value(FILE *out, json_t *v)
{
    if (json_is_object(v))
        return write_object(out, v);
    if (json_is_array(v))
        return write_array(out, v);
    if (json_is_string(v))
        write_text(out, json_string_value(v), json_string_length(v));
    else if (json_is_integer(v))
        (void)fprintf(out, "\"%lld\"", (long long)json_integer_value(v));
    else
        (void)fputs(json_is_true(v) ? "true" : json_is_false(v) ? "false" : "null", out);
    return !json_is_real(v);
}

static void compare(json_t *tree, bool good, struct bytes ours)
{
    char *text = NULL;
    size_t n = 0;
    FILE *out = open_memstream(&text, &n);
    must(out != NULL);
    bool expected = write_value(out, tree);
    must(fclose(out) == 0);
    must(good == expected);
    must(!good || bytes_equal(ours, bytes_of(text, n)));
    free(text);
}

// False when in is no JSON, or has no canonical form.
static bool canonical_of(struct bytes in, struct buf *out)
{
    json_t *tree;
    if (json_parse(in, &tree) != Q_OK)
        return false;
    bool good = json_canonical(tree, out) == Q_OK;
    compare(tree, good, buf_bytes(out));
    json_decref(tree);
    return good;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    BUF_AUTO once = {0}, twice = {0};
    if (!canonical_of(bytes_of(data, size), &once))
        return 0;
    must(canonical_of(buf_bytes(&once), &twice));
    must(bytes_equal(buf_bytes(&once), buf_bytes(&twice)));
    return 0;
}
