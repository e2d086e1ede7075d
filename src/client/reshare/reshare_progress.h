// How far a resharing has come, by the files in its folder: what reshare status shows, and what reshare destroyed
// waits for.
#ifndef QUORATE_CLIENT_RESHARE_PROGRESS_H
#define QUORATE_CLIENT_RESHARE_PROGRESS_H

#include "client/reshare/reshare_folder.h"

struct member_progress {
    const struct member *member; // of the plan
    bool done;
};
typedef LIST_OF(struct member_progress) progress_list;

struct reshare_progress {
    struct planned planned;
    progress_list approved; // manifest set
    progress_list wrapped;  // old share set: a share with an approval that holds is in the folder
    bool made;              // the output is here
    struct reshare_output output;
    progress_list taken;     // new share set: signed that the own new share opens
    progress_list destroyed; // old share set: signed that the old share is gone
};
enum q_err reshare_progress_read(const struct reshare_paths *p, int64_t now_s, struct arena *a,
                                 struct reshare_progress *out);
size_t progress_count(const progress_list *list);

#endif
