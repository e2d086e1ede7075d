// Shamir secret sharing over GF(2^8), polynomial 0x11B, byte by byte (qos-wire 2). A share is
// x (1 byte, 1..255) || one byte per secret byte. Constant time in all secret bytes.
#ifndef QUORATE_CRYPTO_SHAMIR_H
#define QUORATE_CRYPTO_SHAMIR_H

#include "base/bytes.h"
#include "base/secret.h"

#define SHAMIR_MAX_SHARES 255

// Splits secret (>= 1 byte) into n shares of which any k rebuild it; 2 <= k <= n <= 255. out holds the n
// shares one after the other, each secret.n + 1 bytes, x = 1..n in order. Error texts carry
// "QosCrypto(Vsss(SharingMinThreshold))" and the like.
enum q_err shamir_split(struct bytes secret, unsigned n, unsigned k, struct secret *out);
// Rebuilds from count >= 2 shares of one length >= 2 with distinct non-zero x; all of them are used.
// Too few shares of a larger threshold give a wrong secret, not an error: the caller compares.
enum q_err shamir_combine(const struct bytes *shares, size_t count, struct secret *out);

#endif
