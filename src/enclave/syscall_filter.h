// What the application may not ask of the kernel: a list of system calls that are refused with EPERM
// (docs/nitro.md has it). It guards the kernel that holds the keys; it is no sandbox for the
// application's own work, so everything else is allowed.
#ifndef QUORATE_ENCLAVE_SYSCALL_FILTER_H
#define QUORATE_ENCLAVE_SYSCALL_FILTER_H

#include "base/bytes.h"

// Appends the filter, as the kernel takes it (struct sock_filter[]).
enum q_err syscall_filter_build(struct buf *out);
// Installs it in this process, for good; async-signal-safe. Needs no_new_privs. False: errno says
// why.
bool syscall_filter_install(struct bytes filter);

// The names of what is refused, sorted, for documents and tests; ends with NULL.
extern const char *const syscall_filter_names[];

#endif
