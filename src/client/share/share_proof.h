// Whether a member's share still opens and is the one that the genesis made for them; nothing of it
// is revealed (qos-wire 2, 4.2).
#ifndef QUORATE_CLIENT_SHARE_PROOF_H
#define QUORATE_CLIENT_SHARE_PROOF_H

#include "client/member_key.h"
#include "protocol/types.h"

// *number: the share's x, 1 for the first member of the genesis. Refuses in this order: a key that
// is not this member's in the genesis, an envelope the key does not open, another length, another
// x, another hash. share: the file's contents, what: its name for errors.
enum q_err share_proof(const struct genesis_output *g, const char *alias,
                       const struct member_key *key, struct bytes share, const char *what,
                       unsigned *number);

#endif
