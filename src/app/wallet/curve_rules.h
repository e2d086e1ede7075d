// What each curve does in its own way: one table of functions per curve. Private to app/wallet.
#ifndef QUORATE_APP_WALLET_CURVE_RULES_H
#define QUORATE_APP_WALLET_CURVE_RULES_H

#include "app/wallet/curve.h"
#include "app/wallet/transaction.h"

struct curve_rules {
    const char *name;
    const char *master_label; // the HMAC key that makes the master key
    size_t public_size;
    bool hardened_only;
    bool hashes_again; // SLIP-0010: where a key is out of range, hash again; BIP32: refuse
    // Whether private is a key of the curve.
    enum q_err (*fits)(const uint8_t private[static WALLET_PRIVATE_SIZE], bool *fits);
    // sum = left + parent mod n; fits: left < n and sum != 0. NULL where the child is left itself.
    enum q_err (*add)(const uint8_t left[static WALLET_PRIVATE_SIZE],
                      const uint8_t parent[static WALLET_PRIVATE_SIZE],
                      uint8_t sum[static WALLET_PRIVATE_SIZE], bool *fits);
    enum q_err (*public_key)(const uint8_t private[static WALLET_PRIVATE_SIZE],
                             uint8_t out[static WALLET_PUBLIC_MAX]);
    enum q_err (*check_public)(struct bytes public_key);
    // The signature, verified; out->public_key is filled in by the caller before.
    enum q_err (*sign)(const uint8_t private[static WALLET_PRIVATE_SIZE], enum signed_as as,
                       struct bytes message, struct wallet_signature *out);
};

extern const struct curve_rules curve_rules_secp256k1, curve_rules_ed25519, curve_rules_p256;

const struct curve_rules *curve_rules_of(enum wallet_curve curve);

#endif
