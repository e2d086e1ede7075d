// Keys derived from a seed: BIP32 on secp256k1, SLIP-0010 on P-256 and ed25519 (renclave 2.7, finding 31).
#ifndef QUORATE_APP_WALLET_HD_KEY_H
#define QUORATE_APP_WALLET_HD_KEY_H

#include "app/wallet/curve.h"
#include "app/wallet/hd_path.h"

#include "base/secret.h"

#define HD_SEED_MIN 16 // bytes (BIP32)
#define HD_SEED_MAX 64

struct hd_key {
    enum wallet_curve curve;
    struct secret private_key; // WALLET_PRIVATE_SIZE bytes; ed25519: RFC 8032's seed
    uint8_t public_key[WALLET_PUBLIC_MAX];
    size_t public_size;
    // The path that was followed, in one spelling. On ed25519 every level is hardened, whatever was asked for:
    // there are no other keys.
    char effective_path[HD_PATH_TEXT_SIZE];
};

#define HD_KEY_AUTO __attribute__((cleanup(hd_key_free))) struct hd_key
void hd_key_free(struct hd_key *key);

// seed: HD_SEED_MIN to HD_SEED_MAX bytes, from mnemonic_seed(). path: see hd_path.h. A level without a key (one in
// 2^127 on secp256k1) is Q_CRYPTO, as BIP32 says; the next index has one.
enum q_err hd_derive(enum wallet_curve curve, struct bytes seed, struct bytes path,
                     struct hd_key *out);

#endif
