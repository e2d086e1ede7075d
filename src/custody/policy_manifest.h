// Whose word makes a TEE instance boot the manifest of another one (renclave 3.2). Pure. That it is of this platform is
// enclave/platform.h's to say.
#ifndef QUORATE_CUSTODY_POLICY_MANIFEST_H
#define QUORATE_CUSTODY_POLICY_MANIFEST_H

#include "crypto/p256.h"
#include "protocol/manifest.h"
#include "protocol/refuse.h"

struct manifest_offer {
    const struct manifest_envelope *envelope;
    struct bytes quorum_key_signature; // over the manifest's hash; p == NULL: none came with it
};

struct manifest_receiver {
    bool relaxed;                     // its TEE is the simulated one
    const struct p256_public *pinned; // NULL: no quorum key was fixed at start
};

// First what every boot checks, but no development share set: 2 <= k <= n; no share approvals; a quorum key. Then the
// word: approvals by k of the manifest set, or the quorum key's own signature, which counts on the simulated TEE and
// where that key is the pinned one: anybody can make a key and sign with it. Where a key is pinned, no other is taken.
// What is there of signature and approvals must be right.
enum q_err manifest_offer_check(const struct manifest_offer *o, const struct manifest_receiver *r,
                                struct protocol_error *why);

#endif
