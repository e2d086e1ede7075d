// ECDSA over P-384 with SHA-384 (ES384, RFC 9053): the signature of attestation documents.
#ifndef QUORATE_CRYPTO_P384_H
#define QUORATE_CRYPTO_P384_H

#include "base/bytes.h"

#define P384_SIGNATURE_SIZE 96 // r || s, big-endian
#define P384_POINT_SIZE 97
#define P384_SCALAR_SIZE 48

// point: SEC1 uncompressed, P384_POINT_SIZE bytes.
enum q_err p384_verify(struct bytes point, struct bytes message, struct bytes signature);
// Signs with a 48-byte scalar (the simulated TEE's leaf key); RFC 6979 with SHA-384, deterministic.
enum q_err p384_sign(struct bytes scalar, struct bytes message,
                     uint8_t signature[static P384_SIGNATURE_SIZE]);

#endif
