// Readying an application's process for secrets (design "Secrets"): as our own programs do it, but
// a machine where memory cannot be locked may be accepted, and is told apart.
#include "app/boundary.h"
#include "base/secret.h"
#include "codec/json.h"

#include <sys/mman.h>

// OpenSSL's secure heap and some room for keys.
#define TO_BE_LOCKED ((size_t)512 << 10)

// Asked before anything is set up: libsodium and OpenSSL go on quietly where locking fails.
static bool memory_can_be_locked(void)
{
    void *probe =
        mmap(NULL, TO_BE_LOCKED, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (probe == MAP_FAILED)
        return false;
    bool locked = mlock(probe, TO_BE_LOCKED) == 0;
    (void)munmap(probe, TO_BE_LOCKED);
    return locked;
}

static enum q_err start(bool allow_unlocked, bool *locked)
{
    bool can = memory_can_be_locked();
    if (!can && !allow_unlocked)
        return fail(Q_NOMEM,
                    "memory for secrets: expected to lock %zu bytes, found that they cannot be "
                    "(raise RLIMIT_MEMLOCK, or allow unlocked memory)",
                    TO_BE_LOCKED);
    TRY(secret_init(!can));
    TRY(json_start());
    if (locked != NULL)
        *locked = can;
    return Q_OK;
}

enum app_status app_start(bool allow_unlocked, bool *locked)
{
    return status_of(start(allow_unlocked, locked));
}
