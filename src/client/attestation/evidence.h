// Verifying attestation documents for the commands that rely on them (qos-wire 7.3).
#ifndef QUORATE_CLIENT_EVIDENCE_H
#define QUORATE_CLIENT_EVIDENCE_H

#include "base/options.h"
#include "client/text_file.h"
#include "crypto/p256.h"
#include "protocol/types.h"
#include "tee/attestation.h"

// How a command verifies, by its options.
struct verification {
    bool skip;          // --unsafe-skip-attestation: parse only, trust nothing
    bool allow_debug;   // --unsafe-allow-debug
    bool overridable;   // the command has --validation-time-override
    int64_t override_s; // its value; 0: now
    struct trust trust; // not loaded when skip
};
#define VERIFICATION_AUTO __attribute__((cleanup(verification_end))) struct verification

// Loads the trusted root, or prints "**WARNING:** Skipping attestation document verification.".
enum q_err verification_start(const struct options *o, struct verification *v);
void verification_end(struct verification *v);

// Verifies chain, time and signature (skip: only reads). Warns about an old document with its age.
// The sentence about an expired one says what to do.
enum q_err evidence_read(const struct verification *v, struct bytes document, struct arena *a,
                         struct claims *out);

// A genesis: user data, measurements of the release, role. Nothing when skipping.
enum q_err evidence_check_genesis(const struct verification *v, const struct claims *c,
                                  const struct genesis_output *g, const struct release *release,
                                  struct bytes role);

// The document was made for a request of just now: at most five minutes old. A genesis has no nonce, so this alone
// shows a host that gives out an earlier one of the same members, whose shares may be known. Nothing when
// skipping.
enum q_err evidence_check_fresh(const struct verification *v, const struct claims *c);

// Before anything is sent: the manifest names the trusted root and real measurements. Nothing when
// skipping.
enum q_err evidence_manifest_ready(const struct verification *v, const struct manifest *m);
// The role is the one behind the manifest's PCR3 (Pcr3PreimageDoesNotMatchManifest).
enum q_err evidence_role_matches(const struct manifest *m, struct bytes role);
// An enclave that booted this manifest and holds the setup key in its document. Nothing when
// skipping.
enum q_err evidence_check_setup(const struct verification *v, const struct claims *c,
                                const struct manifest *m);
// The same for an enclave that has its quorum key, and so the live key.
enum q_err evidence_check_live(const struct verification *v, const struct claims *c,
                               const struct manifest *m);
// The key in a document; MissingPubKey.
enum q_err evidence_public_key(const struct claims *c, struct p256_public *out);
// The same, or with --unsafe-eph-path-override the public half of the secret in that file.
enum q_err evidence_setup_key(const struct options *o, const struct claims *c,
                              struct p256_public *out);

#endif
