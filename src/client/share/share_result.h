// A member's signed word that the own share opens and is the one of a genesis: what a member hands
// in at a drill. JSON {"domain", "genesis", "alias", "time", "signature"}.
#ifndef QUORATE_CLIENT_SHARE_RESULT_H
#define QUORATE_CLIENT_SHARE_RESULT_H

#include "client/member_key.h"
#include "protocol/types.h"

#define SHARE_RESULT_DOMAIN "quorate-share-check-v1"
#define SHARE_RESULT_MAX 4096 // bytes of the file
#define SHARE_RESULT_SUFFIX ".result"

struct share_result {
    struct bytes domain;
    uint8_t genesis[SHA256_SIZE]; // hash of the genesis output
    struct bytes alias;
    uint64_t time_s;
    struct bytes signature;
};

// Signed are: domain || genesis hash (32) || u32 LE length || alias || u64 LE seconds since 1970.
enum q_err share_result_message(const struct share_result *r, struct buf *out);
// Appends the file.
enum q_err share_result_make(const struct member_key *key, const char *alias,
                             const uint8_t genesis[static SHA256_SIZE], int64_t time_s,
                             struct buf *out);
enum q_err share_result_read(struct bytes file, struct arena *a, struct share_result *out);
// That it is this member's, about this genesis, and not from later than now_s (but for five minutes
// that clocks may differ).
enum q_err share_result_check(const struct share_result *r, const struct member *m,
                              const uint8_t genesis[static SHA256_SIZE], int64_t now_s);

#endif
