// The command-line grammar of all programs (see options.h; qos-behaviour 0.3).
#include "base/options.h"

#include "base/log.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>

static bool is_option_word(const char *word)
{
    return strncmp(word, "--", 2) == 0;
}

static size_t find(const struct options *o, const char *name)
{
    for (size_t i = 0; i < o->count; i++) {
        if (strcmp(o->table[i].name, name) == 0)
            return i;
    }
    return o->count;
}

static bool word_given(int count, char *const *words, const char *name)
{
    for (int i = 0; i < count; i++) {
        if (is_option_word(words[i]) && strcmp(words[i] + 2, name) == 0)
            return true;
    }
    return false;
}

static enum q_err unexpected(const char *word)
{
    return fail(Q_BAD_INPUT, "found %s, which was not an expected argument", word);
}

static enum q_err keep_value(struct options *o, size_t at, const char *value)
{
    if (o->table[at].multiple) {
        if (o->values_count == OPTION_VALUES_MAX)
            return fail(Q_LIMIT, "argument %s: expected at most %d of them, found more",
                        o->table[at].name, OPTION_VALUES_MAX);
        o->values[o->values_count++] = value;
    }
    if (o->value[at] == NULL)
        o->value[at] = value;
    return Q_OK;
}

// One "--name" and its value; returns how many words it took.
static enum q_err take_option(struct options *o, int left, char *const *words, int *taken)
{
    size_t at = is_option_word(words[0]) ? find(o, words[0] + 2) : o->count;
    if (at == o->count)
        return unexpected(words[0]);
    const struct option *opt = &o->table[at];
    if (o->given[at] && !opt->multiple)
        return fail(Q_BAD_INPUT,
                    "found argument %s more then once, but only one instance was expected",
                    opt->name);
    o->given[at] = true;
    *taken = 1;
    if (opt->ignored)
        log_warn("--%s belongs to an older release and has no effect", opt->name);
    if (opt->kind == OPTION_FLAG)
        return Q_OK;
    if (left > 1 && !is_option_word(words[1])) {
        *taken = 2;
        return keep_value(o, at, words[1]);
    }
    if (opt->fallback == NULL)
        return fail(Q_BAD_INPUT,
                    "found argument %s, which requires a value, but no value was given", opt->name);
    return Q_OK;
}

// Calls check for each name of a comma-separated list.
static enum q_err each_name(const struct options *o, const char *names, const char *subject,
                            enum q_err (*check)(const struct options *, const char *, const char *))
{
    char name[64];
    while (names != NULL && *names != '\0') {
        size_t n = strcspn(names, ",");
        if (n >= sizeof name)
            return fail(Q_INTERNAL, "option table: name too long at %s", names);
        memcpy(name, names, n);
        name[n] = '\0';
        TRY(check(o, subject, name));
        names += n + (names[n] == ',' ? 1 : 0);
    }
    return Q_OK;
}

static enum q_err must_be_given(const struct options *o, const char *subject, const char *name)
{
    (void)subject;
    if (!options_given(o, name))
        return fail(Q_BAD_INPUT, "argument %s is required but was not found", name);
    return Q_OK;
}

static enum q_err must_be_absent(const struct options *o, const char *subject, const char *name)
{
    if (options_given(o, name))
        return fail(
            Q_BAD_INPUT,
            "arguments %s and %s are mutually exclusive and cannot be used at the same time",
            subject, name);
    return Q_OK;
}

static int by_name(const void *a, const void *b)
{
    const struct option *const *left = a, *const *right = b;
    return strcmp((*left)->name, (*right)->name);
}

static size_t sorted(const struct option *table, size_t count, const struct option **out)
{
    for (size_t i = 0; i < count; i++)
        out[i] = &table[i];
    qsort(out, count, sizeof *out, by_name);
    return count;
}

static enum q_err check_constraints(const struct options *o)
{
    const struct option *order[OPTIONS_MAX] = {NULL};
    size_t n = sorted(o->table, o->count, order);
    for (size_t i = 0; i < n; i++) {
        bool given = options_given(o, order[i]->name);
        if (order[i]->required && !given)
            return fail(Q_BAD_INPUT, "argument %s is required but was not found", order[i]->name);
        if (!given)
            continue;
        TRY(each_name(o, order[i]->requires_, order[i]->name, must_be_given));
        TRY(each_name(o, order[i]->forbids, order[i]->name, must_be_absent));
    }
    return Q_OK;
}

enum q_err options_parse(const struct option *table, size_t count, int words_count,
                         char *const *words, struct options *out)
{
    *out = (struct options){.table = table, .count = count};
    if (count > OPTIONS_MAX)
        return fail(Q_INTERNAL, "option table: %zu options are too many", count);
    out->help = word_given(words_count, words, "help");
    out->version = !out->help && word_given(words_count, words, "version");
    if (out->help || out->version)
        return Q_OK;
    for (int i = 0; i < words_count;) {
        int taken = 1;
        TRY(take_option(out, words_count - i, words + i, &taken));
        i += taken;
    }
    return check_constraints(out);
}

bool options_given(const struct options *o, const char *name)
{
    size_t at = find(o, name);
    return at < o->count && o->given[at];
}

const char *options_value(const struct options *o, const char *name)
{
    size_t at = find(o, name);
    if (at == o->count)
        return NULL;
    return o->value[at] != NULL ? o->value[at] : o->table[at].fallback;
}

enum q_err options_u32(const struct options *o, const char *name, uint32_t lowest, uint32_t highest,
                       uint32_t *out)
{
    const char *value = options_value(o, name);
    if (value == NULL)
        return fail(Q_BAD_INPUT, "argument %s is required but was not found", name);
    uint32_t v;
    if (text_u32(bytes_str(value), &v) != Q_OK || v < lowest || v > highest)
        return fail(Q_BAD_INPUT, "--%s: expected a number from %u to %u, found %s", name, lowest,
                    highest, value);
    *out = v;
    return Q_OK;
}

enum q_err options_bool(const struct options *o, const char *name, bool *out)
{
    const char *value = options_value(o, name);
    *out = value != NULL && strcmp(value, "true") == 0;
    if (value != NULL && !*out && strcmp(value, "false") != 0)
        return fail(Q_BAD_INPUT, "--%s: expected true or false, found %s", name, value);
    return Q_OK;
}

static const struct option built_in[] = {
    {.name = "help", .help = "Print this help"},
    {.name = "version", .help = "Print the version"},
};

static size_t shown_width(const struct option *o)
{
    size_t n = strlen(o->name);
    return o->kind == OPTION_VALUE ? 2 * n + strlen("--  <>") - 1 : n + 2;
}

static enum q_err help_line(const struct option *o, size_t width, struct buf *out)
{
    size_t start = out->n;
    TRY(buf_printf(out, "\t--%s", o->name));
    if (o->kind == OPTION_VALUE)
        TRY(buf_printf(out, " <%s>", o->name));
    while (out->n - start < width + 1)
        TRY(buf_u8(out, ' '));
    TRY(buf_printf(out, " %s", o->help == NULL ? "" : o->help));
    if (o->fallback != NULL)
        TRY(buf_printf(out, " [default: %s]", o->fallback));
    return buf_u8(out, '\n');
}

static enum q_err help_block(const struct option *const *order, size_t n, bool required,
                             struct buf *out)
{
    size_t width = 0;
    for (size_t i = 0; i < n; i++) {
        if (order[i]->required == required && shown_width(order[i]) > width)
            width = shown_width(order[i]);
    }
    for (size_t i = 0; i < n; i++) {
        if (order[i]->required == required)
            TRY(help_line(order[i], width, out));
    }
    return Q_OK;
}

enum q_err options_help(const struct option *table, size_t count, struct buf *out)
{
    const struct option *order[OPTIONS_MAX + 2];
    if (count > OPTIONS_MAX)
        return fail(Q_INTERNAL, "option table: %zu options are too many", count);
    for (size_t i = 0; i < count; i++)
        order[i] = &table[i];
    order[count] = &built_in[0];
    order[count + 1] = &built_in[1];
    qsort(order, count + 2, sizeof *order, by_name);
    TRY(buf_append_str(out, "Required CLI inputs:\n"));
    TRY(help_block(order, count + 2, true, out));
    TRY(buf_append_str(out, "\nOptional CLI inputs:\n"));
    return help_block(order, count + 2, false, out);
}
