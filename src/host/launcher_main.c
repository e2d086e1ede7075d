// qos_enclave (see launcher.h).
#include "base/log.h"
#include "host/launcher.h"

#include <stdlib.h>
#include <string.h>

int main(int argc, char **argv)
{
    log_start_json("qos_enclave", LOG_INFO);
    // The first word is the program's name, unless it already is an option.
    int first = argc > 0 && strncmp(argv[0], "--", 2) == 0 ? 0 : 1;
    if (launcher_run(argc > first ? argc - first : 0, argv + first) == Q_OK)
        return EXIT_SUCCESS;
    log_error("%s", err_text());
    return EXIT_FAILURE;
}
