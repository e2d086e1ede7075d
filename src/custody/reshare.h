// Resharing: the shares of the old share set come together for a moment, and leave as shares of the new
// one, of the same key or of a new one that the old key hands over to (docs/resharing.md).
#ifndef QUORATE_CUSTODY_RESHARE_H
#define QUORATE_CUSTODY_RESHARE_H

#include "custody/shares.h"
#include "protocol/reshare.h"

// Whether this is the share that the epoch before gave to this member of the old share set, by the hash
// in the plan: what is of another epoch, or garbage, is refused by name (InvalidShare) before it is held.
enum q_err reshare_share_check(const struct reshare_plan *p, const struct held_share *posted,
                               struct protocol_error *why);

// Rebuilds the plan's quorum key (else ReconstructionErrorIncorrectPubKey), makes the shares of the new
// share set and, where the plan says so, a new key and both signatures of the hand-over. Both seeds are
// gone when the call returns. Fills shares and handover of *out, in arena memory and the plan's.
enum q_err reshare_make(const struct reshare_plan *p, const struct share_list *old, struct arena *a,
                        struct reshare_output *out, struct protocol_error *why);

#endif
