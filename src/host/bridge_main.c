// qos_bridge (see bridge.h).
#include "base/log.h"
#include "host/bridge.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int main(int argc, char **argv)
{
    (void)setvbuf(stdout, NULL, _IOLBF, 0);
    log_start("qos_bridge", LOG_INFO);
    // The first word is the program's name, unless it already is an option.
    int first = argc > 0 && strncmp(argv[0], "--", 2) == 0 ? 0 : 1;
    if (bridge_run(argc > first ? argc - first : 0, argv + first) == Q_OK)
        return EXIT_SUCCESS;
    log_error("%s", err_text());
    return EXIT_FAILURE;
}
