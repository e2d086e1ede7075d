// Birth by genesis (qos-behaviour 2.5): a new quorum key that leaves as one sealed share per member and is
// gone when the call returns.
#ifndef QUORATE_CUSTODY_GENESIS_H
#define QUORATE_CUSTODY_GENESIS_H

#include "crypto/p256.h"
#include "protocol/genesis.h"
#include "protocol/refuse.h"

// Checks the set (genesis_set_check) and the DR key (InvalidP256DRKey; p == NULL: none), makes the key and
// everything of the reply but the attestation. out points into arena memory and into set and dr_key.
enum q_err genesis_make(const struct genesis_set *set, struct bytes dr_key, struct arena *a,
                        struct genesis_output *out, struct protocol_error *why);

// The same for a key that exists: all that a genesis does but make the key (custody/reshare.h).
enum q_err genesis_hand_out(const struct p256_pair *pair, const struct genesis_set *set,
                            struct bytes dr_key, struct arena *a, struct genesis_output *out,
                            struct protocol_error *why);
// The same, with all shares, one after the other as shamir_split makes them, for the caller to keep or destroy:
// genesis_held.h. On failure there may be shares in it, too.
enum q_err genesis_hand_out_keeping(const struct p256_pair *pair, const struct genesis_set *set,
                                    struct bytes dr_key, struct arena *a,
                                    struct genesis_output *out, struct secret *shares,
                                    struct protocol_error *why);

#endif
