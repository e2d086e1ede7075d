// Genesis output: reading (with the legacy layout refused by name), its hash, and what a member or
// operator checks in it (qos-wire 4.2, 7.3).
#ifndef QUORATE_PROTOCOL_GENESIS_H
#define QUORATE_PROTOCOL_GENESIS_H

#include "protocol/types.h"

#define GENESIS_TEST_MESSAGE "qos-test-message"

// Borsh file. A layout of release 0.13.0 or older is refused with a sentence that says so.
enum q_err genesis_output_read(struct bytes file, struct arena *a, struct genesis_output *out);
enum q_err genesis_output_write(const struct genesis_output *g, struct buf *out);
// SHA-256 of the Borsh form: the attestation's user data.
enum q_err genesis_output_hash(const struct genesis_output *g, uint8_t out[static SHA256_SIZE]);
// The reply echoes exactly this set and DR key, and has one output per member, in order
// (GenesisOutputDoesNotMatchRequest).
enum q_err genesis_output_matches(const struct genesis_output *g, const struct genesis_set *set,
                                  struct bytes dr_key);
// The output of the member with this alias and key; Q_MISSING.
enum q_err genesis_output_find(const struct genesis_output *g, const struct member *m,
                               const struct genesis_member_output **out);

#endif
