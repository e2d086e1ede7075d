// What the manifest says about starting the application, in the form the supervisor takes (qos-behaviour
// 2.11, 7).
#ifndef QUORATE_ENCLAVE_APPLICATION_H
#define QUORATE_ENCLAVE_APPLICATION_H

#include "enclave/supervisor.h"
#include "protocol/refuse.h"

// path and the manifest's strings as C strings in arena memory. Refuses an argument or variable with a NUL
// byte in it: it could not be passed on whole.
enum q_err application_from(const struct pivot_config *pivot, const char *path, uid_t uid,
                            struct arena *a, struct application *out, struct protocol_error *why);

#endif
