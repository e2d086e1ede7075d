// A member's signed word that every copy of the own old share is gone. Nobody can prove that; it is what the
// others can hold the member to. JSON {"domain", "alias", "quorumKey", "epoch", "plan", "time", "signature"}.
#ifndef QUORATE_CLIENT_SHARE_DESTROYED_H
#define QUORATE_CLIENT_SHARE_DESTROYED_H

#include "client/member_key.h"
#include "protocol/types.h"

#define SHARE_DESTROYED_DOMAIN "quorate-share-destroyed-v1"
#define SHARE_DESTROYED_MAX 4096 // bytes of the file

struct share_destroyed {
    struct bytes domain, alias, quorum_key;
    uint64_t epoch;            // of the share
    uint8_t plan[SHA256_SIZE]; // of the resharing after which it was destroyed
    uint64_t time_s;
    struct bytes signature;
};

// Signed are: domain || plan hash (32) || u64 LE epoch || quorum key (130) || u32 LE length || alias || u64 LE
// seconds since 1970.
enum q_err share_destroyed_message(const struct share_destroyed *s, struct buf *out);
// About the share that this member of the plan's old share set held. Appends the file.
enum q_err share_destroyed_make(const struct member_key *key, const char *alias,
                                const struct reshare_plan *p,
                                const uint8_t plan_hash[static SHA256_SIZE], int64_t time_s,
                                struct buf *out);
enum q_err share_destroyed_read(struct bytes file, struct arena *a, struct share_destroyed *out);
// That it is this member's, about this plan's old share.
enum q_err share_destroyed_check(const struct share_destroyed *s, const struct member *m,
                                 const struct reshare_plan *p,
                                 const uint8_t plan_hash[static SHA256_SIZE]);

#endif
