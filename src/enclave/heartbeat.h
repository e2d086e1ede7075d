// The sign of life that the host waits for after it started an enclave (nitro 3.4).
#ifndef QUORATE_ENCLAVE_HEARTBEAT_H
#define QUORATE_ENCLAVE_HEARTBEAT_H

#include "net/address.h"

#define HEARTBEAT_PORT 9000
#define HEARTBEAT_BYTE 0xB7

// Connects, sends the byte, waits for the same byte; each within within_ms. Q_TIMEOUT, or what the
// peer did instead.
enum q_err heartbeat(const struct address *host, int within_ms);

#endif
