// That a genesis answer, or an instance that runs, is an enclave of the right kind: its attestation documents against
// the manifest, and the manifest's measurements against a release (design: verify before anything is revealed).
#ifndef QUORATE_CLIENT_GENESIS_EVIDENCE_H
#define QUORATE_CLIENT_GENESIS_EVIDENCE_H

#include "client/attestation/evidence.h"
#include "client/instance/genesis_answer.h"
#include "client/instance/instance_link.h"

#define OPTIONS_RELEASE                                                                            \
    OPTION_OPTIONAL("qos-release-dir",                                                             \
                    "Folder with aws-x86_64.pcrs (needed, but for a simulated TEE)"),              \
        OPTION_OPTIONAL("pcr3-preimage-path",                                                      \
                        "File with the role behind PCR3 (needed, but for a simulated TEE)")

// The manifest is of an enclave that may have the key: the release's measurements and the role's. The instance itself
// wrote it, so without a release nothing is known about what runs; only a simulated TEE, where nothing is anyhow,
// may do without.
enum q_err instance_check_manifest(const struct options *o, const struct verification *v,
                                   const struct manifest *m);

// That nobody else was given the quorum key or the shares: the document of the genesis is over its output, with the DR
// key of the request or none. Nothing else shows it. Without --request a failure is a warning, as the document may be too
// old by now.
enum q_err genesis_answer_check_holders(const struct options *o, const struct verification *v,
                                        const struct genesis_answer *g, struct arena *a);

// Both documents of an answer: of the genesis (shares, quorum key) and of the manifest with the setup key, made just
// now when fresh.
enum q_err genesis_answer_verify(const struct verification *v, const struct genesis_answer *g,
                                 bool fresh, struct arena *a);

// The manifest is the one that the genesis made, and not another of the same quorum key that somebody wrote later: the
// quorum key signed its hash. Only a simulated TEE may leave that out (renclave 3.2).
enum q_err genesis_answer_check_binding(const struct verification *v,
                                        const struct genesis_answer *g);

// Asks the instance for a document, made just now, over this manifest. Waiting for its key: *key is the setup key;
// live: it has its quorum key, and *key is the live key.
enum q_err instance_attest(struct instance_link *l, const struct verification *v,
                           const struct manifest *m, bool live, struct arena *a,
                           struct bytes *document, struct p256_public *key);

#endif
