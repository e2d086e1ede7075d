// Which root certificate attestation must chain to: AWS's, unless the user names another one
// (design "TEE providers").
#ifndef QUORATE_CLIENT_TRUST_ROOT_H
#define QUORATE_CLIENT_TRUST_ROOT_H

#include "base/options.h"
#include "tee/attestation.h"

#define TRUST_ROOT_VARIABLE "QUORATE_ATTESTATION_ROOT"

// --attestation-root-path, else the environment variable, else AWS's. Says on stderr when the root
// is that of a simulation, or one that is neither AWS's nor marked as simulated.
enum q_err trust_root_load(const struct options *o, struct trust *out);
// Same for looking at one document: where none is named, the pinned root of the vendor whose
// evidence it is.
enum q_err trust_root_load_for(const struct options *o, struct bytes document, struct trust *out);
// The manifest must name this very root (design): Q_REFUSED with both fingerprints and the remedy.
enum q_err trust_root_same(struct bytes trusted, struct bytes manifest_root);

#endif
