// The key pair that signs images, as OpenSSL's PEM files have it. Internal to eif/.
#ifndef QUORATE_TEE_EIF_SIGNING_KEY_H
#define QUORATE_TEE_EIF_SIGNING_KEY_H

#include "base/secret.h"
#include "crypto/p384.h"

// The scalar (48 bytes) of a P-384 key in PEM, not encrypted.
enum q_err signing_key_read(const struct secret *pem, struct secret *scalar);
// The point of a certificate's P-384 key. pem: one certificate, with whatever text before it.
enum q_err signing_certificate_point(struct bytes pem, const char *what,
                                     uint8_t out[static P384_POINT_SIZE]);

#endif
