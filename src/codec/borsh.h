// Borsh (qos-wire, notation and decoding rules): little-endian, u32 lengths, strict. Refuses trailing
// bytes, option tags and booleans other than 0 and 1, unknown variants, and text that is not UTF-8.
#ifndef QUORATE_CODEC_BORSH_H
#define QUORATE_CODEC_BORSH_H

#include "codec/describe.h"

// Q_UNSUPPORTED where the value has no Borsh form (a manifest of version 2). out grows by the whole
// encoding, or on failure not at all.
enum q_err borsh_encode(const struct type *t, const void *value, struct buf *out);
// The whole of in, else an error; *out is zeroed first and then points into arena memory alone. Lengths
// and counts are checked against what is left before anything is allocated. Errors name the place:
// "genesis_output.set.members[2].alias: ...". After a failure *out is not to be used.
enum q_err borsh_decode(const struct type *t, struct bytes in, struct arena *a, void *out);
// One value from the reader, leaving the rest: for hooks. Zeroes *out first.
enum q_err borsh_read(const struct type *t, struct reader *in, struct arena *a, void *out);

#endif
