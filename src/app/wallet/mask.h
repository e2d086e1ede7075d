// Comparisons of secret numbers: all ones for yes, all zeros for no, without a branch. Private to app/wallet.
#ifndef QUORATE_APP_WALLET_MASK_H
#define QUORATE_APP_WALLET_MASK_H

#include <stdint.h>

static inline uint64_t mask_equal(uint64_t a, uint64_t b)
{
    uint64_t difference = a ^ b;
    return ((difference | (0 - difference)) >> 63) - 1;
}

// For a and b below 2^63.
static inline uint64_t mask_below(uint64_t a, uint64_t b)
{
    return 0 - ((a - b) >> 63);
}

static inline uint64_t mask_select(uint64_t mask, uint64_t yes, uint64_t no)
{
    return (yes & mask) | (no & ~mask);
}

#endif
