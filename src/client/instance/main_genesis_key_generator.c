// The program genesis_key_generator: its one command, and the original's "genesis_key_generator N".
#include "client/instance/programs.h"

#include <string.h>

// N members of which all are needed.
static int run_short(char *count)
{
    char member_count[] = "--member-count";
    char *const words[] = {member_count, count};
    return client_run(&command_genesis_key_generator, 2, words);
}

int main(int argc, char **argv)
{
    client_begin("genesis_key_generator");
    if (argc == 2 && argv[1][0] != '\0' && argv[1][strspn(argv[1], "0123456789")] == '\0')
        return run_short(argv[1]);
    return client_run(&command_genesis_key_generator, argc > 1 ? argc - 1 : 0, argv + 1);
}
