// The policy of QuorumOS key forwarding (qos-behaviour 2.8): a quorum key passes to an enclave of the same namespace
// whose manifest the same people approved.
#ifndef QUORATE_CUSTODY_POLICY_FORWARD_H
#define QUORATE_CUSTODY_POLICY_FORWARD_H

#include "custody/transfer.h"
#include "protocol/manifest.h"

struct forward_terms {
    const struct manifest *ours;            // which the enclave that has the key has booted
    const struct manifest_envelope *theirs; // which the receiver claims to have booted
};

// What manifests alone decide, in the original's order: the approvals, no share approvals (BadShareSetApprovals),
// DifferentQuorumKey, DifferentManifestSet (in any order of members), DifferentNamespaceName, LowNonce,
// DifferentManifest for the same nonce. Texts of *why live in the arena.
enum q_err forward_check_manifests(const struct forward_terms *t, struct arena *a,
                                   struct protocol_error *why);

// What the peer's evidence must say for it (QosAttestError): their measurements, their manifest's hash as user data,
// and the commitment to a setup key. For policies with other rules over the manifests.
enum q_err forward_check_peer(const struct forward_terms *t, const struct transfer_sides *sides,
                              struct arena *a, struct protocol_error *why);

// QosAttestError over the sentence recorded last.
enum q_err forward_refuse_evidence(struct arena *a, struct protocol_error *why);

// All of it: the manifests, the peer's claims against theirs with its commitment to a setup key
// (QosAttestError), DifferentPcr3, and last the thresholds that a boot checks. The share sets and the order
// of members may differ: who holds shares is for the manifest set to approve. An enclave in debug mode gets
// the key only from one that is in debug mode itself, by its manifest and by its own evidence.
struct transfer_policy forward_policy(const struct forward_terms *t);

#endif
