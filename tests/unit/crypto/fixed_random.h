// Randomness that a test chooses: a fixed stream, of which nothing may be left over and nothing
// missing.
#ifndef QUORATE_TESTS_FIXED_RANDOM_H
#define QUORATE_TESTS_FIXED_RANDOM_H

#include "base/random.h"

static struct reader fixed_stream;

static enum q_err fixed_source(uint8_t *out, size_t n)
{
    struct bytes taken;
    TRY(reader_take(&fixed_stream, n, &taken));
    memcpy(out, taken.p, n);
    return Q_OK;
}

static void fixed_random(struct bytes stream)
{
    fixed_stream = reader_of(stream, "fixed randomness");
    random_set_source(fixed_source);
}

// Restores the kernel; call it before asserting on what was made.
static size_t fixed_random_end(void)
{
    random_set_source(NULL);
    return reader_left(&fixed_stream);
}

#endif
