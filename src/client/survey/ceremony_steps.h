// The steps of a ceremony as commands with the files of this one (see ceremony.h): what
// ceremony_next.c chooses from.
#ifndef QUORATE_CLIENT_CEREMONY_STEPS_H
#define QUORATE_CLIENT_CEREMONY_STEPS_H

#include "client/survey/ceremony.h"

// Where a ceremony's files are.
struct places {
    const char *namespace_dir, *genesis_set, *share_set, *manifest_set, *patch_set, *manifests,
        *approvals, *release, *role, *pivot, *pivot_hash, *quorum_key, *document, *envelope;
    const char *host_ip, *host_port, *base_path, *root;
};

struct planner {
    const struct options *o;
    const struct survey *s;
    struct arena *a;
    struct ceremony *c; // gets the steps
    struct places at;
};

// As the options say, else as the provisioning guide names them.
enum q_err planner_start(struct planner *p);

// Each adds its steps. An alias that can be part of no file name gets none.
enum q_err step_key(struct planner *p);
enum q_err step_threshold(struct planner *p);
enum q_err step_genesis(struct planner *p);
enum q_err step_after_genesis(struct planner *p); // one a member
enum q_err step_restart(struct planner *p);
enum q_err step_manifest(struct planner *p);
enum q_err step_approvals(struct planner *p); // as many as are missing
enum q_err step_envelope(struct planner *p);
enum q_err step_boot(struct planner *p);
enum q_err step_shares(struct planner *p); // as many as are missing, and the document before them

#endif
