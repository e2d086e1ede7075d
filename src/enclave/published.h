// The four files an enclave leaves for its application (qos-wire 6.1; design "State changes in one place"):
// staged under temporary names, published by rename, overwritten and removed when the enclave stops or when
// a dead run left them behind.
#ifndef QUORATE_ENCLAVE_PUBLISHED_H
#define QUORATE_ENCLAVE_PUBLISHED_H

#include "base/file.h"

enum published_file {
    PUBLISHED_EPHEMERAL, // 64 hex characters, 0400, the application's
    PUBLISHED_QUORUM,    // 64 hex characters, 0400, the application's
    PUBLISHED_PIVOT,     // the application, 0500, its own
    PUBLISHED_MANIFEST,  // the envelope's storage form, 0444
};
#define PUBLISHED_COUNT 4

struct published {
    const char *paths[PUBLISHED_COUNT];
    uid_t app_uid;
};

// At start: makes missing folders (the innermost 0700 and the application's), wipes leftovers of a dead run
// (the files and their temporary names) and names each in the log.
enum q_err published_open(const struct published *p);

// A file of the four, ready to be published. Temporary files that hold a key are wiped when discarded.
struct published_stage {
    struct staged_file file;
    bool secret;
};
#define PUBLISHED_STAGE_AUTO __attribute__((cleanup(published_discard))) struct published_stage
enum q_err published_stage(const struct published *p, enum published_file which,
                           struct bytes contents, enum file_rule rule, struct published_stage *out);
// In this order, all of them or none: on failure every file is as it was and the stages are still to be
// discarded. A key that is replaced is overwritten where it lay.
enum q_err published_publish_all(struct published_stage *const *stages, size_t n);
enum q_err published_publish(struct published_stage *s); // of one
void published_discard(struct published_stage *s);

// Overwrites (keys) and removes the file; what cannot be removed is named in the log.
void published_wipe(const struct published *p, enum published_file which);
void published_wipe_all(const struct published *p);

#endif
