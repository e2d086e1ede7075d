// The command-line grammar all programs share (qos-behaviour 0.3): "--name" and "--name value", any
// order, no "=". A program describes its options in one table; parsing, constraints and --help read it.
#ifndef QUORATE_BASE_OPTIONS_H
#define QUORATE_BASE_OPTIONS_H

#include "base/bytes.h"

enum option_kind {
    OPTION_FLAG,  // present or not
    OPTION_VALUE, // takes the next word, which may not begin with "--"
};

struct option {
    const char *name; // without the dashes
    enum option_kind kind;
    bool required, multiple;
    const char *fallback;  // value when absent or given without one; NULL: none
    const char *requires_; // names of other options, comma separated, that must be given too
    const char *forbids;   // names of other options, comma separated, that must not be given
    const char *help;      // one line
    bool ignored;          // of an older release: accepted with a warning, without effect
};

#define OPTIONS_MAX 64
#define OPTION_VALUES_MAX 512

struct options {
    const struct option *table;
    size_t count;
    bool help, version;
    bool given[OPTIONS_MAX];
    const char *value[OPTIONS_MAX];        // of OPTION_VALUE; the first one when multiple
    const char *values[OPTION_VALUES_MAX]; // of the (one) multiple option
    size_t values_count;
};

// words: argv after the program or command name. On failure the sentence is the original's Display text
// ("argument port is required but was not found"). --help, then --version, win over everything else.
enum q_err options_parse(const struct option *table, size_t count, int words_count,
                         char *const *words, struct options *out);
bool options_given(const struct options *o, const char *name);
// The value, its fallback, or NULL.
const char *options_value(const struct options *o, const char *name);
// Q_BAD_INPUT "--port: expected a number from 1 to 65535, found x".
enum q_err options_u32(const struct options *o, const char *name, uint32_t lowest, uint32_t highest,
                       uint32_t *out);
// "true" or "false"; false when it has no value. Q_BAD_INPUT for anything else.
enum q_err options_bool(const struct options *o, const char *name, bool *out);
// "Required CLI inputs:" and "Optional CLI inputs:" blocks (qos-behaviour 0.3).
enum q_err options_help(const struct option *table, size_t count, struct buf *out);

#endif
