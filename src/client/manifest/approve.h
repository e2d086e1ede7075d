// A member's decision about a manifest: what it is compared with, whose signature counts, and the
// approval. One piece of code for approve-manifest and for bundles (qos-behaviour 1.6).
#ifndef QUORATE_CLIENT_APPROVE_H
#define QUORATE_CLIENT_APPROVE_H

#include "client/manifest/manifest_parts.h"
#include "crypto/p256.h"

// Sets, measurements, role, trusted root, pivot hash and quorum key are those of parts. Says on
// stderr, in the original's words, which comparison failed.
enum q_err manifest_compare(const struct manifest *m, const struct manifest_parts *parts);

// Prints the manifest's hash on stderr. given: --expect-manifest-hash, NULL: any.
enum q_err manifest_hash_expect(const uint8_t hash[static SHA256_SIZE], const char *given);

struct approval_task {
    const struct manifest *manifest;
    const struct manifest_parts *parts;
    const char *alias;
    const struct member_key *member;
    const char *expected_hash; // hex; NULL: any
};
// Everything but the questions: manifest_compare, the thresholds, that the member is one of the
// manifest set, the expected hash. hash: the manifest's.
enum q_err approve_check(const struct approval_task *t, uint8_t hash[static SHA256_SIZE]);

// "<folder>/<alias>-<namespace with every / as ->-<nonce>.approval"
enum q_err approval_path(const char *folder, struct bytes alias, const struct namespace *n,
                         struct arena *a, const char **out);

#endif
