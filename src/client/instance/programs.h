// The small programs around an instance that are no commands of qos_client, each one command (renclave 4).
#ifndef QUORATE_CLIENT_PROGRAMS_H
#define QUORATE_CLIENT_PROGRAMS_H

#include "client/command.h"

extern const struct command command_genesis_key_generator, command_member_decryptor,
    command_share_injector, command_verification_tool;

#endif
