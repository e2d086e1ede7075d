// What a member or operator makes sure of before relying on a resharing: the plan against the files they have,
// and the enclave's documents against the plan (docs/resharing.md, qos-wire 7.3). There is no option to skip it.
#ifndef QUORATE_CLIENT_RESHARE_EVIDENCE_H
#define QUORATE_CLIENT_RESHARE_EVIDENCE_H

#include "client/command.h"
#include "client/attestation/evidence.h"
#include "client/reshare/reshare_folder.h"

// The plan against OPTIONS_RESHARE_PARTS: measurements, role, trusted root, manifest set; where named also new
// share set, quorum key, recovery key, and the epoch before. *role: arena memory.
enum q_err reshare_compare(const struct options *o, const struct reshare_plan *p, struct arena *a,
                           struct bytes *role);

// The key of --dr-key-path in arena memory; *out stays as it is where the option is not given.
enum q_err recovery_key_read(const struct options *o, struct arena *a, struct bytes *out);

// An enclave that is committed to this plan and waits for shares. The key in its claims
// (evidence_public_key) is what they are sealed to.
enum q_err reshare_check_setup(const struct verification *v, struct bytes document,
                               const struct planned *plan, struct arena *a, struct claims *claims);
// An enclave that is committed to the output's plan and made this output.
enum q_err reshare_check_output(const struct verification *v, struct bytes document,
                                const struct reshare_output *output, struct arena *a,
                                struct claims *claims);

// The same at the time the document says it was made: its certificates have long expired when a history is
// read.
enum q_err reshare_check_archived(const struct options *o, struct bytes document,
                                  const struct reshare_output *output, struct arena *a);

#define OPTIONS_RESHARE_PARTS                                                                      \
    OPTION_REQUIRED("qos-release-dir", "Folder with aws-x86_64.pcrs"),                             \
        OPTION_REQUIRED("pcr3-preimage-path", "File with the role behind PCR3"),                   \
        OPTION_REQUIRED("manifest-set-dir", "Folder of the members who approve manifests"),        \
        OPTION_OPTIONAL("quorum-key-path", "The quorum public key, to compare with"),              \
        OPTION_OPTIONAL("dr-key-path", "Public key that gets the WHOLE quorum key, for recovery"), \
        OPTIONS_TRUST
#define OPTION_RESHARE_DEBUG                                                                       \
    OPTION_SWITCH("unsafe-allow-debug",                                                            \
                  "Accept an enclave in debug mode, whose memory its operator can read")

#endif
