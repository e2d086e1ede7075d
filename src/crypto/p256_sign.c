// P-256 signatures: deterministic ECDSA over SHA-256, 64 bytes r || s (qos-wire 1.3). See p256.h.
#define OPENSSL_API_COMPAT 10101
#include "crypto/ecdsa.h"
#include "crypto/openssl_scope.h"
#include "crypto/p256_internal.h"

enum q_err p256_sign(const struct p256_pair *pair, struct bytes message,
                     uint8_t signature[static P256_SIGNATURE_SIZE])
{
    // The original cannot fail here; what can fail is memory.
    return p256_named(ecdsa_sign(&ecdsa_p256_sha256, pair->sign, message, signature),
                      P256_IO_ERROR);
}

enum q_err p256_verify(const struct p256_public *key, struct bytes message, struct bytes signature)
{
    EC_KEY_AUTO *signer = NULL;
    ECDSA_SIG_AUTO *parsed = NULL;
    TRY(p256_half(key->bytes + P256_POINT_SIZE, &signer));
    TRY(p256_named(ecdsa_signature_parse(&ecdsa_p256_sha256, signer, signature, &parsed),
                   P256_DESERIALIZE_SIGNATURE));
    return p256_named(ecdsa_verify(&ecdsa_p256_sha256, signer, message, parsed),
                      P256_SIGNATURE_VERIFICATION);
}

enum q_err p256_signature_der(struct bytes signature, struct buf *out)
{
    ECDSA_SIG_AUTO *parsed = NULL;
    EC_KEY_AUTO *curve = ec_key_new(&ec_p256);
    if (curve == NULL)
        return p256_named(openssl_failed("DER"), P256_IO_ERROR);
    TRY(p256_named(ecdsa_signature_parse(&ecdsa_p256_sha256, curve, signature, &parsed),
                   P256_DESERIALIZE_SIGNATURE));
    TRY(buf_reserve(out, P256_SIGNATURE_DER_MAX));
    uint8_t *end = out->p + out->n;
    int n = i2d_ECDSA_SIG(parsed, &end);
    if (n <= 0 || n > P256_SIGNATURE_DER_MAX)
        return p256_named(openssl_failed("DER"), P256_IO_ERROR);
    out->n += (size_t)n;
    return Q_OK;
}
