// HKDF with SHA-512 (RFC 5869), by OpenSSL.
#ifndef QUORATE_CRYPTO_HKDF_H
#define QUORATE_CRYPTO_HKDF_H

#include "base/bytes.h"

// Extracts with salt from key (the input keying material) and expands with info (may be empty) to n bytes,
// n <= 255 * 64. out is usually locked memory.
enum q_err hkdf_sha512(struct bytes key, struct bytes salt, struct bytes info, uint8_t *out,
                       size_t n);

#endif
