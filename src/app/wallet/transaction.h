// Signatures by derived keys over transactions and messages (renclave 1.3, 2.8; findings 22, 37). Each is verified
// with the public key that is returned beside it before it is released.
//
//   curve      a transaction is signed as                    a message is signed as
//   secp256k1  ECDSA over Keccak-256 of its bytes, low s     EIP-191 (personal_sign): the same over
//                                                            "\x19Ethereum Signed Message:\n" length message
//   ed25519    PureEdDSA (RFC 8032) over its bytes           PureEdDSA over its bytes
//   P-256      ECDSA over SHA-256 of its bytes               ECDSA over SHA-256 of its bytes
//
// On secp256k1 no message can be passed off as a transaction, nor a transaction as a message or as typed data:
// transactions that begin with 0x19 are refused. On the other two curves the formats have no such rule, so who
// may have a key sign messages may have it sign transactions.
#ifndef QUORATE_APP_WALLET_TRANSACTION_H
#define QUORATE_APP_WALLET_TRANSACTION_H

#include "app/wallet/curve.h"

#define WALLET_SIGNATURE_SIZE 64
#define WALLET_DER_MAX 72

enum signed_as { SIGNED_AS_TRANSACTION, SIGNED_AS_MESSAGE };

struct wallet_signature {
    uint8_t compact[WALLET_SIGNATURE_SIZE]; // r || s, big-endian; ed25519: R || S (RFC 8032)
    uint8_t der[WALLET_DER_MAX];            // the same as DER; ed25519: none
    size_t der_size;                        // 0: none
    uint8_t recovery_id;                    // 0 to 3: which key recovers from it; secp256k1 only
    bool has_recovery_id;
    uint8_t public_key[WALLET_PUBLIC_MAX];
    size_t public_size;
    const char *algorithm; // "ecdsa-secp256k1-keccak256", "ed25519", "ecdsa-p256-sha256"
};

// private_key: WALLET_PRIVATE_SIZE bytes (ed25519: RFC 8032's seed). Q_CRYPTO when it is no key of the curve,
// Q_BAD_INPUT for an empty transaction. Deterministic.
enum q_err wallet_sign(enum wallet_curve curve, struct bytes private_key, enum signed_as as,
                       struct bytes message, struct wallet_signature *out);

#endif
