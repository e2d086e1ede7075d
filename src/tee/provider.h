// What a provider gives to tee.c and commit.c: registers and evidence, in the terms of the Nitro
// security module (nitro 2.2), so that nitro and sim share one commit sequence. Internal to this
// room.
#ifndef QUORATE_TEE_PROVIDER_H
#define QUORATE_TEE_PROVIDER_H

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

// Failures carry the security module's own names in their text: ReadOnlyIndex, InvalidIndex.
struct tee_ops {
    enum q_err (*describe)(struct tee *t, struct tee_description *out);
    enum q_err (*read)(struct tee *t, unsigned index, struct register_state *out);
    enum q_err (*extend)(struct tee *t, unsigned index, struct bytes data,
                         struct register_value *after);
    enum q_err (*lock)(struct tee *t, unsigned end); // registers 0 to end - 1
    enum q_err (*attest)(struct tee *t, struct bytes user_data, struct bytes nonce,
                         struct bytes public_key, struct buf *document);
    void (*close)(struct tee *t); // releases t too
};

// The first member of each provider's own struct.
struct tee {
    const struct tee_ops *ops;
    const char *name;
    bool simulated;
    struct buf root; // DER
};

enum q_err sim_open(const struct tee_options *options, struct tee **out);
enum q_err nitro_open(const struct tee_options *options, struct tee **out);

#endif
