// What a host and the enclave behind it say about themselves, as far as they answer. Nothing of it
// is verified here.
#ifndef QUORATE_CLIENT_ENCLAVE_SURVEY_H
#define QUORATE_CLIENT_ENCLAVE_SURVEY_H

#include "client/host_link.h"
#include "tee/attestation.h"

struct enclave_survey {
    struct host_link host;
    bool host_answers;            // its own health route does
    bool enclave_answers;         // the enclave behind it says its phase
    struct bytes problem;         // the first failure; p == NULL: none
    bool date_known;              // the host's clock, from its answer's Date
    int64_t date_s, date_asked_s; // that, and this machine's clock then
    enum phase phase;
    bool state_known; // shares, application, TEE: only enclaves of ours say
    struct state_reply state;
    const struct manifest_envelope *envelope; // NULL: none, or it does not say
    uint8_t manifest_hash[SHA256_SIZE];
    struct bytes document; // over the key that the enclave has now; p == NULL: none
    struct claims claims;  // of it, only read
    int64_t document_asked_s;
};

// From the options for a host. A host that does not answer is a result, not a failure.
enum q_err enclave_survey_make(const struct options *o, struct arena *a,
                               struct enclave_survey *out);

#endif
