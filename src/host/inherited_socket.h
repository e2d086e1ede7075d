// A listening socket that the service manager opened (systemd's socket activation: LISTEN_PID,
// LISTEN_FDS, descriptor 3), so that the program itself need not be allowed to open it.
#ifndef QUORATE_HOST_INHERITED_SOCKET_H
#define QUORATE_HOST_INHERITED_SOCKET_H

#include "net/address.h"

// *fd: the socket, non-blocking and close-on-exec, or -1 when the manager gave this process none. It must
// listen on TCP at the address expected (port 0: any). The variables are taken from the environment.
enum q_err inherited_socket(const struct address *expected, int *fd);

#endif
