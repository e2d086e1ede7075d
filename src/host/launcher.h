// qos_enclave: starts one enclave and says over HTTP whether it runs (qos-behaviour 6). It sees nothing of
// the enclave's secrets, and with DEBUG=true it makes an enclave that keeps none.
#ifndef QUORATE_HOST_LAUNCHER_H
#define QUORATE_HOST_LAUNCHER_H

#include "base/err.h"

// Runs until SIGINT or SIGTERM, which end the enclave and give Q_OK.
enum q_err launcher_run(int words_count, char *const *words);

#endif
