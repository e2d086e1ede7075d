// The folder of one resharing: every file of the ceremony under its fixed name, so that members pass the
// folder on and type its name alone (docs/resharing.md). There is never a secret in it.
#ifndef QUORATE_CLIENT_RESHARE_FOLDER_H
#define QUORATE_CLIENT_RESHARE_FOLDER_H

#include "client/output.h"
#include "protocol/reshare.h"

#define OPTION_RESHARE_DIR OPTION_REQUIRED("reshare-dir", "Folder with the files of this resharing")
#define RESHARE_APPROVAL_SUFFIX ".reshare_approval"
#define RESHARE_SHARE_SUFFIX ".reshare_share"
#define RESHARE_DESTROYED_SUFFIX ".share_destroyed"

struct reshare_paths {
    const char *folder;
    const char *plan, *document, *output, *output_document, *quorum_key, *wrapped_key;
};
enum q_err reshare_paths_in(const char *folder, struct arena *a, struct reshare_paths *out);
// "<folder>/<alias><suffix>"; refuses an alias that cannot be part of a file name.
enum q_err reshare_member_path(const struct reshare_paths *p, struct bytes alias,
                               const char *suffix, struct arena *a, const char **out);

// A plan with its hash, checked (reshare_plan_check).
struct planned {
    struct reshare_plan plan;
    uint8_t hash[SHA256_SIZE];
};
enum q_err reshare_plan_load(const struct reshare_paths *p, struct arena *a, struct planned *out);
// The member's place in the old share set, by alias and key.
enum q_err reshare_find_self(const struct reshare_plan *p, const struct member *me, size_t *index);
// Checked (reshare_output_check).
enum q_err reshare_output_load(const struct reshare_paths *p, struct arena *a,
                               struct reshare_output *out);
// Approvals by the manifest set. Files that cannot be read or are not for this plan are named on stderr
// and left out.
enum q_err reshare_approvals_load(const struct reshare_paths *p, const struct planned *plan,
                                  struct arena *a, struct reshare_boot_request *out);
// What a member wrapped for the enclave, with approval and binding.
enum q_err reshare_share_load(const struct reshare_paths *p, struct bytes alias, struct arena *a,
                              struct bound_provision_request *out);
enum q_err reshare_share_read(struct bytes file, struct arena *a,
                              struct bound_provision_request *out);
enum q_err reshare_share_write(const struct bound_provision_request *r, struct buf *out);

// What a folder left behind: a resharing, or else a genesis. One of the two is filled and epoch points to it.
struct previous {
    struct genesis_output genesis;
    struct reshare_output output;
    struct share_epoch epoch;
};
enum q_err previous_load(const char *folder, struct arena *a, struct previous *out);

// Stages a file that cannot be made again; one that is there already with the same contents stays as it is, so
// that a command that was killed can be run again.
enum q_err reshare_stage_lasting(struct output *out, const char *item, const char *path,
                                 struct bytes contents);

#endif
