// Small text files that people write by hand: the role behind PCR3, the pivot hash, the
// measurements of a release (qos-behaviour 1.3). A carriage return before a line's end and blank
// lines after the last one are tolerated, nothing else is.
#ifndef QUORATE_CLIENT_TEXT_FILE_H
#define QUORATE_CLIENT_TEXT_FILE_H

#include "base/arena.h"
#include "crypto/hash.h"

// The one line of a file; refuses an empty one and a second line that is not blank.
enum q_err text_file_line(struct bytes file, const char *path, struct bytes *line);

// --pcr3-preimage-path: a role, without white space at its ends.
enum q_err role_parse(struct bytes file, const char *path, struct bytes *out);
enum q_err role_read(const char *path, struct arena *a, struct bytes *out);

// --pivot-hash-path: 64 hex characters.
enum q_err pivot_hash_parse(struct bytes file, const char *path, uint8_t out[static SHA256_SIZE]);
enum q_err pivot_hash_read(const char *path, uint8_t out[static SHA256_SIZE]);

// --qos-release-dir: the file aws-x86_64.pcrs, lines "<96 hex characters> PCR<n>" for PCR0, PCR1
// and PCR2 in that order; further lines of that form are ignored. A placeholder such as
// <PCR0_VALUE> in the place of a value counts as 48 zero bytes where placeholders are accepted,
// with a warning.
#define RELEASE_PCRS 3
struct release {
    uint8_t pcrs[RELEASE_PCRS][SHA384_SIZE];
    bool placeholders;
};
enum q_err release_parse(struct bytes file, const char *path, bool accept_placeholders,
                         struct release *out);
enum q_err release_read(const char *folder, bool accept_placeholders, struct release *out);

#endif
