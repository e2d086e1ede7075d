// Clocks of the operating system (see clock.h).
#include "base/clock.h"

#include <errno.h>
#include <stddef.h>
#include <time.h>

static enum q_err read_os(clockid_t id, enum clock_source source, struct clock_reading *out)
{
    struct timespec now;
    if (clock_gettime(id, &now) != 0)
        return fail_os(errno, "clock %d: cannot be read", (int)id);
    *out = (struct clock_reading){
        .ms = (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000, .error_ms = -1, .source = source};
    return Q_OK;
}

static enum q_err read_wall(void *context, struct clock_reading *out)
{
    (void)context;
    return read_os(CLOCK_REALTIME, CLOCK_SOURCE_WALL, out);
}

static enum q_err read_boot(void *context, struct clock_reading *out)
{
    (void)context;
    return read_os(CLOCK_BOOTTIME, CLOCK_SOURCE_BOOT, out);
}

const struct clock clock_wall = {read_wall, NULL};
const struct clock clock_since_boot = {read_boot, NULL};

enum q_err clock_ms(const struct clock *c, int64_t *ms)
{
    struct clock_reading now;
    TRY(c->read(c->context, &now));
    *ms = now.ms;
    return Q_OK;
}

int64_t clock_monotonic_ms(void)
{
    struct timespec now = {0};
    (void)clock_gettime(CLOCK_MONOTONIC, &now); // cannot fail on Linux with a valid pointer
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}
