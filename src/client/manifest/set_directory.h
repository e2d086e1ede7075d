// A folder that describes a set of members: one <alias>.pub per member and quorum_threshold
// (qos-behaviour 1.3).
#ifndef QUORATE_CLIENT_SET_DIRECTORY_H
#define QUORATE_CLIENT_SET_DIRECTORY_H

#include "base/arena.h"
#include "protocol/types.h"

// Members sorted by alias, then key. Refuses unreadable keys, aliases that cannot be part of a file
// name, a threshold that is no number, and quorum_key.pub, which genesis wrote and which is
// nobody's key.
enum q_err set_directory_read(const char *folder, struct arena *a, struct member_set *out);
// The same as a patch set: keys alone, sorted.
enum q_err set_directory_read_patch(const char *folder, struct arena *a, struct patch_set *out);

// Whether a file of this name describes a member, and the alias then: the part before the first
// dot.
bool set_entry_is_member(const char *file_name, struct bytes *alias);
enum q_err set_threshold_parse(struct bytes file, const char *path, uint32_t *out);

// Q_REFUSED with a sentence that says where the two part: threshold, number of members, which
// member.
enum q_err member_sets_same(const struct member_set *manifest, const struct member_set *folder,
                            const char *path);
enum q_err patch_sets_same(const struct patch_set *manifest, const struct patch_set *folder,
                           const char *path);

#endif
