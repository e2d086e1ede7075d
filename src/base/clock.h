// Clocks: what time it is, who says so, and how far off it may be. Programs pass a struct clock down,
// so that a test can put in one that jumps.
#ifndef QUORATE_BASE_CLOCK_H
#define QUORATE_BASE_CLOCK_H

#include "base/err.h"

#include <stdint.h>

enum clock_source {
    CLOCK_SOURCE_WALL,
    CLOCK_SOURCE_BOOT,
    CLOCK_SOURCE_ATTESTED,
    CLOCK_SOURCE_GIVEN
};

struct clock_reading {
    int64_t ms;       // milliseconds since 1970-01-01 UTC (boot clock: since boot)
    int64_t error_ms; // bound on the error; -1 unknown
    enum clock_source source;
};

struct clock {
    enum q_err (*read)(void *context, struct clock_reading *out);
    void *context;
};

extern const struct clock clock_wall;       // CLOCK_REALTIME: certificates, document ages
extern const struct clock clock_since_boot; // CLOCK_BOOTTIME: deadlines, cooldowns
enum q_err clock_ms(const struct clock *c, int64_t *ms);
// Milliseconds of CLOCK_MONOTONIC, for deadlines of sockets and loops; cannot fail.
int64_t clock_monotonic_ms(void);

#endif
