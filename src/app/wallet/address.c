// Addresses (see address.h).
#include "app/wallet/address.h"
#include "app/wallet/base58.h"
#include "app/wallet/keccak.h"

#include <secp256k1.h>

#define ETHEREUM_BYTES 20
#define UNCOMPRESSED_SIZE 65

static void lower_hex(struct bytes in, char *out)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < in.n; i++) {
        *out++ = digits[in.p[i] >> 4];
        *out++ = digits[in.p[i] & 15];
    }
    *out = '\0';
}

// EIP-55: a letter is upper case where the hash of the lower-case digits has a nibble of 8 or more.
static void put_checksum(char *digits)
{
    uint8_t hash[KECCAK256_SIZE];
    const struct bytes text = bytes_of(digits, 2 * (size_t)ETHEREUM_BYTES);
    keccak256(&text, 1, hash);
    for (size_t i = 0; i < text.n; i++) {
        unsigned both = hash[i / 2], nibble = i % 2 == 0 ? both >> 4 : both & 15;
        if (nibble >= 8 && digits[i] >= 'a')
            digits[i] = (char)(digits[i] - 'a' + 'A');
    }
}

static enum q_err ethereum(struct bytes public_key, char *out)
{
    secp256k1_pubkey key;
    uint8_t point[UNCOMPRESSED_SIZE], hash[KECCAK256_SIZE];
    size_t n = sizeof point;
    if (secp256k1_ec_pubkey_parse(secp256k1_context_static, &key, public_key.p, public_key.n) !=
            1 ||
        secp256k1_ec_pubkey_serialize(secp256k1_context_static, point, &n, &key,
                                      SECP256K1_EC_UNCOMPRESSED) != 1)
        return fail(Q_INTERNAL,
                    "secp256k1 public key: expected one that was checked to be a point");
    const struct bytes coordinates = bytes_of(point + 1, sizeof point - 1);
    keccak256(&coordinates, 1, hash);
    out[0] = '0';
    out[1] = 'x';
    lower_hex(bytes_of(hash + sizeof hash - ETHEREUM_BYTES, ETHEREUM_BYTES), out + 2);
    put_checksum(out + 2);
    return Q_OK;
}

enum q_err address_of(enum wallet_curve curve, struct bytes public_key,
                      char out[static ADDRESS_TEXT_SIZE])
{
    TRY(curve_check_public(curve, public_key));
    switch (curve) {
    case CURVE_SECP256K1:
        return ethereum(public_key, out);
    case CURVE_ED25519:
        base58_encode(public_key, out);
        return Q_OK;
    case CURVE_P256:
        lower_hex(public_key, out);
        return Q_OK;
    }
    return fail(Q_INTERNAL, "curve: expected one of three, found %d", (int)curve);
}
