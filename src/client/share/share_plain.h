// A member's decrypted share: opened with the member's key and checked (qos-wire 2).
#ifndef QUORATE_CLIENT_SHARE_PLAIN_H
#define QUORATE_CLIENT_SHARE_PLAIN_H

#include "client/member_key.h"

#define SHARE_PLAIN_SIZE (P256_SEED_SIZE + 1) // x || one byte per byte of the seed
#define SHARE_FILE_MAX 4096

// InvalidShare unless it has 33 bytes and x != 0. what names it in errors.
enum q_err share_open(const struct member_key *member, struct bytes envelope, const char *what,
                      struct secret *out);

#endif
