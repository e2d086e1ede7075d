// Ed25519 by libsodium: keys of SLIP-0010, PureEdDSA (RFC 8032). See curve_rules.h.
#include "app/wallet/curve_rules.h"

#include "base/secret.h"

#include <sodium.h>
#include <string.h>

// Any 32 bytes are a key.
static enum q_err is_key(const uint8_t private[static WALLET_PRIVATE_SIZE], bool *fits)
{
    (void)private;
    *fits = true;
    return Q_OK;
}

static enum q_err public_key(const uint8_t private[static WALLET_PRIVATE_SIZE],
                             uint8_t out[static WALLET_PUBLIC_MAX])
{
    SECRET_AUTO pair = {0};
    TRY(secret_new(&pair, crypto_sign_SECRETKEYBYTES));
    if (crypto_sign_seed_keypair(out, pair.p, private) != 0)
        return fail(Q_INTERNAL, "ed25519 key: expected success from libsodium, found a refusal");
    return Q_OK;
}

static enum q_err check_public(struct bytes key)
{
    if (crypto_core_ed25519_is_valid_point(key.p) != 1)
        return fail(Q_CRYPTO, "ed25519 public key: expected a point of the curve, found none");
    return Q_OK;
}

static enum q_err sign(const uint8_t private[static WALLET_PRIVATE_SIZE], enum signed_as as,
                       struct bytes message, struct wallet_signature *out)
{
    (void)as;
    SECRET_AUTO pair = {0};
    uint8_t own[crypto_sign_PUBLICKEYBYTES];
    TRY(secret_new(&pair, crypto_sign_SECRETKEYBYTES));
    if (crypto_sign_seed_keypair(own, pair.p, private) != 0 ||
        crypto_sign_detached(out->compact, NULL, message.p, message.n, pair.p) != 0 ||
        crypto_sign_verify_detached(out->compact, message.p, message.n, out->public_key) != 0)
        return fail(
            Q_INTERNAL,
            "ed25519 signature: expected the one just made to verify, found that it does not");
    out->algorithm = "ed25519";
    return Q_OK;
}

const struct curve_rules curve_rules_ed25519 = {
    .name = "ed25519",
    .master_label = "ed25519 seed",
    .public_size = crypto_sign_PUBLICKEYBYTES,
    .hardened_only = true,
    .fits = is_key,
    .public_key = public_key,
    .check_public = check_public,
    .sign = sign,
};
