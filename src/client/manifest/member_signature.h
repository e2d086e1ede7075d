// A member's approval of a manifest: the signature over its hash (qos-wire 1.3, 6.2).
#ifndef QUORATE_CLIENT_MEMBER_SIGNATURE_H
#define QUORATE_CLIENT_MEMBER_SIGNATURE_H

#include "client/member_key.h"
#include "protocol/types.h"

struct member member_of(const char *alias, const struct member_key *key);
// Points to signature, alias and key.
enum q_err approval_sign(const struct member_key *key, const char *alias,
                         const uint8_t manifest_hash[static SHA256_SIZE],
                         uint8_t signature[static P256_SIGNATURE_SIZE], struct approval *out);
// Appends the approval as compact JSON.
enum q_err approval_json(const struct approval *approval, struct buf *json);
// Both at once.
enum q_err approval_make(const struct member_key *key, const char *alias,
                         const uint8_t manifest_hash[static SHA256_SIZE], struct buf *json);
// Q_REFUSED or Q_CRYPTO unless a member of the set signed this hash.
enum q_err approval_check(const struct approval *approval, const struct member_set *set,
                          const uint8_t manifest_hash[static SHA256_SIZE]);

// Warns when bytes that somebody is asked to sign as they are would be a member's word: a manifest's hash, by its
// size, or one of our own statements, by its domain.
void statement_warn(struct bytes payload);

#endif
