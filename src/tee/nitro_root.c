// The root of genuine Nitro evidence (see nitro.h). Alone in this file, so that a test program can
// be linked with another definition.
#include "tee/nitro.h"

enum q_err nitro_root(struct buf *root, bool *simulated)
{
    *simulated = false;
    return buf_append(root, attestation_aws_root);
}
