// What the platform says of itself, as a manifest records it (renclave 3.2): measured registers 0 to 3, the root that
// its evidence chains to, and the build.
#ifndef QUORATE_ENCLAVE_PLATFORM_H
#define QUORATE_ENCLAVE_PLATFORM_H

#include "base/arena.h"
#include "protocol/types.h"
#include "tee/tee.h"

#define PLATFORM_PCRS 4

// All of it is arena memory.
enum q_err platform_measure(struct tee *tee, struct arena *a, struct nitro_config *out);
// Registers 0 to 3 and the root of a manifest are ours; the sentence names the one that is not.
enum q_err platform_is(struct tee *tee, const struct nitro_config *manifest);

#endif
