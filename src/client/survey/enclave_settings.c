// The files an enclave host is set up with (see enclave_settings.h).
#include "client/survey/enclave_settings.h"

#include "base/text.h"

#include <string.h>

const struct enclave_settings enclave_settings_default = {
    .eif_path = "/aws-x86_64.eif", .cid = 16, .memory_mib = 1024, .cpu_count = 2};

// Takes the first line off text; without its white space.
static struct bytes next_line(struct bytes *text)
{
    struct bytes line = bytes_first_line(*text);
    const uint8_t *stop = memchr(text->p, '\n', text->n);
    size_t taken = stop == NULL ? text->n : (size_t)(stop - text->p) + 1;
    *text = bytes_of(text->p + taken, text->n - taken);
    return bytes_trim(line);
}

// Splits at the first mark; false: there is none, or the line is a comment.
static bool split(struct bytes line, char mark, struct bytes *name, struct bytes *value)
{
    const uint8_t *at = line.n == 0 || line.p[0] == '#' ? NULL : memchr(line.p, mark, line.n);
    if (at == NULL)
        return false;
    size_t n = (size_t)(at - line.p);
    *name = bytes_trim(bytes_of(line.p, n));
    *value = bytes_trim(bytes_of(at + 1, line.n - n - 1));
    return true;
}

static struct bytes unquoted(struct bytes v)
{
    bool quoted = v.n >= 2 && (v.p[0] == '"' || v.p[0] == '\'') && v.p[v.n - 1] == v.p[0];
    return quoted ? bytes_of(v.p + 1, v.n - 2) : v;
}

static enum q_err refuse(struct bytes name, const char *expected, struct bytes value)
{
    return fail(Q_BAD_INPUT, "%.*s: expected %s, found \"%.*s\"", (int)name.n, (const char *)name.p,
                expected, (int)(value.n < 100 ? value.n : 100), (const char *)value.p);
}

static enum q_err read_number(struct bytes name, struct bytes value, uint32_t lowest, uint32_t *out)
{
    if (text_u32(value, out) != Q_OK || *out < lowest)
        return refuse(name, lowest > 1 ? "a number from 4" : "a number from 1", value);
    return Q_OK;
}

static enum q_err read_bool(struct bytes name, struct bytes value, bool *out)
{
    *out = bytes_is(value, "true");
    return *out || bytes_is(value, "false") ? Q_OK : refuse(name, "true or false", value);
}

static enum q_err read_path(struct bytes name, struct bytes value, struct enclave_settings *out)
{
    if (value.n == 0 || value.n >= sizeof out->eif_path || memchr(value.p, 0, value.n) != NULL)
        return refuse(name, "a path", value);
    memcpy(out->eif_path, value.p, value.n);
    out->eif_path[value.n] = '\0';
    return Q_OK;
}

enum q_err enclave_settings_read(struct bytes text, struct enclave_settings *out)
{
    struct bytes name, value;
    *out = enclave_settings_default;
    while (text.n > 0) {
        if (!split(next_line(&text), '=', &name, &value))
            continue;
        value = unquoted(value);
        if (bytes_is(name, "EIF_PATH"))
            TRY(read_path(name, value, out));
        else if (bytes_is(name, "ENCLAVE_CID"))
            TRY(read_number(name, value, 4, &out->cid));
        else if (bytes_is(name, "MEMORY_MIB"))
            TRY(read_number(name, value, 1, &out->memory_mib));
        else if (bytes_is(name, "CPU_COUNT"))
            TRY(read_number(name, value, 1, &out->cpu_count));
        else if (bytes_is(name, "DEBUG"))
            TRY(read_bool(name, value, &out->debug));
        else if (bytes_is(name, "LOGS"))
            TRY(read_bool(name, value, &out->logs));
    }
    return Q_OK;
}

static struct bytes without_comment(struct bytes v)
{
    const uint8_t *hash = v.n == 0 ? NULL : memchr(v.p, '#', v.n);
    return bytes_trim(bytes_of(v.p, hash == NULL ? v.n : (size_t)(hash - v.p)));
}

static enum q_err read_once(struct bytes name, struct bytes value, uint32_t *out)
{
    if (*out != 0)
        return refuse(name, "it once", value);
    return read_number(name, value, 1, out);
}

enum q_err allocator_settings_read(struct bytes text, struct allocator_settings *out)
{
    struct bytes name, value;
    bool pool = false;
    *out = (struct allocator_settings){0};
    while (text.n > 0) {
        if (!split(next_line(&text), ':', &name, &value))
            continue;
        value = without_comment(value);
        if (bytes_is(name, "memory_mib"))
            TRY(read_once(name, value, &out->memory_mib));
        else if (bytes_is(name, "cpu_count"))
            TRY(read_once(name, value, &out->cpu_count));
        pool = pool || bytes_is(name, "cpu_pool");
    }
    if (out->memory_mib == 0)
        return fail(Q_MISSING, "memory_mib: expected a line with it, found none");
    if (out->cpu_count == 0 && !pool)
        return fail(Q_MISSING, "cpu_count: expected a line with it or with cpu_pool, found none");
    return Q_OK;
}
