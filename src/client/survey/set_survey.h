// A set folder as it is, faults and all: for commands that tell people about their folders, where
// set_directory.h refuses at the first fault (qos-behaviour 1.3).
#ifndef QUORATE_CLIENT_SET_SURVEY_H
#define QUORATE_CLIENT_SET_SURVEY_H

#include "base/arena.h"
#include "protocol/types.h"

struct set_entry {
    const char *path;
    struct member member; // the key is absent when there is a problem
    struct bytes problem; // p == NULL: none
};

struct set_survey {
    const char *folder;
    bool quorum_key_here;           // quorum_key.pub, which is nobody's key and counts as no entry
    uint32_t threshold;             // 0 when there is a problem with it
    struct bytes threshold_problem; // p == NULL: none
    LIST_OF(struct set_entry) entries; // sorted by alias, then key
};

// Fails when the folder cannot be listed.
enum q_err set_survey_read(const char *folder, struct arena *a, struct set_survey *out);
// The members whose keys are good.
enum q_err set_survey_members(const struct set_survey *s, struct arena *a, struct member_set *out);

#endif
