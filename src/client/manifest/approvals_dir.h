// A folder with members' approvals: those that belong to a manifest, one a member
// (qos-behaviour 1.6, design "stale approvals").
#ifndef QUORATE_CLIENT_APPROVALS_DIR_H
#define QUORATE_CLIENT_APPROVALS_DIR_H

#include "protocol/types.h"

// Fills e->manifest_set_approvals for e->manifest. Files named *.approval that cannot be read, are
// of no member, sign another manifest, or come after one of the same member are named on stderr and
// left out.
enum q_err approvals_dir_read(const char *folder, struct arena *a, struct manifest_envelope *e);

#endif
