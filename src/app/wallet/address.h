// Addresses of public keys (renclave 2.7, finding 31): on secp256k1 Ethereum's (Keccak-256, EIP-55), on ed25519
// Solana's (base58 of the key). No network has addresses of P-256 keys; there the key itself stands for one, as 66
// lower-case hex characters, which nobody can take for an address to send money to.
#ifndef QUORATE_APP_WALLET_ADDRESS_H
#define QUORATE_APP_WALLET_ADDRESS_H

#include "app/wallet/curve.h"

#define ADDRESS_TEXT_SIZE 67 // with a NUL

// Q_CRYPTO for what is not a public key of the curve.
enum q_err address_of(enum wallet_curve curve, struct bytes public_key,
                      char out[static ADDRESS_TEXT_SIZE]);

#endif
