// The program verification_tool, which is one command.
#include "client/instance/programs.h"

int main(int argc, char **argv)
{
    client_begin("verification_tool");
    return client_run(&command_verification_tool, argc > 1 ? argc - 1 : 0, argv + 1);
}
