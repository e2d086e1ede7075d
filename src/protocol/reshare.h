// Resharing: the plan of a new share set, who approves it in which role, and what the ceremony leaves
// (docs/resharing.md). Pure rules; the ceremony itself is custody/reshare.h.
#ifndef QUORATE_PROTOCOL_RESHARE_H
#define QUORATE_PROTOCOL_RESHARE_H

#include "protocol/genesis.h"
#include "protocol/refuse.h"

#define RESHARE_PLAN_FORMAT "quorate-reshare-plan-v1"
#define RESHARE_OUTPUT_FORMAT "quorate-reshare-output-v1"
#define RESHARE_MANIFEST_DOMAIN "quorate-reshare-manifest-v1"
#define RESHARE_SHARE_DOMAIN "quorate-reshare-share-v1"
#define RESHARE_HANDOVER_DOMAIN "quorate-handover-v1"

// Files: canonical JSON, one form only. A plan that is read has passed reshare_plan_check, an output
// reshare_output_check.
enum q_err reshare_plan_read(struct bytes file, struct arena *a, struct reshare_plan *out);
enum q_err reshare_plan_write(const struct reshare_plan *p, struct buf *out);
enum q_err reshare_output_read(struct bytes file, struct arena *a, struct reshare_output *out);
enum q_err reshare_output_write(const struct reshare_output *o, struct buf *out);

// SHA-256(RESHARE_PLAN_FORMAT || canonical JSON): never the hash of a manifest, so that no signature,
// commitment or binding made for one serves for the other.
enum q_err reshare_plan_hash(const struct reshare_plan *p, uint8_t out[static SHA256_SIZE]);
// SHA-256(RESHARE_OUTPUT_FORMAT || canonical JSON): the user data of its attestation document.
enum q_err reshare_output_hash(const struct reshare_output *o, uint8_t out[static SHA256_SIZE]);

// What a plan can be judged by alone: format, name, epoch from 1, both share sets 2 <= k <= n <= 255,
// manifest set 1 <= k <= n, no member twice in a set, one hash per old member, keys that are keys
// (P256Error, InvalidP256DRKey).
enum q_err reshare_plan_check(const struct reshare_plan *p, struct protocol_error *why);

// The two roles sign different bytes: domain || plan hash (32).
enum reshare_role { RESHARE_ROLE_MANIFEST, RESHARE_ROLE_SHARE };
enum q_err reshare_approval_message(enum reshare_role role, const uint8_t hash[static SHA256_SIZE],
                                    struct buf *out);
const struct member_set *reshare_role_set(const struct reshare_plan *p, enum reshare_role role);
// Key, signature, membership. *index: which member of the role's set; may be NULL.
enum q_err reshare_approval_check(const struct reshare_plan *p,
                                  const uint8_t hash[static SHA256_SIZE], enum reshare_role role,
                                  const struct approval *approval, size_t *index,
                                  struct protocol_error *why);
// Each of them, no member twice, as many as the role's set needs.
enum q_err reshare_approvals_check(const struct reshare_plan *p,
                                   const uint8_t hash[static SHA256_SIZE], enum reshare_role role,
                                   const struct approval *approvals, size_t n,
                                   struct protocol_error *why);

// What both keys sign when a new one takes over: domain || plan hash (32) || u64 LE epoch ||
// old public key (130) || new public key (130).
enum q_err reshare_handover_message(const struct reshare_plan *p,
                                    const uint8_t hash[static SHA256_SIZE], struct bytes new_key,
                                    struct buf *out);

// Everything that an output says about itself: its plan and enough approvals in both roles, one share
// per member of the new share set, the same quorum key or a hand-over that both keys signed, and the
// test message signed by the key of the new shares. That an enclave made it, its document says.
enum q_err reshare_output_check(const struct reshare_output *o);

// ---- chains of epochs

// Who holds shares of which key, and in which epoch: what a genesis or a resharing has left.
struct share_epoch {
    uint64_t epoch;
    uint8_t hash[SHA256_SIZE];           // of the output that made it
    const struct genesis_output *shares; // quorum key, set, hashes
    struct bytes namespace;              // p == NULL: a genesis, which names none
};
enum q_err share_epoch_of_genesis(const struct genesis_output *g, struct share_epoch *out);
enum q_err share_epoch_of_output(const struct reshare_output *o, struct share_epoch *out);
// The part of the next plan that follows from this epoch: all that is old, and the next number.
enum q_err reshare_plan_after(const struct share_epoch *before, struct arena *a,
                              struct reshare_plan *out);
// Whether a plan is one that comes after this epoch; Q_REFUSED names the part that differs.
enum q_err reshare_plan_follows(const struct reshare_plan *p, const struct share_epoch *before);

#endif
