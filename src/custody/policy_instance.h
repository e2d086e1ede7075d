// The policy of sharing a key between TEE instances (renclave 3.2): a quorum key passes to an enclave that has booted
// this very manifest, which needs no one's approval again, or one that the rules of a forward let it pass to; its
// evidence is of these minutes.
#ifndef QUORATE_CUSTODY_POLICY_INSTANCE_H
#define QUORATE_CUSTODY_POLICY_INSTANCE_H

#include "custody/policy_forward.h"

// How far from the time of our own TEE, before it or after, the peer's evidence may have been made.
#define INSTANCE_EVIDENCE_WINDOW_MS 300000

// First the window (QosAttestError), then: the same manifest by hash, whatever approvals come with it, with the
// peer's claims as forward_check_peer asks them; or another one, as forward_policy decides.
struct transfer_policy instance_policy(const struct forward_terms *t);

#endif
