// Fuzz target: any bytes as a genesis output file. Borsh has one form only: what is read is written
// back as the same bytes.
#include "protocol/genesis.h"
#include "protocol/manifest.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    ARENA_AUTO a = {0};
    BUF_AUTO out = {0};
    struct genesis_output g;
    struct bytes in = bytes_of(data, size);
    if (genesis_output_read(in, &a, &g) != Q_OK)
        return 0;
    if (genesis_output_write(&g, &out) != Q_OK || !bytes_equal(buf_bytes(&out), in))
        abort();
    (void)genesis_output_matches(&g, &g.set, g.dr_key);
    (void)genesis_set_check(&g.set, NULL);
    return 0;
}
