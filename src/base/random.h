// Randomness from the kernel (getrandom). The source can be replaced by a test.
#ifndef QUORATE_BASE_RANDOM_H
#define QUORATE_BASE_RANDOM_H

#include "base/err.h"

#include <stddef.h>
#include <stdint.h>

enum q_err random_bytes(uint8_t *out, size_t n);
// For tests only: NULL restores the kernel.
void random_set_source(enum q_err (*source)(uint8_t *out, size_t n));

#endif
