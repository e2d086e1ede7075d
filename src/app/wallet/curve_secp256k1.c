// secp256k1 by libsecp256k1: keys of BIP32, Ethereum's signatures. See curve_rules.h.
#include "app/wallet/curve_rules.h"
#include "app/wallet/keccak.h"

#include "base/random.h"
#include "base/secret.h"

#include <secp256k1.h>
#include <secp256k1_recovery.h>
#include <stdio.h>
#include <string.h>

#define NOT_A_TRANSACTION 0x19 // EIP-191: the first byte of signed data that is none

// The library's own handler ends the program. Every call below looks at its result instead.
static void misuse(const char *why, void *data)
{
    (void)why;
    (void)data;
}

static void context_release(secp256k1_context **ctx)
{
    if (*ctx != NULL)
        secp256k1_context_destroy(*ctx);
}
#define CONTEXT_AUTO __attribute__((cleanup(context_release))) secp256k1_context

// A context blinded with fresh randomness, for multiplications with a secret.
static enum q_err open_context(secp256k1_context **out)
{
    SECRET_AUTO blind = {0};
    TRY(secret_new(&blind, 32));
    TRY(random_bytes(blind.p, blind.n));
    CONTEXT_AUTO *ctx = secp256k1_context_create(SECP256K1_CONTEXT_NONE);
    if (ctx == NULL)
        return fail(Q_NOMEM, "secp256k1: expected memory, found none left");
    secp256k1_context_set_illegal_callback(ctx, misuse, NULL);
    if (secp256k1_context_randomize(ctx, blind.p) != 1)
        return fail(Q_INTERNAL, "secp256k1: expected to blind a context, found a refusal");
    *out = ctx;
    ctx = NULL;
    return Q_OK;
}

static enum q_err is_key(const uint8_t private[static WALLET_PRIVATE_SIZE], bool *fits)
{
    *fits = secp256k1_ec_seckey_verify(secp256k1_context_static, private) == 1;
    return Q_OK;
}

static enum q_err add(const uint8_t left[static WALLET_PRIVATE_SIZE],
                      const uint8_t parent[static WALLET_PRIVATE_SIZE],
                      uint8_t sum[static WALLET_PRIVATE_SIZE], bool *fits)
{
    memcpy(sum, parent, WALLET_PRIVATE_SIZE);
    *fits = secp256k1_ec_seckey_tweak_add(secp256k1_context_static, sum, left) == 1;
    return Q_OK;
}

static enum q_err compress(const secp256k1_context *ctx, const secp256k1_pubkey *key,
                           uint8_t out[static WALLET_PUBLIC_MAX])
{
    size_t n = WALLET_PUBLIC_MAX;
    if (secp256k1_ec_pubkey_serialize(ctx, out, &n, key, SECP256K1_EC_COMPRESSED) != 1)
        return fail(Q_INTERNAL, "secp256k1 public key: expected it written, found a refusal");
    return Q_OK;
}

static enum q_err public_key(const uint8_t private[static WALLET_PRIVATE_SIZE],
                             uint8_t out[static WALLET_PUBLIC_MAX])
{
    CONTEXT_AUTO *ctx = NULL;
    secp256k1_pubkey key;
    TRY(open_context(&ctx));
    if (secp256k1_ec_pubkey_create(ctx, &key, private) != 1)
        return fail(Q_CRYPTO, "secp256k1 key: expected one from 1 to n - 1, found 0 or one >= n");
    return compress(ctx, &key, out);
}

static enum q_err check_public(struct bytes key)
{
    secp256k1_pubkey parsed;
    if (secp256k1_ec_pubkey_parse(secp256k1_context_static, &parsed, key.p, key.n) != 1)
        return fail(Q_CRYPTO,
                    "secp256k1 public key: expected a compressed point of the curve, found none");
    return Q_OK;
}

// What is signed: Keccak-256 of a transaction, or of a message as EIP-191's personal_sign puts it.
static enum q_err digest(enum signed_as as, struct bytes message,
                         uint8_t hash[static KECCAK256_SIZE])
{
    char head[64];
    if (as == SIGNED_AS_TRANSACTION) {
        if (message.p[0] == NOT_A_TRANSACTION)
            return fail(Q_BAD_INPUT,
                        "transaction: expected one of Ethereum, found signed data (0x19, "
                        "EIP-191), which is signed as a message");
        keccak256(&message, 1, hash);
        return Q_OK;
    }
    int n = snprintf(head, sizeof head,
                     "\x19"
                     "Ethereum Signed Message:\n%zu",
                     message.n);
    const struct bytes pieces[] = {bytes_of(head, (size_t)n), message};
    keccak256(pieces, 2, hash);
    return Q_OK;
}

// A signature that does not verify, or leads to another key, could give this one away.
static enum q_err check(const secp256k1_context *ctx,
                        const secp256k1_ecdsa_recoverable_signature *recoverable,
                        const secp256k1_ecdsa_signature *plain, const uint8_t *hash,
                        const uint8_t expected[static WALLET_PUBLIC_MAX])
{
    secp256k1_pubkey key;
    uint8_t found[WALLET_PUBLIC_MAX];
    if (secp256k1_ecdsa_recover(ctx, &key, recoverable, hash) == 1 &&
        secp256k1_ecdsa_verify(ctx, plain, hash, &key) == 1) {
        TRY(compress(ctx, &key, found));
        if (memcmp(found, expected, sizeof found) == 0)
            return Q_OK;
    }
    return fail(
        Q_INTERNAL,
        "secp256k1 signature: expected the one just made to verify, found that it does not");
}

static enum q_err sign(const uint8_t private[static WALLET_PRIVATE_SIZE], enum signed_as as,
                       struct bytes message, struct wallet_signature *out)
{
    CONTEXT_AUTO *ctx = NULL;
    secp256k1_ecdsa_recoverable_signature recoverable;
    secp256k1_ecdsa_signature plain;
    uint8_t hash[KECCAK256_SIZE];
    int id = -1;
    TRY(digest(as, message, hash));
    TRY(open_context(&ctx));
    if (secp256k1_ecdsa_sign_recoverable(ctx, &recoverable, hash, private, NULL, NULL) != 1 ||
        secp256k1_ecdsa_recoverable_signature_convert(ctx, &plain, &recoverable) != 1)
        return fail(Q_INTERNAL, "secp256k1 signature: expected one, found a refusal");
    TRY(check(ctx, &recoverable, &plain, hash, out->public_key));
    out->der_size = sizeof out->der;
    if (secp256k1_ecdsa_recoverable_signature_serialize_compact(ctx, out->compact, &id,
                                                                &recoverable) != 1 ||
        secp256k1_ecdsa_signature_serialize_der(ctx, out->der, &out->der_size, &plain) != 1)
        return fail(Q_INTERNAL, "secp256k1 signature: expected it written, found a refusal");
    out->recovery_id = (uint8_t)id;
    out->has_recovery_id = true;
    out->algorithm = "ecdsa-secp256k1-keccak256";
    return Q_OK;
}

const struct curve_rules curve_rules_secp256k1 = {
    .name = "secp256k1",
    .master_label = "Bitcoin seed",
    .public_size = WALLET_PUBLIC_MAX,
    .fits = is_key,
    .add = add,
    .public_key = public_key,
    .check_public = check_public,
    .sign = sign,
};
