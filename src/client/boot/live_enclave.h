// A running enclave, asked and verified before anything is carried to it or from it: its phase, its live attestation
// document, the manifest it has booted.
#ifndef QUORATE_CLIENT_LIVE_ENCLAVE_H
#define QUORATE_CLIENT_LIVE_ENCLAVE_H

#include "client/attestation/evidence.h"
#include "client/host_link.h"

// In the phase expected (else Q_REFUSED, with what the phase found means), attested now, with the commitment of that
// phase to the manifest, which its manifest set approved. wanted: the manifest that it must have booted;
// NULL: whichever it says. out: its envelope, wanted or said. Not for a verification that skips.
enum q_err live_enclave_verify(const struct host_link *host, const struct verification *v,
                               enum phase expected, const struct manifest_envelope *wanted,
                               struct arena *a, struct manifest_envelope *out);

#endif
