// Hexadecimal as QuorumOS reads and writes it (qos-wire 1.6): lower case out; in: either case, an
// optional "0x", even length, below 256 Mi characters.
#ifndef QUORATE_BASE_HEX_H
#define QUORATE_BASE_HEX_H

#include "base/bytes.h"
#include "base/secret.h"

#define HEX_MAX_CHARS ((size_t)256 << 20)

enum q_err hex_encode(struct bytes in, struct buf *out);
// Appends to out. Error texts carry the original's names: LengthOne, OddLength, NonAsciiChar, ParseInt,
// ExceedsMaxLength. "+f" reads as 0f, as the original's radix parser does.
enum q_err hex_decode(struct bytes text, struct buf *out);
// Decodes exactly size bytes into out.
enum q_err hex_decode_fixed(struct bytes text, uint8_t *out, size_t size);
// Constant time in the characters; exactly 2 * size hex characters (either case), white space at both
// ends and an "0x" allowed.
enum q_err hex_decode_secret(struct bytes text, size_t size, struct secret *out);
// 2 * n lower-case characters and a NUL, constant time; out: room in locked memory for 2 * n + 1.
void hex_encode_into(struct bytes in, char *out);
// 2 * n lower-case characters into a secret of that length, constant time.
enum q_err hex_encode_secret(struct bytes in, struct secret *out);

#endif
