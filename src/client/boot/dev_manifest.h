// The manifest of a development boot: one person for everybody, no measurements
// (qos-behaviour 1.6 dangerous-dev-boot, design "Thresholds").
#ifndef QUORATE_CLIENT_DEV_MANIFEST_H
#define QUORATE_CLIENT_DEV_MANIFEST_H

#include "crypto/p256.h"
#include "protocol/types.h"

#define DEV_SHARES 2 // all of them posted by the one member

// Version 1, of the original's values. out->pivot has restart policy and arguments already; the
// rest points to the keys or into the arena.
enum q_err dev_manifest_make(const struct p256_public *quorum, const struct p256_public *member,
                             struct bytes pivot, struct arena *a, struct manifest *out);

#endif
