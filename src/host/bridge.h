// qos_bridge: TCP connections for the enclave's application (qos-behaviour 4.1). It asks qos_host for the
// manifest again and again, and serves the addresses that it names.
#ifndef QUORATE_HOST_BRIDGE_H
#define QUORATE_HOST_BRIDGE_H

#include "base/err.h"

// words: argv without the program's name. Runs until SIGTERM or SIGINT; also --help and --version.
enum q_err bridge_run(int words_count, char *const *words);

#endif
