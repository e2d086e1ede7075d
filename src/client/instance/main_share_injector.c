// The program share_injector, which is one command.
#include "client/instance/programs.h"

int main(int argc, char **argv)
{
    client_begin("share_injector");
    return client_run(&command_share_injector, argc > 1 ? argc - 1 : 0, argv + 1);
}
