// qos_client, also installed as quorate.
#include "client/command.h"

int main(int argc, char **argv)
{
    return client_main(argc, argv);
}
