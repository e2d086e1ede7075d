// The curves of derived keys and the names that clients give them (renclave 2.7).
#ifndef QUORATE_APP_WALLET_CURVE_H
#define QUORATE_APP_WALLET_CURVE_H

#include "base/bytes.h"

enum wallet_curve { CURVE_SECP256K1, CURVE_ED25519, CURVE_P256 };

#define WALLET_PRIVATE_SIZE 32
#define WALLET_PUBLIC_MAX 33 // compressed SEC1; ed25519: 32

// In any case: CURVE_SECP256K1, secp256k1, CURVE_ED25519, ed25519, CURVE_P256, p256, P-256. Else Q_BAD_INPUT with
// these names.
enum q_err curve_parse(struct bytes name, enum wallet_curve *out);
const char *curve_name(enum wallet_curve curve); // "secp256k1", "ed25519", "P-256"
size_t curve_public_size(enum wallet_curve curve);
// Refuses a public key (of the form and size above) that is no point of the curve.
enum q_err curve_check_public(enum wallet_curve curve, struct bytes public_key);

#endif
