// The program genesis_key_generator: its one command, and the original's "genesis_key_generator N".
#include "client/instance/programs.h"

#include <string.h>

static bool is_number(const char *word)
{
    return *word != '\0' && word[strspn(word, "0123456789")] == '\0';
}

int main(int argc, char **argv)
{
    static char member_count[] = "--member-count";
    client_begin("genesis_key_generator");
    if (argc < 2)
        return client_run(&command_genesis_key_generator, 0, argv);
    // A number in front is that of the members; the program's name makes room for the option.
    if (!is_number(argv[1]))
        return client_run(&command_genesis_key_generator, argc - 1, argv + 1);
    argv[0] = member_count;
    return client_run(&command_genesis_key_generator, argc, argv);
}
