// The settings of qos_enclave and of nitro-cli's allocator, as doctor reads them: what is accepted is within its
// bounds.
#include "client/survey/enclave_settings.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes in = bytes_of(data, size);
    struct enclave_settings s;
    struct allocator_settings a;
    if (enclave_settings_read(in, &s) == Q_OK &&
        (s.cid < 4 || s.memory_mib == 0 || s.cpu_count == 0 || s.eif_path[0] == '\0' ||
         memchr(s.eif_path, 0, sizeof s.eif_path) == NULL))
        abort();
    if (allocator_settings_read(in, &a) == Q_OK && a.memory_mib == 0)
        abort();
    return 0;
}
