// Whatever nitro-cli prints: its answers and errors are read without harm, and an id that is taken from them is
// a word that no program takes for an option.
#include "host/nitro_cli.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes in = bytes_of(data, size);
    char id[ENCLAVE_ID_SIZE];
    bool running;
    BUF_AUTO text = {0};
    if (nitro_read_started(in, id) == Q_OK &&
        (id[0] == '\0' || id[0] == '-' || strlen(id) >= sizeof id))
        abort();
    if (nitro_read_running(in, "i-0abc-enc1", &running) != Q_OK && running)
        abort();
    if (nitro_error_text(in, &text) != Q_OK || text.n == 0)
        abort();
    return 0;
}
