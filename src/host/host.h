// qos_host: HTTP for members, framed messages for the enclave. It holds no secret of the ceremony and
// decides nothing (qos-behaviour 3; design "Processes and trust").
#ifndef QUORATE_HOST_HOST_H
#define QUORATE_HOST_HOST_H

#include "base/err.h"

// words: argv without the program's name. Runs until SIGTERM or SIGINT; also --help and --version.
enum q_err host_run(int words_count, char *const *words);

#endif
