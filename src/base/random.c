// Randomness from the kernel (see random.h).
#include "base/random.h"

#include <errno.h>
#include <sys/random.h>

static enum q_err from_kernel(uint8_t *out, size_t n)
{
    while (n > 0) {
        ssize_t got = getrandom(out, n, 0);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return fail_os(errno, "random bytes: getrandom failed");
        out += got;
        n -= (size_t)got;
    }
    return Q_OK;
}

static enum q_err (*random_source)(uint8_t *out, size_t n) = from_kernel;

enum q_err random_bytes(uint8_t *out, size_t n)
{
    return random_source(out, n);
}

void random_set_source(enum q_err (*source)(uint8_t *out, size_t n))
{
    random_source = source == NULL ? from_kernel : source;
}
