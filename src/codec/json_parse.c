// JSON text to a jansson tree: first one pass that bounds what the tree can cost, then the parser.
#include "codec/json.h"

#include "base/random.h"

#include <jansson.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>

// jansson 2.14 drops a character of its input when there is no memory for it, and then stops at an assertion or
// writes past a copy it made. So a parse holds a reserve of all it could need: when memory runs out, the reserve is
// given back, the parse goes on with that, and its tree is thrown away.
static _Thread_local struct {
    void *reserve;
    bool used_up;
} memory;

// glibc maps such blocks from the system, zeroed, and without memory behind them until they are written.
#define LARGE_BLOCK ((size_t)128 << 10)
#define PAGE ((size_t)4096)

static void *fresh(size_t n)
{
    return n < LARGE_BLOCK ? malloc(n) : calloc(1, n);
}

static void *allocate(size_t n)
{
    void *p = fresh(n);
    if (p != NULL || memory.reserve == NULL)
        return p;
    free(memory.reserve);
    memory.reserve = NULL;
    memory.used_up = true;
    return fresh(n);
}

// jansson doubles its buffers. What it never wrote of a large one is read only: written, it would take memory that an
// enclave may not have left.
static void wipe_written(uint8_t *p, size_t n)
{
    for (size_t at = 0; at < n; at += PAGE) {
        size_t left = n - at < PAGE ? n - at : PAGE;
        if (!bytes_is_zero(bytes_of(p + at, left)))
            wipe(p + at, left);
    }
}

// A tree can hold what nobody else may see: its memory is zeroed before it goes back. Plain free() stays as good, for
// an application may give back with it what jansson allocated.
static void release(void *p)
{
    if (p == NULL)
        return;
    size_t n = malloc_usable_size(p);
    if (n < LARGE_BLOCK)
        wipe(p, n);
    else
        wipe_written(p, n);
    free(p);
}

enum q_err json_start(void)
{
    size_t seed;
    TRY(random_bytes((uint8_t *)&seed, sizeof seed));
    json_object_seed(seed | 1); // 0 would mean that jansson chooses
    json_set_alloc_funcs(allocate, release);
    return Q_OK;
}

// The pass. It follows strings and brackets, and counts what would become a value of the tree.
struct scan {
    struct bytes in;
    size_t at;
    size_t depth, values;
    bool after_string; // the last token was a string, which a ':' turns into a key
};

static void scan_string(struct scan *s)
{
    for (s->at++; s->at < s->in.n && s->in.p[s->at] != '"'; s->at++) {
        if (s->in.p[s->at] == '\\')
            s->at++;
    }
    s->at++;
}

static bool ends_scalar(uint8_t c)
{
    static const char marks[] = {'"', ',', ':', '[', ']', '{', '}'};
    return c <= ' ' || memchr(marks, c, sizeof marks) != NULL;
}

static enum q_err scan_scalar(struct scan *s)
{
    size_t start = s->at;
    while (s->at < s->in.n && !ends_scalar(s->in.p[s->at]))
        s->at++;
    if (bytes_is(bytes_of(s->in.p + start, s->at - start), "-0"))
        return fail(Q_BAD_INPUT, "JSON: expected an integer at offset %zu, found -0", start);
    return Q_OK;
}

static enum q_err scan_token(struct scan *s)
{
    uint8_t c = s->in.p[s->at];
    bool string = c == '"', opens = c == '[' || c == '{';
    bool scalar = !string && !ends_scalar(c);
    s->values += string || opens || scalar;
    s->values -= c == ':' && s->after_string;
    s->after_string = string;
    if (string) {
        scan_string(s);
        return Q_OK;
    }
    if (scalar)
        return scan_scalar(s);
    s->depth += opens;
    s->depth -= (c == ']' || c == '}') && s->depth > 0;
    s->at++;
    return Q_OK;
}

static enum q_err bound(struct bytes in, size_t values_max, size_t *values)
{
    struct scan s = {.in = in};
    while (s.at < in.n) {
        if (in.p[s.at] <= ' ') {
            s.at++; // white space stands between a string and its ':'
            continue;
        }
        TRY(scan_token(&s));
        if (s.depth > JSON_MAX_DEPTH)
            return fail(Q_LIMIT, "JSON: expected values nested at most %d deep, found more",
                        JSON_MAX_DEPTH);
        // One more than the limit may still turn out to be a key.
        if (s.values > values_max + (size_t)s.after_string)
            return fail(Q_LIMIT, "JSON: expected at most %zu values, found more", values_max);
    }
    if (s.values > values_max)
        return fail(Q_LIMIT, "JSON: expected at most %zu values, found more", values_max);
    *values = s.values;
    return Q_OK;
}

enum q_err json_bound(struct bytes in)
{
    size_t values;
    return bound(in, JSON_MAX_VALUES, &values);
}

// jansson's value, its place in a table and that table's growth; a text that grows by doubling and its copy.
#define VALUE_COST ((size_t)256)
#define TEXT_COST ((size_t)4)
#define LEAST_COST ((size_t)4096)

static enum q_err parse(struct bytes in, size_t values, json_error_t *why, json_t **out)
{
    const char *text = in.n == 0 ? "" : (const char *)in.p;
    if (in.n > SIZE_MAX / (2 * TEXT_COST))
        return fail(Q_LIMIT, "JSON: a text of %zu bytes is too long", in.n);
    memory.used_up = false;
    memory.reserve = malloc(in.n * TEXT_COST + values * VALUE_COST + LEAST_COST);
    if (memory.reserve == NULL)
        return fail(Q_NOMEM, "JSON: no memory for a text of %zu bytes", in.n);
    *out = json_loadb(text, in.n, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY | JSON_ALLOW_NUL, why);
    free(memory.reserve);
    memory.reserve = NULL;
    if (!memory.used_up)
        return Q_OK;
    json_decref(*out);
    *out = NULL;
    return fail(Q_NOMEM, "JSON: no memory for a text of %zu bytes", in.n);
}

enum q_err json_parse(struct bytes in, struct json_t **out)
{
    return json_parse_up_to(in, JSON_MAX_VALUES, out);
}

enum q_err json_parse_up_to(struct bytes in, size_t values_max, struct json_t **out)
{
    *out = NULL;
    size_t values;
    json_error_t why;
    TRY(bound(in, values_max, &values));
    TRY(parse(in, values, &why, out));
    if (*out != NULL)
        return Q_OK;
    if (json_error_code(&why) == json_error_numeric_overflow)
        return fail(Q_BAD_INPUT,
                    "JSON: line %d: expected numbers from -9223372036854775808 to "
                    "9223372036854775807 (larger ones as strings), found %s",
                    why.line, why.text);
    return fail(Q_BAD_INPUT, "JSON: line %d, column %d: %s", why.line, why.column, why.text);
}

void json_tree_free(struct json_t *tree)
{
    json_decref(tree);
}
