// What a provider gives to tee.c and commit.c: registers and evidence, in the terms of the Nitro
// security module (nitro 2.2), so that nitro and sim share one commit sequence. Internal to this
// room.
#ifndef QUORATE_TEE_PROVIDER_H
#define QUORATE_TEE_PROVIDER_H

#include "base/secret.h"
#include "tee/attestation.h"

#define TEE_REGISTERS 32

struct tee_description {
    bool sha384;             // the digest the registers are extended with
    unsigned register_count; // at most 64
    uint64_t locked;         // bit i: register i
};

struct register_state {
    struct register_value value;
    bool locked;
};

// Who seals, as the sealed bytes say it.
struct seal_identity {
    uint8_t image[SHA384_SIZE], machine[SHA256_SIZE]; // machine: zero where the host hides it
    uint64_t firmware;                                // the oldest that can open it; 0: any
};

// Failures carry the security module's own names in their text: ReadOnlyIndex, InvalidIndex.
struct tee_ops {
    enum q_err (*describe)(struct tee *t, struct tee_description *out);
    enum q_err (*read)(struct tee *t, unsigned index, struct register_state *out);
    enum q_err (*extend)(struct tee *t, unsigned index, struct bytes data,
                         struct register_value *after);
    enum q_err (*lock)(struct tee *t, unsigned end); // registers 0 to end - 1
    enum q_err (*attest)(struct tee *t, struct bytes user_data, struct bytes nonce,
                         struct bytes public_key, struct buf *document);
    // Sealing (tee/seal.h); both NULL: this provider has no key that outlives it. seal_key gives
    // SEAL_KEY_SIZE bytes that only this image on this machine gets, with firmware at least as new
    // as the number says.
    enum q_err (*seal_identity)(struct tee *t, struct seal_identity *out);
    enum q_err (*seal_key)(struct tee *t, uint64_t firmware, struct secret *out);
    // The machine starts anew: fresh registers, the same measurements. NULL: not from inside.
    enum q_err (*restart)(struct tee *t);
    void (*close)(struct tee *t); // releases t too
};

// The first member of each provider's own struct.
struct tee {
    const struct tee_ops *ops;
    const char *name;
    bool simulated;
    bool
        in_machine; // it is a device of a machine that a host runs: hardware's rules hold, simulated or not
    struct buf root; // DER
};

enum q_err sim_open(const struct tee_options *options, struct tee **out);
enum q_err snp_open(const struct tee_options *options, struct tee **out);
enum q_err nitro_open(const struct tee_options *options, struct tee **out);

#endif
