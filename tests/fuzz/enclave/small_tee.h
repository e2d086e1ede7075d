// A TEE of registers and nothing else, for fuzzing what stands on it: fast, and it fails or lies when asked.
#ifndef QUORATE_TESTS_FUZZ_SMALL_TEE_H
#define QUORATE_TESTS_FUZZ_SMALL_TEE_H

#include "tee/provider.h"

struct small_tee {
    struct tee tee; // first, see tee/provider.h
    struct register_value registers[TEE_REGISTERS];
    uint64_t locked;
    unsigned fails_at; // the n-th call from now fails; 0: none
    unsigned lies_at;  // the n-th call from now tells another value than it has; 0: none
    bool failed, lied;
    struct bytes about_itself; // a document, for who asks about nothing else
};

// Registers zero, nothing locked, nothing to go wrong.
void small_tee_reset(struct small_tee *t);
// From now on its root is this, and it attests to itself with this document.
void small_tee_believe(struct small_tee *t, struct buf root, struct bytes about_itself);

#endif
