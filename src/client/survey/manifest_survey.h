// The manifests, approvals and envelopes in a ceremony's folders: which manifest is the newest, and
// who approved it, or something else (qos-behaviour 1.6).
#ifndef QUORATE_CLIENT_MANIFEST_SURVEY_H
#define QUORATE_CLIENT_MANIFEST_SURVEY_H

#include "base/arena.h"
#include "protocol/manifest.h"

struct found_manifest {
    const char *path;
    struct manifest manifest;
    uint8_t hash[SHA256_SIZE];
};

enum approval_state {
    APPROVAL_VALID,      // a member's signature over the newest manifest
    APPROVAL_REPEATED,   // the same again
    APPROVAL_STALE,      // a member's, over another manifest
    APPROVAL_FOREIGN,    // of nobody in the newest manifest's set
    APPROVAL_UNKNOWN,    // there is no manifest to compare it with
    APPROVAL_UNREADABLE, // no approval at all
};
#define APPROVAL_STATE_COUNT 6
extern const char *const approval_state_names[APPROVAL_STATE_COUNT];

struct found_approval {
    const char *path;
    struct approval approval;
    enum approval_state state;
    const struct found_manifest *signs; // what it approves; NULL: none of those here
    struct bytes problem;               // why it is unreadable
};

struct found_envelope {
    const char *path;
    uint8_t hash[SHA256_SIZE]; // of its manifest
    struct bytes problem;      // why its approvals are not enough; p == NULL: they are
};

struct found_problem {
    const char *path;
    struct bytes why;
};

struct manifest_survey {
    LIST_OF(struct found_manifest) manifests;
    LIST_OF(struct found_approval) approvals;
    LIST_OF(struct found_envelope) envelopes;
    LIST_OF(struct found_problem) unreadable; // named like a manifest or envelope, and is none
    const struct found_manifest *newest;      // the highest nonce; NULL: no manifest
    bool rivals;                              // another manifest has that nonce and another hash
    size_t valid;                             // approvals of the newest manifest
    const struct found_envelope *ready; // of the newest manifest, with enough approvals; or NULL
};

// Of both folders (which may be one; approvals_folder may be NULL) those files that are manifests,
// envelopes or end in .approval. Fails when a folder cannot be listed.
enum q_err manifest_survey_read(const char *folder, const char *approvals_folder, struct arena *a,
                                struct manifest_survey *out);
// Whether enough members approved the newest manifest.
bool manifest_survey_reached(const struct manifest_survey *s);
// The state of this member's approval, the best there is; NULL: none.
const struct found_approval *manifest_survey_of(const struct manifest_survey *s,
                                                const struct member *m);

#endif
