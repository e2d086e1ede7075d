// Is this machine fit to hold secrets, and whom does it trust (see doctor.h).
#include "client/survey/doctor.h"

#include "client/attestation/trust_root.h"

#include <inttypes.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>

// OpenSSL's secure heap (base/secret.c) and a handful of guarded pages.
#define LOCKED_MEMORY_NEEDED ((size_t)512 << 10)

enum q_err doctor_memory(struct findings *out, bool lockable, uint64_t limit)
{
    if (lockable)
        return Q_OK;
    return finding_add(out, FINDING_ERROR, "memory-lock", "this machine",
                       "ulimit -l 8192 (lasting: \"memlock\" in /etc/security/limits.conf)",
                       "expected that %zu KiB of memory can be locked for secrets, found a limit "
                       "of %" PRIu64 " KiB: commands with secrets do not start",
                       LOCKED_MEMORY_NEEDED >> 10, limit >> 10);
}

// Tried, for some users may lock more than the limit says.
static bool try_to_lock(void)
{
    void *p = mmap(NULL, LOCKED_MEMORY_NEEDED, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
                   -1, 0);
    if (p == MAP_FAILED)
        return false;
    bool locked = mlock(p, LOCKED_MEMORY_NEEDED) == 0;
    (void)munmap(p, LOCKED_MEMORY_NEEDED);
    return locked;
}

enum q_err doctor_memory_here(struct findings *out)
{
    struct rlimit limit = {0};
    (void)getrlimit(RLIMIT_MEMLOCK, &limit);
    return doctor_memory(out, try_to_lock(), (uint64_t)limit.rlim_cur);
}

enum q_err doctor_root(const struct patient *p, const char *why_not_loaded)
{
    const char *option = options_value(p->o, "attestation-root-path");
    const char *where = option != NULL ? option : TRUST_ROOT_VARIABLE;
    if (p->trust == NULL)
        return finding_add(p->out, FINDING_ERROR, "bad-root", where,
                           "unset " TRUST_ROOT_VARIABLE ", or name a readable root", "%s",
                           why_not_loaded);
    if (p->trust->simulated)
        return finding_add(p->out, FINDING_WARNING, "simulated-root", where,
                           "unset " TRUST_ROOT_VARIABLE " (or leave --attestation-root-path out)",
                           "SIMULATED: this machine trusts the root of a simulated TEE, which no "
                           "hardware protects: fine for a rehearsal, never for a real key");
    struct bytes root = buf_bytes(&p->trust->root);
    if (!bytes_equal(root, attestation_aws_root) && attestation_amd_product(root) == NULL)
        return finding_add(
            p->out, FINDING_ERROR, "unknown-root", where,
            "unset " TRUST_ROOT_VARIABLE " (or leave --attestation-root-path out)",
            "this machine trusts a root that is neither AWS's nor AMD's nor marked as "
            "simulated");
    return Q_OK;
}
