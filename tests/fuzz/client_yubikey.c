// Fuzz target: what PC/SC and a YubiKey tell before any key is used (client/token/yubikey_state.h). The first byte says
// which reader takes the rest.
#include "client/token/yubikey_state.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool held)
{
    if (!held)
        abort();
}

static void check_readers(struct bytes in)
{
    char name[YUBIKEY_READER_SIZE];
    if (yubikey_only_reader(in, name) != Q_OK)
        return;
    size_t n = strlen(name);
    must(n > 0 && memmem(in.p, in.n, name, n + 1) != NULL);
}

static void check_metadata(struct bytes in)
{
    uint8_t algorithm = 0;
    if (yubikey_management_algorithm(in, &algorithm) != Q_OK)
        return;
    const uint8_t entry[] = {1, 1, algorithm};
    must(memmem(in.p, in.n, entry, sizeof entry) != NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    struct bytes in = bytes_of(data + 1, size - 1);
    if (data[0] == 0)
        check_readers(in);
    else
        check_metadata(in);
    return 0;
}
