// Locked memory and what a program does at its start to keep secrets in it (see secret.h).
#include "base/secret.h"

#include <openssl/crypto.h>
#include <sodium.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <errno.h>

#define OPENSSL_SECURE_HEAP ((size_t)256 << 10)
#define OPENSSL_SECURE_MIN 32

// Set once, at the start.
static bool must_be_locked;

static enum q_err no_core_dumps(void)
{
    const struct rlimit none = {0, 0};
    if (setrlimit(RLIMIT_CORE, &none) != 0)
        return fail_os(errno, "core dumps: cannot be switched off");
    if (prctl(PR_SET_DUMPABLE, 0) != 0)
        return fail_os(errno, "core dumps: PR_SET_DUMPABLE 0 was refused");
    return Q_OK;
}

// sodium_malloc ignores a failing mlock, so one page is locked here to see whether it works.
static enum q_err memory_can_be_locked(void)
{
    static uint8_t page[4096] __attribute__((aligned(4096)));
    if (mlock(page, sizeof page) != 0)
        return fail_os(errno, "secret memory cannot be locked (raise RLIMIT_MEMLOCK, or say "
                              "--allow-unlocked-memory)");
    (void)munlock(page, sizeof page);
    return Q_OK;
}

enum q_err secret_init(bool allow_unlocked)
{
    // OPENSSL_INIT_NO_LOAD_CONFIG: an openssl.cnf of the host decides nothing here.
    if (OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, NULL) != 1)
        return fail(Q_INTERNAL, "OpenSSL: cannot be started");
    if (sodium_init() < 0)
        return fail(Q_INTERNAL, "libsodium: cannot be started");
    TRY(no_core_dumps());
    if (!allow_unlocked) {
        enum q_err locked = memory_can_be_locked();
        if (locked != Q_OK)
            return Q_NOMEM;
    }
    // 1: locked; 2: made, but its memory could not be locked; 0: not made.
    int heap = CRYPTO_secure_malloc_initialized()
                   ? 1
                   : CRYPTO_secure_malloc_init(OPENSSL_SECURE_HEAP, OPENSSL_SECURE_MIN);
    if (heap == 2 && !allow_unlocked)
        (void)CRYPTO_secure_malloc_done(); // so that a second try does not find a heap and trust it
    if (heap == 0 || (heap == 2 && !allow_unlocked))
        return fail(Q_NOMEM,
                    "OpenSSL's secure heap: %zu bytes cannot be locked (raise "
                    "RLIMIT_MEMLOCK, or say --allow-unlocked-memory)",
                    OPENSSL_SECURE_HEAP);
    must_be_locked = !allow_unlocked;
    return Q_OK;
}

enum q_err secret_new(struct secret *s, size_t n)
{
    *s = (struct secret){NULL, 0};
    if (n == 0)
        return fail(Q_INTERNAL, "secret memory: asked for 0 bytes");
    // Cheap when done before; a test or library user may come here without secret_init.
    if (sodium_init() < 0)
        return fail(Q_INTERNAL, "libsodium: cannot be started");
    uint8_t *p = sodium_malloc(n);
    if (p == NULL)
        return fail(Q_NOMEM, "secret memory: no room for %zu bytes", n);
    // sodium_malloc locks its pages too, but says nothing when it cannot.
    if (must_be_locked && mlock(p, n) != 0) {
        int why = errno;
        sodium_free(p);
        return fail_os(why,
                       "secret memory: %zu bytes cannot be locked (raise RLIMIT_MEMLOCK, or say "
                       "--allow-unlocked-memory)",
                       n);
    }
    memset(p, 0, n);
    *s = (struct secret){p, n};
    return Q_OK;
}

enum q_err secret_copy(struct secret *s, struct bytes from)
{
    TRY(secret_new(s, from.n));
    memcpy(s->p, from.p, from.n);
    return Q_OK;
}

void secret_free(struct secret *s)
{
    sodium_free(s->p); // zeroes first
    *s = (struct secret){NULL, 0};
}

struct bytes secret_bytes(const struct secret *s)
{
    return bytes_of(s->p, s->n);
}

bool secret_equal(struct bytes a, struct bytes b)
{
    return a.n == b.n && (a.n == 0 || sodium_memcmp(a.p, b.p, a.n) == 0);
}
