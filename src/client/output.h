// The files a command writes: all of them or none, each with the line "X written to: P". What
// cannot be made again is never replaced without --force (design "Files"; qos-wire 6.2).
#ifndef QUORATE_CLIENT_OUTPUT_H
#define QUORATE_CLIENT_OUTPUT_H

#include "base/file.h"
#include "base/options.h"

enum output_kind {
    OUTPUT_SECRET,  // 0600; never replaced without --force
    OUTPUT_LASTING, // cannot be made again; never replaced without --force
    OUTPUT_RENEWED, // a secret, 0600, that replaces one which the caller has kept under another name
    OUTPUT_REMADE,  // replaced, which is said; but not what looks like a secret, without --force
};

#define OUTPUT_MAX 256 // one per share of the largest split, and what names them

struct output_file {
    const char *item, *path; // owned by the caller until publication
    bool replaces;
    struct staged_file staged;
};

struct output {
    bool force;
    struct output_file files[OUTPUT_MAX];
    size_t n;
};
#define OUTPUT_AUTO __attribute__((cleanup(output_discard))) struct output

// Q_EXISTS when path is there and force was not given: for checks before any work is done.
enum q_err output_check(const struct output *o, const char *path);
// Writes and syncs contents under a temporary name beside path. item NULL: publication says
// nothing.
enum q_err output_stage(struct output *o, const char *item, const char *path, struct bytes contents,
                        enum output_kind kind);
// Puts all staged files in place, then prints the lines. When one cannot be, all paths are as they
// were.
enum q_err output_publish(struct output *o);
void output_discard(struct output *o);

// Text from others as people may see it (text_display). The text lives in b. Never NULL.
const char *output_shown(struct bytes text, struct buf *b);

#endif
