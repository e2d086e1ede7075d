// The keyring: every key the enclave holds, and the one door through which any of them is used. What an
// entry's allowed uses do not name is refused (design "The one idea", 4).
#ifndef QUORATE_CUSTODY_KEYRING_H
#define QUORATE_CUSTODY_KEYRING_H

#include "crypto/p256.h"

enum key_suite {
    SUITE_QOS_P256 = 1,  // qos-wire 1: HKDF-SHA512 from a 32-byte seed, ECDSA and ECDH over P-256
    SUITE_RENCLAVE_P256, // renclave 8.2 C1: the seed is the scalar of both
};

enum key_use {
    USE_SIGN = 1u << 0, // in: message; out: 64-byte signature
    USE_OPEN = 1u << 1, // in: asymmetric envelope to this key; out: its plaintext (may be empty)
    USE_SEAL = 1u << 2, // in: plaintext; out: an envelope that USE_OPEN of this key opens
    USE_DERIVE =
        1u << 3, // in: label; out: 32 bytes, HKDF-SHA512(salt KEY_DERIVE_DOMAIN, info label)
    USE_RELEASE =
        1u << 4, // in: nothing; out: 64 hex characters of the seed, as the application reads it
    USE_EXPORT =
        1u << 5, // in: a public key; out: the seed in an envelope that USE_OPEN of it opens
};

#define KEY_DERIVE_DOMAIN "quorate-derive-v1"
#define KEY_DERIVED_SIZE 32

// The entries of a QuorumOS enclave.
enum key_id { KEY_QUORUM = 0, KEY_SETUP = 1, KEY_LIVE = 2 };
#define KEYRING_SIZE 8 // ids are 0 .. KEYRING_SIZE - 1

struct key_description {
    uint32_t id;
    enum key_suite suite;
    uint32_t generation; // counts up when a key of this id is replaced by another key
    uint64_t epoch;      // counts up when the same key is shared anew
    unsigned uses;       // of enum key_use, or-ed
};

struct keyring;
#define KEYRING_AUTO __attribute__((cleanup(keyring_free))) struct keyring
enum q_err keyring_new(struct keyring **out);
void keyring_free(struct keyring **k); // with all secrets; safe on NULL
// Takes the pair over (*pair becomes NULL). Refuses an id that is out of range or in the ring already.
enum q_err keyring_put(struct keyring *k, const struct key_description *what,
                       struct p256_pair **pair);
// A new key pair of this description.
enum q_err keyring_generate(struct keyring *k, const struct key_description *what);
void keyring_remove(struct keyring *k, uint32_t id);
void keyring_clear(struct keyring *k); // of all its keys
// The secret goes, the public half stays: for keys whose last use is behind them.
void keyring_forget_secret(struct keyring *k, uint32_t id);
// NULL when there is no such entry.
const struct key_description *keyring_describe(const struct keyring *k, uint32_t id);
const struct p256_public *keyring_public(const struct keyring *k, uint32_t id);

// The door. Whatever comes out is in locked memory. Q_MISSING: no such key or its secret is gone;
// Q_REFUSED: the use is not one of the entry's.
enum q_err custody_use(const struct keyring *k, uint32_t id, enum key_use use, struct bytes in,
                       struct secret *out);

// The same door for USE_SEAL and USE_OPEN of data at rest: envelopes in the suite's own form that open for the
// purpose they were sealed for and for no other (renclave 8.2 C2, 9 finding 11).
enum q_err custody_use_for(const struct keyring *k, uint32_t id, enum key_use use,
                           struct bytes purpose, struct bytes in, struct secret *out);

// The same for USE_SEAL, appended to a buffer: an envelope is no secret.
enum q_err custody_seal_for(const struct keyring *k, uint32_t id, struct bytes purpose,
                            struct bytes in, struct buf *envelope);

enum key_suite key_suite_of(const struct p256_public *key);
enum p256_suite key_suite_p256(enum key_suite suite);

#endif
