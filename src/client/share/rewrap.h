// Encrypting a member's share to a booted enclave: what is verified first, and what comes out. One
// piece of code for proxy-re-encrypt-share and for bundles (qos-behaviour 1.6, qos-wire 7.3).
#ifndef QUORATE_CLIENT_REWRAP_H
#define QUORATE_CLIENT_REWRAP_H

#include "client/attestation/evidence.h"

struct rewrap_task {
    const struct manifest_envelope *envelope;
    struct bytes document, role;
    const struct member_set *manifest_set; // what the member has
    const char *manifest_set_from;
    const char *alias;
    const struct member_key *member;
};

// The document against the manifest, the role and the trusted root. claims: for
// evidence_public_key.
enum q_err rewrap_verify(const struct verification *v, const struct rewrap_task *t, struct arena *a,
                         struct claims *claims);
// Everything else but the questions: enough approvals, the same manifest set, that the member is
// one of the share set. Says on stderr, in the original's words, what failed.
enum q_err rewrap_check(const struct rewrap_task *t);

// What goes to the enclave; all of it points into itself and into the task.
struct rewrapped {
    uint8_t manifest_hash[SHA256_SIZE], signature[P256_SIGNATURE_SIZE];
    struct approval approval;
    struct buf share;                     // encrypted to the enclave
    uint8_t binding[P256_SIGNATURE_SIZE]; // over this very ciphertext (protocol/share.h)
};
#define REWRAPPED_AUTO __attribute__((cleanup(rewrapped_free))) struct rewrapped
enum q_err rewrap_share(const struct rewrap_task *t, const struct p256_public *key,
                        const char *share_path, struct rewrapped *out);
void rewrapped_free(struct rewrapped *r);

// Whether the member signed this ciphertext for this setup key and manifest.
enum q_err share_binding_check(const struct member *member,
                               const uint8_t manifest_hash[static SHA256_SIZE],
                               struct bytes setup_key, struct bytes share, struct bytes binding);

#endif
