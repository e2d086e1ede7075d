// The example application's two routes over libmicrohttpd: GET /health and POST /echo.
#ifndef SIGNED_ECHO_HTTP_H
#define SIGNED_ECHO_HTTP_H

#include <stdint.h>

// Serves on an IPv4 address in a thread of its own; quorum_file must stay valid. NULL when it cannot,
// and then one sentence on stderr says why.
struct MHD_Daemon;
struct MHD_Daemon *http_start(const char *ip, uint16_t port, const char *quorum_file);
void http_stop(struct MHD_Daemon *daemon);

#endif
