// The key of the member who runs a command, wherever it lies: a master seed in a file, or inside a
// token that never gives it out. A place is a struct member_key_ops beside the code that reaches it.
#ifndef QUORATE_CLIENT_MEMBER_KEY_H
#define QUORATE_CLIENT_MEMBER_KEY_H

#include "base/options.h"
#include "crypto/p256.h"

struct member_key;
#define MEMBER_KEY_AUTO __attribute__((cleanup(member_key_free))) struct member_key

// The key that the command line names (OPTIONS_KEY).
enum q_err member_key_read(const struct options *o, struct member_key **out);
// Takes the pair over: *pair becomes NULL, also when this fails.
enum q_err member_key_from_pair(struct p256_pair **pair, struct member_key **out);
void member_key_free(struct member_key **k); // safe on NULL; sets it to NULL

const struct p256_public *member_key_public(const struct member_key *k);
// ECDSA over SHA-256(message), as p256_sign; the signature is verified before it is released.
enum q_err member_key_sign(const struct member_key *k, struct bytes message,
                           uint8_t signature[static P256_SIGNATURE_SIZE]);
// As p256_open.
enum q_err member_key_open(const struct member_key *k, struct bytes envelope, struct secret *out);

// What a place of keys does; held is its own.
struct member_key_ops {
    enum q_err (*sign)(void *held, struct bytes message,
                       uint8_t signature[static P256_SIGNATURE_SIZE]);
    enum q_err (*open)(void *held, struct bytes envelope, struct secret *out);
    void (*release)(void *held);
};
// Takes held over, also when this fails.
enum q_err member_key_new(const struct member_key_ops *ops, const struct p256_public *public,
                          void *held, struct member_key **out);

#endif
