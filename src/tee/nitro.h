// The Nitro provider's parts that stand alone: any port instead of the device, and the root its
// evidence chains to. Internal to this room.
#ifndef QUORATE_TEE_NITRO_H
#define QUORATE_TEE_NITRO_H

#include "tee/nsm.h"

// Over a port, which it owns from here on, also when it fails. pool: where the module's randomness
// is folded in (/dev/random).
enum q_err nitro_open_port(struct nsm_port *port, const char *pool, struct tee **out);

// The root that this enclave's own documents chain to, and so what it trusts when it exports: AWS's,
// compiled in. Another definition, nitro_root_unsafe.c, which reads it from the image, is linked
// only into a program that the build option unsafe_test_root asks for.
enum q_err nitro_root(struct buf *root, bool *simulated);
#define NITRO_UNSAFE_ROOT "/unsafe-test-root.der"

#endif
