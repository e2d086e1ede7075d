// What a boot puts in place, for both API families (qos-behaviour 2.6; renclave 8.3): envelope and keys are prepared
// under temporary names, then the TEE is committed, then everything is published and adopted. The caller has checked
// what it accepts.
#ifndef QUORATE_ENCLAVE_BOOT_H
#define QUORATE_ENCLAVE_BOOT_H

#include "enclave/state.h"
#include "protocol/refuse.h"

// Everything a boot will put in place. Files are only an application's: an instance leaves none.
struct boot_stage {
    struct booted *booted;
    struct keyring *keyring;                       // KEY_SETUP and KEY_LIVE, new ones
    uint8_t setup[SHA384_SIZE], live[SHA384_SIZE]; // commitments
    struct published_stage ephemeral, pivot, manifest;
};
#define BOOT_STAGE_AUTO __attribute__((cleanup(boot_stage_discard))) struct boot_stage
void boot_stage_discard(struct boot_stage *s);

// Changes nothing but *s. pivot: the application; NULL: a TEE instance, which has none.
enum q_err boot_stage(const struct enclave *e, const struct manifest_envelope *envelope,
                      const struct bytes *pivot, struct boot_stage *s, struct protocol_error *why);

// Who takes part in the commitment. say encodes the answer that carries the attestation document of the manifest's
// hash and the setup key, and publishes what the caller has staged himself; NULL: nobody asked.
struct boot_witness {
    enum q_err (*say)(void *context, struct enclave *e, const struct boot_stage *s,
                      struct bytes document);
    void *context;
    struct arena *arena;        // for texts in *why
    struct protocol_error *why; // QosAttestError where the TEE fails
};

// Commits the TEE, attests, answers, publishes and becomes what was staged, born as birth, in phase next. From the
// first extend on the TEE's registers are spent: a failure after it leads to UnrecoverableError, one before it changes
// nothing.
enum q_err boot_commit(struct enclave *e, struct boot_stage *s, const struct boot_witness *w,
                       enum birth birth, enum phase next);

#endif
