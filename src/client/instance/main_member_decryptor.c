// The program member_decryptor, which is one command.
#include "client/instance/programs.h"

int main(int argc, char **argv)
{
    client_begin("member_decryptor");
    return client_run(&command_member_decryptor, argc > 1 ? argc - 1 : 0, argv + 1);
}
