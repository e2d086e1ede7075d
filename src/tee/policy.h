// Which evidence is good enough, beyond being true: a file of its owner's, asked by the client and
// by whatever passes keys on. A pure rule over claims.
#ifndef QUORATE_TEE_POLICY_H
#define QUORATE_TEE_POLICY_H

#include "codec/describe.h"
#include "tee/attestation.h"

#define POLICY_MAX_SIZE ((size_t)256 << 10)

// One image: each value that is given must be the evidence's. p == NULL: not asked.
struct policy_image {
    struct bytes value[MEASUREMENT_COUNT];
};

// The least that the firmware of a product must be, number by number.
struct policy_tcb {
    struct bytes product; // "Milan", "Genoa", "Turin"
    uint32_t fmc, bootloader, tee, snp, microcode;
};

// An empty list asks for nothing; in the file it is left out. A list that is there must be met.
struct tee_policy {
    LIST_OF(struct bytes) providers;           // "nitro", "snp", "sim"
    LIST_OF(struct policy_image) measurements; // one of these
    LIST_OF(struct policy_tcb) minimum_tcb;    // snp: a product that is not listed is refused
    LIST_OF(struct bytes) host_data;           // snp: one of these, 32 bytes each
    uint32_t *vmpl;                            // snp: exactly this one; NULL: 0
};

extern const struct type type_tee_policy;

// JSON, closed: {"providers": ["snp"], "measurements": [{"image": hex, "boot", "application",
// "role"}], "minimumTcb": [{"product": "Milan", "bootloader": 4, "tee": 0, "snp": 22, "microcode":
// 213, "fmc": 0}], "hostData": [hex], "vmpl": 0}; measurements have 32, 48 or 64 bytes.
enum q_err policy_read(struct bytes json, struct arena *a, struct tee_policy *out);
// NULL: the default, which asks for VMPL 0 alone.
enum q_err policy_check(const struct tee_policy *p, const struct claims *c);

#endif
