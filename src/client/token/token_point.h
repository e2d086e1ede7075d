// P-256 points as tokens give them out: the attributes of a public key object (PKCS#11 v2.40,
// section 2.3.3) and X.509 certificates. All of it is from others.
#ifndef QUORATE_CLIENT_TOKEN_POINT_H
#define QUORATE_CLIENT_TOKEN_POINT_H

#include "crypto/p256.h"

// CKA_EC_PARAMS: refuses whatever is not the object identifier of P-256.
enum q_err token_curve_check(struct bytes params);
// CKA_EC_POINT: an uncompressed point as it is, or in a DER OCTET STRING. Says nothing about the curve:
// p256_public_parse does.
enum q_err token_point_parse(struct bytes attribute, uint8_t point[static P256_POINT_SIZE]);
// The key of a certificate (DER), which must be on P-256. Nothing else of the certificate is looked at.
enum q_err token_point_of_certificate(struct bytes der, uint8_t point[static P256_POINT_SIZE]);

// CKA_EC_PARAMS of P-256, and the DER OCTET STRING of a point.
struct bytes token_curve(void);
#define TOKEN_POINT_DER_SIZE (P256_POINT_SIZE + 2)
void token_point_der(const uint8_t point[static P256_POINT_SIZE],
                     uint8_t out[static TOKEN_POINT_DER_SIZE]);

#endif
