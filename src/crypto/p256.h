// QuorumOS key pairs over P-256 (qos-wire 1): a 32-byte master seed from which HKDF-SHA512 makes an
// encryption scalar, a signing scalar and an AES-256-GCM key; signatures (RFC 6979, SHA-256, no low-S
// step); the asymmetric and the symmetric envelope.
#ifndef QUORATE_CRYPTO_P256_H
#define QUORATE_CRYPTO_P256_H

#include "base/bytes.h"
#include "base/secret.h"

#define P256_SEED_SIZE 32
#define P256_SCALAR_SIZE 32
#define P256_POINT_SIZE 65     // SEC1 uncompressed: 04 || X || Y
#define P256_PUBLIC_SIZE 130   // encryption point || signing point
#define P256_SIGNATURE_SIZE 64 // r || s, big-endian
#define P256_PURPOSE_MAX 64
#define P256_ENVELOPE_OVERHEAD 97 // nonce 12, ephemeral point 65, length 4, tag 16

// The original's error names; the numbers are their Borsh indices (qos-wire 4.4). Every failure of this
// file carries one of them as err_detail() and begins its sentence with the name.
enum p256_error {
    P256_QOS_HEX,
    P256_IO_ERROR,
    P256_SERIALIZE_ENVELOPE,
    P256_DESERIALIZE_ENVELOPE,
    P256_AES_DECRYPT,
    P256_AES_ENCRYPT,
    P256_CREATE_CIPHER,
    P256_DESERIALIZE_PUBLIC_KEY,
    P256_COERCE_PUBLIC_KEY,
    P256_COERCE_NONCE,
    P256_DESERIALIZE_SIGNATURE,
    P256_SIGNATURE_VERIFICATION,
    P256_READ_SECRET,
    P256_READ_PUBLIC_KEY,
    P256_PUBLIC_KEY_TOO_LONG,
    P256_PUBLIC_KEY_TOO_SHORT,
    P256_HKDF,
    P256_SEED_INVALID_UTF8,
    P256_SEED_INVALID_LENGTH,
    P256_INVALID_MASTER_SEED,
    P256_COERCE_LENGTH,
};
#define P256_ERROR_COUNT 21
const char *p256_error_name(enum p256_error e); // "FailedToReadPublicKey"

// How the scalars come from the seed.
enum p256_suite {
    P256_SUITE_QOS,      // HKDF-SHA512: one for encryption, one for signatures (qos-wire 1.1)
    P256_SUITE_RENCLAVE, // the seed is the scalar of both (renclave 2.3; 8.2 C1)
};

// A public key whose two points are known to be on the curve. Of P256_SUITE_RENCLAVE the halves are equal.
struct p256_public {
    uint8_t bytes[P256_PUBLIC_SIZE];
};

// Refuses other lengths (EncodedPublicKeyTooLong/TooShort) and halves that are not valid uncompressed
// points (FailedToReadPublicKey).
enum q_err p256_public_parse(struct bytes encoded, struct p256_public *out);
struct bytes p256_public_bytes(const struct p256_public *key);
struct bytes p256_public_signing(const struct p256_public *key); // the half that verifies; a view
// Also P256_POINT_SIZE bytes, one point for both halves. Two equal points in a long key are refused: one key has
// one form.
enum q_err p256_public_parse_short(struct bytes encoded, struct p256_public *out);
// The form that p256_public_parse_short reads: P256_POINT_SIZE bytes when the halves are equal. A view into key.
struct bytes p256_public_short(const struct p256_public *key);
enum p256_suite p256_public_suite(const struct p256_public *key);

// A key pair: seed and derived secrets in locked memory.
struct p256_pair;
#define P256_PAIR_AUTO __attribute__((cleanup(p256_pair_free))) struct p256_pair
enum q_err p256_pair_generate(struct p256_pair **out);
// seed: P256_SEED_SIZE bytes, else InvalidMasterSeed; a derived scalar of 0 or >= n is FailedToReadSecret.
enum q_err p256_pair_from_seed(struct bytes seed, struct p256_pair **out);
// The same of either suite.
enum q_err p256_pair_generate_suite(enum p256_suite suite, struct p256_pair **out);
enum q_err p256_pair_from_seed_suite(enum p256_suite suite, struct bytes seed,
                                     struct p256_pair **out);
void p256_pair_free(struct p256_pair **pair);              // safe on NULL; sets it to NULL
struct bytes p256_pair_seed(const struct p256_pair *pair); // P256_SEED_SIZE secret bytes
const struct p256_public *p256_pair_public(const struct p256_pair *pair);
// The two scalars, P256_SCALAR_SIZE bytes each, for a token that is to hold them.
enum q_err p256_pair_scalars(const struct p256_pair *pair, struct secret *encrypt,
                             struct secret *sign);

// Deterministic ECDSA over SHA-256(message); verified before it is released.
enum q_err p256_sign(const struct p256_pair *pair, struct bytes message,
                     uint8_t signature[static P256_SIGNATURE_SIZE]);
// Accepts high S. Not 64 bytes, or r or s outside [1, n-1]: FailedToDeserializeSignature; wrong:
// FailedSignatureVerification.
enum q_err p256_verify(const struct p256_public *key, struct bytes message, struct bytes signature);
// The same signature as most others read it: DER, SEQUENCE of r and s. Appends at most P256_SIGNATURE_DER_MAX bytes.
#define P256_SIGNATURE_DER_MAX 72
enum q_err p256_signature_der(struct bytes signature, struct buf *out);

// The asymmetric envelope (qos-wire 1.4): appends plaintext.n + P256_ENVELOPE_OVERHEAD bytes.
enum q_err p256_seal(const struct p256_public *to, struct bytes plaintext, struct buf *envelope);
// out: the plaintext in locked memory; an empty plaintext gives n == 0 and p == NULL.
enum q_err p256_open(const struct p256_pair *pair, struct bytes envelope, struct secret *out);

// What an envelope is bound to beside its keys. All zero: QuorumOS's envelope.
struct p256_binding {
    bool long_lengths;    // renclave 2.5: the lengths in the AAD take 8 bytes, big-endian
    struct bytes purpose; // stands at the end of the AAD; opened for another one it does not open
};
enum q_err p256_seal_bound(const struct p256_public *to, struct p256_binding binding,
                           struct bytes plaintext, struct buf *envelope);
enum q_err p256_open_bound(const struct p256_pair *pair, struct p256_binding binding,
                           struct bytes envelope, struct secret *out);

// The ephemeral point of an envelope, P256_POINT_SIZE bytes of it, which is on the curve: what a token
// multiplies with its scalar.
enum q_err p256_envelope_point(struct bytes envelope, struct bytes *out);
// Opens with an ECDH result computed elsewhere (a token): shared_x is 32 bytes, own_point the receiver's
// encryption point.
enum q_err p256_open_with_shared(struct bytes shared_x,
                                 const uint8_t own_point[static P256_POINT_SIZE],
                                 struct bytes envelope, struct secret *out);

// The symmetric envelope (qos-wire 1.5): nonce 12 || u32 length || ciphertext and tag.
enum q_err p256_seal_symmetric(const struct p256_pair *pair, struct bytes plaintext,
                               struct buf *out);
enum q_err p256_open_symmetric(const struct p256_pair *pair, struct bytes envelope,
                               struct secret *out);

#endif
