// Manifests and their envelopes: files in every version, hashes, approvals, thresholds
// (qos-wire 4.1, 4.2; qos-behaviour 2.6; design "Thresholds").
#ifndef QUORATE_PROTOCOL_MANIFEST_H
#define QUORATE_PROTOCOL_MANIFEST_H

#include "protocol/refuse.h"
#include "protocol/types.h"

// Files (qos-wire 4.1): JSON v2 when "version" is there, else v1, v0, else Borsh that exactly one
// of v1 and v0 accepts.
enum q_err manifest_read(struct bytes file, struct arena *a, struct manifest *out);
enum q_err envelope_read(struct bytes file, struct arena *a, struct manifest_envelope *out);
// Storage form: v2 canonical JSON, v1 and v0 plain JSON.
enum q_err manifest_store(const struct manifest *m, struct buf *out);
enum q_err envelope_store(const struct manifest_envelope *e, struct buf *out);
// Plain JSON of any version: variant 23, enclave-info, get-attestation-doc's file.
enum q_err envelope_plain(const struct manifest_envelope *e, struct buf *out);
enum q_err approval_read(struct bytes file, struct arena *a, struct approval *out);

// A copy of m as version 1 (v0: debug mode off, no bridges); v2 is Q_UNSUPPORTED
// "ManifestV2NotConvertibleToBorsh". Views stay those of m. For json-to-borsh.
enum q_err manifest_to_v1(const struct manifest *m, struct manifest *out);
enum q_err envelope_to_v1(const struct manifest_envelope *e, struct manifest_envelope *out);

// v2: SHA-256 of canonical JSON; v1, v0: SHA-256 of Borsh.
enum q_err manifest_hash(const struct manifest *m, uint8_t out[static SHA256_SIZE]);

bool member_equal(const struct member *a, const struct member *b); // alias and key
int member_compare(const void *a, const void *b);                  // for qsort: alias, then key
bool member_set_has(const struct member_set *s, const struct member *m);
bool member_set_find(const struct member_set *s, const struct member *m, size_t *index);
bool member_set_equal(const struct member_set *a, const struct member_set *b); // order matters
// DuplicateQuorumMember for a repeated alias, encryption half or signing half; P256Error for a bad
// key.
enum q_err members_unique(const struct member *members, size_t n, struct protocol_error *why);

#define VOTERS_MAX 1000
// Limits of our own (design "Thresholds"): share set 2 <= k <= n <= 255 with the one exception of
// the development boot (exactly one member, k = 2), manifest set 1 <= k <= n, patch set k <= n, n of
// both at most VOTERS_MAX;
// members of the manifest set and of the share set unique. *why: QosCrypto for the share set's
// numbers, NotEnoughApprovals for the others', and what members_unique says.
enum q_err manifest_check_thresholds(const struct manifest *m, struct protocol_error *why);
// Of our own: each port once among the bridges but for client bridges to different hosts, no server bridge on port 0,
// and no more entries than can be served without taking the descriptors of everything else. *why: InvalidMsg.
#define PIVOT_BRIDGES_MAX 256
enum q_err pivot_check_bridges(const struct pivot_config *c, struct protocol_error *why);
bool share_set_is_development(const struct member_set *s);
// A set of each kind alone; what names it in errors. There is no development share set here.
enum q_err manifest_set_check(const char *what, const struct member_set *s,
                              struct protocol_error *why);
enum q_err share_set_check(const char *what, const struct member_set *s,
                           struct protocol_error *why);
// The same for a genesis: unique members, then 2 <= k <= n <= 255 (QosCrypto).
enum q_err genesis_set_check(const struct genesis_set *s, struct protocol_error *why);

// qos-behaviour 2.6 step 1, in that order: unique members; each approval's key, signature,
// membership, no repetition; distinct approvals >= threshold. Before, of our own, because each key and
// signature costs us more than its sender: at most VOTERS_MAX members and approvals (InvalidMsg).
enum q_err envelope_check_approvals(const struct manifest_envelope *e, struct protocol_error *why);

#endif
