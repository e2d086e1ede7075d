// A genesis that is to be: who takes part, and the request that says so to an instance (renclave 1.3, 3.4, 4.1).
#ifndef QUORATE_CLIENT_GENESIS_PLAN_H
#define QUORATE_CLIENT_GENESIS_PLAN_H

#include "base/options.h"
#include "crypto/hash.h"
#include "crypto/p256.h"
#include "crypto/shamir.h"

struct planned_member {
    char alias[24]; // "member1"
    struct p256_public public;
};

// The same members are the manifest set and the share set, with one threshold.
struct genesis_plan {
    const char *namespace;
    uint32_t nonce;
    enum p256_suite suite; // of the members' keys
    uint8_t pivot_hash[SHA256_SIZE];
    const char *const *pivot_args;
    size_t pivot_args_count;
    bool has_dr_key;
    struct p256_public dr_key;
    uint32_t threshold, count;
    struct planned_member members[SHAMIR_MAX_SHARES];
};

// From the generator's options, all of them checked; the members have aliases and no keys yet.
enum q_err genesis_plan_read(const struct options *o, struct genesis_plan *out);
// Public key FILE: 130 or 260 hex characters.
enum q_err instance_public_key_read(const char *path, struct p256_public *out);
// Appends the request as JSON text: the flat members, and the same again under "parameters".
enum q_err genesis_plan_write(const struct genesis_plan *p, struct buf *out);

#endif
