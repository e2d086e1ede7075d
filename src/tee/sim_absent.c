// Stands for the simulated TEE in programs that are built without it (-Dsim=false), as those of enclave
// images are (design "TEE providers").
#include "tee/provider.h"

enum q_err sim_open(const struct tee_options *options, struct tee **out)
{
    (void)options;
    *out = NULL;
    return fail(Q_UNSUPPORTED,
                "expected a program with the simulated TEE, found one that was built "
                "without it, as those of enclave images are");
}
