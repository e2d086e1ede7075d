// A quorum key's history: the genesis and every resharing since, each following from the one before
// (protocol/reshare.h). What the enclaves' documents say is checked by reshare verify alone.
#ifndef QUORATE_CLIENT_RESHARE_HISTORY_H
#define QUORATE_CLIENT_RESHARE_HISTORY_H

#include "client/reshare/reshare_folder.h"

struct resharing {
    struct reshare_paths paths;
    struct reshare_output output; // checked (reshare_output_check), and follows the one before
    struct share_epoch epoch;
    struct bytes document;
    int64_t made_s; // as the document says, which is of this very output
};
struct reshare_history {
    struct genesis_output genesis;
    struct share_epoch start;
    LIST_OF(struct resharing) resharings; // by epoch, 1 first
};

// folders: of the resharings, in any order; none is a history too.
enum q_err reshare_history_load(const char *namespace_dir, const char *const *folders, size_t n,
                                struct arena *a, struct reshare_history *out);
// The newest epoch.
const struct share_epoch *reshare_history_end(const struct reshare_history *h);

#endif
