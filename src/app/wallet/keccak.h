// Keccak-256 as Ethereum uses it: SHA-3's sponge by nettle with the padding from before FIPS 202. Private to
// app/wallet.
#ifndef QUORATE_APP_WALLET_KECCAK_H
#define QUORATE_APP_WALLET_KECCAK_H

#include "base/bytes.h"

#define KECCAK256_SIZE 32

// Of count pieces, one behind the other.
void keccak256(const struct bytes *pieces, size_t count, uint8_t out[static KECCAK256_SIZE]);

#endif
