// One message of the QuorumOS protocol: decoded from JSON first, then Borsh; encoded as asked
// (qos-wire 4.3, qos-behaviour 2.3).
#ifndef QUORATE_PROTOCOL_MESSAGE_H
#define QUORATE_PROTOCOL_MESSAGE_H

#include "protocol/types.h"

#define MESSAGE_MAX_SIZE ((size_t)128 << 20)
#define MESSAGE_MAX_JSON ((size_t)64 << 20)

enum encoding { ENCODING_JSON, ENCODING_BORSH };

// What is decoded lies in arena memory, but for the application of variant 23, which stays where it is in in.
// On failure *why is OversizedPayload, LegacyGenesisNotSupported or ProtocolMsgDeserialization, and
// the recorded sentence says what was wrong with the JSON (or with the Borsh when it looked like
// Borsh).
enum q_err message_decode(struct bytes in, struct arena *a, struct message *out, enum encoding *was,
                          struct protocol_error *why);
// *why: LegacyGenesisNotSupported for Borsh genesis, InvalidMsg for what Borsh cannot say.
enum q_err message_encode(const struct message *m, enum encoding as, struct buf *out,
                          struct protocol_error *why);
// The error as one phrase for people: "LowNonce { expected: 5, actual: 3 }"; text from others is
// shown without control characters.
enum q_err protocol_error_display(const struct protocol_error *e, struct buf *out);

#endif
