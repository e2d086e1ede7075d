// For test programs only (build option unsafe_test_root): a root from a file of the image, for a
// machine whose security module signs with a test PKI. No released program contains this.
#include "base/file.h"
#include "base/log.h"
#include "tee/nitro.h"

#define ROOT_MAX 4096

enum q_err nitro_root(struct buf *root, bool *simulated)
{
    log_warn("UNSAFE TEST BUILD: this enclave trusts the root in %s; its keys are worth nothing",
             NITRO_UNSAFE_ROOT);
    *simulated = true;
    return file_read_regular(NITRO_UNSAFE_ROOT, ROOT_MAX, root);
}
