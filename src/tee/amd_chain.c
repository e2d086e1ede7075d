// Finding one of AMD's pinned sets of authorities (see amd_chain.h).
#include "tee/amd_chain.h"

const struct amd_chain *const amd_chains[AMD_CHAINS] = {&amd_milan, &amd_genoa, &amd_turin};

const struct amd_chain *amd_chain_of_root(struct bytes der)
{
    for (size_t i = 0; i < AMD_CHAINS; i++) {
        if (bytes_equal(amd_chains[i]->ark, der))
            return amd_chains[i];
    }
    return NULL;
}

const struct amd_chain *amd_chain_of_product(struct bytes product)
{
    for (size_t i = 0; i < AMD_CHAINS; i++) {
        if (bytes_is(product, amd_chains[i]->product))
            return amd_chains[i];
    }
    return NULL;
}
