// Starting the application's process: its own session, uid, limits and nothing of ours but three standard
// descriptors (design "Processes and trust").
#ifndef QUORATE_ENCLAVE_LAUNCH_H
#define QUORATE_ENCLAVE_LAUNCH_H

#include "enclave/supervisor.h"

struct launched {
    pid_t pid;
    int out, err; // read ends of its stdout and stderr, non-blocking; -1 unless debug
};

// Returns once the application's program has been executed. A step that failed before that is named with
// its cause; no process is left then. Its environment, arguments, uid and policy are those of a; descriptors
// above 2 are closed, signals are at their defaults, core files off, no_new_privs on, its system calls filtered,
// and it dies with us.
enum q_err launch(const struct application *a, struct launched *out);

#endif
