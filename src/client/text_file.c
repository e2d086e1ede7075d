// Reading small text files (see text_file.h).
#include "client/text_file.h"

#include "base/file.h"
#include "base/hex.h"
#include "base/log.h"
#include "client/output.h"

#include <stdio.h>
#include <string.h>

#define TEXT_FILE_MAX ((size_t)64 << 10)
#define PCRS_FILE "aws-x86_64.pcrs"
#define PCRS_COME_FROM                                                                             \
    "put the measurements of your enclave image there (`qos_core --print-pcrs` prints those of a " \
    "simulated enclave)"

// Takes the first line off rest.
static struct bytes next_line(struct bytes *rest)
{
    struct bytes line = bytes_first_line(*rest);
    const uint8_t *end = rest->n == 0 ? NULL : memchr(rest->p, '\n', rest->n);
    size_t taken = end == NULL ? rest->n : (size_t)(end - rest->p) + 1;
    *rest = bytes_of(rest->p + taken, rest->n - taken);
    if (line.n > 0 && line.p[line.n - 1] == '\r') // at the end of a file without a last newline
        line.n--;
    return line;
}

enum q_err text_file_line(struct bytes file, const char *path, struct bytes *line)
{
    struct bytes rest = file;
    *line = next_line(&rest);
    if (line->n == 0)
        return fail(Q_BAD_INPUT, "%s: expected one line, found an empty one", path);
    if (bytes_trim(rest).n > 0)
        return fail(Q_BAD_INPUT, "%s: expected one line, found more", path);
    return Q_OK;
}

enum q_err role_parse(struct bytes file, const char *path, struct bytes *out)
{
    TRY(text_file_line(file, path, out));
    if (bytes_trim(*out).n != out->n)
        return fail(Q_BAD_INPUT, "%s: expected a role without spaces around it, found some", path);
    return Q_OK;
}

enum q_err role_read(const char *path, struct arena *a, struct bytes *out)
{
    BUF_AUTO file = {0};
    struct bytes role;
    TRY(file_read(path, TEXT_FILE_MAX, &file));
    TRY(role_parse(buf_bytes(&file), path, &role));
    return arena_copy(a, role, out);
}

enum q_err pivot_hash_parse(struct bytes file, const char *path, uint8_t out[static SHA256_SIZE])
{
    struct bytes line;
    TRY(text_file_line(file, path, &line));
    return err_context(hex_decode_fixed(line, out, SHA256_SIZE), "%s: pivot hash was not 256 bits",
                       path);
}

enum q_err pivot_hash_read(const char *path, uint8_t out[static SHA256_SIZE])
{
    BUF_AUTO file = {0};
    TRY(file_read(path, TEXT_FILE_MAX, &file));
    return pivot_hash_parse(buf_bytes(&file), path, out);
}

// A line of exactly two words with one space between them.
static enum q_err two_words(struct bytes line, const char *path, struct bytes words[static 2])
{
    const uint8_t *space = line.n == 0 ? NULL : memchr(line.p, ' ', line.n);
    size_t first = space == NULL ? line.n : (size_t)(space - line.p);
    words[0] = bytes_of(line.p, first);
    words[1] = space == NULL ? BYTES_NONE : bytes_of(space + 1, line.n - first - 1);
    if (words[0].n > 0 && words[1].n > 0 && memchr(words[1].p, ' ', words[1].n) == NULL)
        return Q_OK;
    BUF_AUTO shown = {0};
    return fail(Q_BAD_INPUT,
                "%s: Not exactly 2 words in line of file: expected \"<hex> PCR<n>\", found %s",
                path, output_shown(bytes_of(line.p, line.n < 40 ? line.n : 40), &shown));
}

static bool is_placeholder(struct bytes value)
{
    return value.n >= 2 && value.p[0] == '<' && value.p[value.n - 1] == '>';
}

static enum q_err read_pcr(struct bytes value, const char *label, const char *path,
                           bool accept_placeholders, uint8_t out[static SHA384_SIZE],
                           bool *placeholder)
{
    if (!is_placeholder(value))
        return err_context(hex_decode_fixed(value, out, SHA384_SIZE), "%s: Invalid hex for %s",
                           path, label);
    BUF_AUTO shown = {0};
    if (!accept_placeholders)
        return fail(Q_BAD_INPUT,
                    "%s: Invalid hex for %s: expected 96 hex characters, found the placeholder "
                    "%s; " PCRS_COME_FROM,
                    path, label, output_shown(value, &shown));
    memset(out, 0, SHA384_SIZE);
    *placeholder = true;
    return Q_OK;
}

enum q_err release_parse(struct bytes file, const char *path, bool accept_placeholders,
                         struct release *out)
{
    *out = (struct release){0};
    struct bytes rest = file;
    unsigned i = 0;
    for (; bytes_trim(rest).n > 0; i++) {
        struct bytes words[2];
        TRY(two_words(next_line(&rest), path, words));
        if (i >= RELEASE_PCRS)
            continue;
        char label[sizeof "PCR4294967295"];
        (void)snprintf(label, sizeof label, "PCR%u", i);
        if (!bytes_is(words[1], label))
            return fail(Q_BAD_INPUT, "%s: expected %s as the label of line %u, found another", path,
                        label, i + 1);
        TRY(read_pcr(words[0], label, path, accept_placeholders, out->pcrs[i], &out->placeholders));
    }
    if (i < RELEASE_PCRS)
        return fail(Q_BAD_INPUT, "%s: expected lines for PCR0, PCR1 and PCR2, found %u lines", path,
                    i);
    return Q_OK;
}

enum q_err release_read(const char *folder, bool accept_placeholders, struct release *out)
{
    ARENA_AUTO a = {0};
    BUF_AUTO file = {0};
    const char *path;
    TRY(file_join(&a, folder, PCRS_FILE, &path));
    TRY(file_read_regular(path, TEXT_FILE_MAX, &file));
    TRY(release_parse(buf_bytes(&file), path, accept_placeholders, out));
    if (out->placeholders)
        log_warn("%s: has placeholders instead of measurements: no enclave can be verified with it",
                 path);
    return Q_OK;
}
