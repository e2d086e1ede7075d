// What happens when the quorum key is complete, however it came: by shares (qos-behaviour 2.7) or from another
// enclave (2.9).
#ifndef QUORATE_ENCLAVE_COMPLETION_H
#define QUORATE_ENCLAVE_COMPLETION_H

#include "enclave/state.h"

// Takes the pair over as KEY_QUORUM and puts in place: the manifest, when envelope is not NULL, the live key
// instead of the setup key, and the quorum key last; then the secrets of setup and live key are forgotten, the
// phase is QuorumKeyProvisioned and the application starts. On failure everything is as before, but that the
// pair is gone. how begins the line in the log ("provision").
enum q_err quorum_key_complete(struct enclave *e, struct p256_pair **quorum,
                               const struct manifest_envelope *envelope, const char *how);

// The same of a TEE instance (renclave 2.2), which has no application and publishes no key: KEY_QUORUM with the uses
// of the built-in one, never to be released; a self test; what the genesis held and the setup secret go; the phase
// becomes QuorumKeyProvisioned, then ApplicationReady. The caller knows that the pair is the manifest's key; should the
// self test say otherwise, everything of the key goes and the phase is UnrecoverableError.
enum q_err instance_key_complete(struct enclave *e, struct p256_pair **quorum, const char *how);

// The envelope as it will be stored, ready to replace the one that is there.
enum q_err stage_manifest(const struct enclave *e, const struct manifest_envelope *envelope,
                          struct published_stage *out);

#endif
