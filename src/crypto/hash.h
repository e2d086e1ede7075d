// SHA-2 digests (FIPS 180-4) over one or more pieces, by OpenSSL.
#ifndef QUORATE_CRYPTO_HASH_H
#define QUORATE_CRYPTO_HASH_H

#include "base/bytes.h"

#define SHA256_SIZE 32
#define SHA384_SIZE 48
#define SHA512_SIZE 64

enum q_err sha256(struct bytes in, uint8_t out[static SHA256_SIZE]);
enum q_err sha384(struct bytes in, uint8_t out[static SHA384_SIZE]);
enum q_err sha512(struct bytes in, uint8_t out[static SHA512_SIZE]);
// SHA-384(a || b): how a PCR is extended, how PCR3 is made from 48 zero bytes and a role.
enum q_err sha384_pair(struct bytes a, struct bytes b, uint8_t out[static SHA384_SIZE]);

// SHA-384 of count pieces, one behind the other: how an enclave's image is measured.
enum q_err sha384_pieces(const struct bytes *pieces, size_t count, uint8_t out[static SHA384_SIZE]);

#endif
