// One verification of evidence in steps, and the kinds of evidence there are: each kind reads its
// own format and takes the same steps. Internal to this room.
#ifndef QUORATE_TEE_VERIFICATION_H
#define QUORATE_TEE_VERIFICATION_H

#include "tee/chain.h"
#include "tee/document.h"
#include "tee/snp_evidence.h"

// What a verification was given, and what its steps make for each other.
struct verification {
    struct bytes in;
    const struct trust *trust;
    int64_t at_s;
    struct arena *a;
    struct chain chain;
    union {
        struct {
            struct cose cose;
            struct document document;
        } nitro;
        struct snp_evidence snp;
    } of;
};

struct evidence_kind {
    const char *provider;
    bool (*recognise)(struct bytes in); // by its first bytes alone; NULL: what no other kind is
    // In the order of enum attestation_step; NULL: this kind has no such step.
    enum q_err (*steps[ATTESTATION_STEPS])(struct verification *v);
    // What it says, after ATTESTATION_PARSE.
    enum q_err (*claims)(const struct verification *v, struct claims *out);
};

extern const struct evidence_kind evidence_nitro, evidence_snp;

#endif
