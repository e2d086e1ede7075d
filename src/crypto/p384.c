// ES384 signatures over the same deterministic ECDSA as P-256's (see p384.h).
#include "crypto/p384.h"
#include "crypto/ecdsa.h"

enum q_err p384_verify(struct bytes point, struct bytes message, struct bytes signature)
{
    EC_KEY_AUTO *signer = NULL;
    ECDSA_SIG_AUTO *parsed = NULL;
    TRY(ec_key_from_point(&ec_p384, point, &signer));
    TRY(ecdsa_signature_parse(&ecdsa_p384_sha384, signer, signature, &parsed));
    return ecdsa_verify(&ecdsa_p384_sha384, signer, message, parsed);
}

enum q_err p384_sign(struct bytes scalar, struct bytes message,
                     uint8_t signature[static P384_SIGNATURE_SIZE])
{
    EC_KEY_AUTO *key = NULL;
    TRY(ec_key_from_scalar(&ec_p384, scalar, &key));
    return ecdsa_sign(&ecdsa_p384_sha384, key, message, signature);
}
