// AMD's authorities over the machines that run SEV-SNP guests, one set for each kind of processor
// (nitro 5.3). The roots (ARK) are pinned; the authorities below them serve evidence that was made
// where the host gives no certificates but the machine's own. Internal to this room.
#ifndef QUORATE_TEE_AMD_CHAIN_H
#define QUORATE_TEE_AMD_CHAIN_H

#include "base/bytes.h"

struct amd_chain {
    const char *product;         // "Milan"
    struct bytes ark, ask, asvk; // DER: root; authority of chip keys (VCEK); of cloud keys (VLEK)
};

extern const struct amd_chain amd_milan, amd_genoa, amd_turin;

#define AMD_CHAINS 3
extern const struct amd_chain *const amd_chains[AMD_CHAINS];

// The product that this root stands for; NULL: it is none of the pinned ones.
const struct amd_chain *amd_chain_of_root(struct bytes der);
// By its name; NULL: unknown.
const struct amd_chain *amd_chain_of_product(struct bytes product);

#endif
