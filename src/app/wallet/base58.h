// Base58 with Bitcoin's alphabet, as Solana writes public keys. Private to app/wallet.
#ifndef QUORATE_APP_WALLET_BASE58_H
#define QUORATE_APP_WALLET_BASE58_H

#include "base/bytes.h"

#define BASE58_BYTES_MAX 32
#define BASE58_TEXT_SIZE 45 // 44 characters at most, and a NUL

// in: at most BASE58_BYTES_MAX bytes, public. Each leading zero byte is a '1'.
void base58_encode(struct bytes in, char out[static BASE58_TEXT_SIZE]);

#endif
