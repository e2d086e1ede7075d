// PID 1 of an enclave's image: what has to be there before qos_core can serve, and how the machine
// ends (qos-behaviour 5, nitro 3.4). What is below takes its paths and system calls as parameters,
// so that it can be tested by a process that is nobody's init.
#ifndef QUORATE_ENCLAVE_INIT_H
#define QUORATE_ENCLAVE_INIT_H

#include "enclave/kernel_line.h"

#include <sys/types.h>

// The kernel started us as /init. Its other words, "nomodules" for example, may have become our
// arguments: they mean nothing. A container's first process that has another name is not this.
bool init_is_wanted(pid_t pid, const char *program);

struct init_place {
    struct kernel_line line;
    uint32_t cid; // ours
};
// Mounts, console, heartbeat, module, random generator, loopback, in this order. Fails only when
// the enclave must not serve: no security module behind the kernel's randomness, no vsock, a
// command line that cannot be understood.
enum q_err init_start(struct init_place *out);

// Ends the machine: restarts it when all is well, else switches it off.
_Noreturn void init_end(bool well);

// The table of mounts, each by mount_one, which is mount(2); a failure is logged, and the rest goes
// on. Folders that are missing are made under root ("" for the real one).
typedef int (*mount_function)(const char *source, const char *target, const char *type,
                              unsigned long flags, const void *options);
void init_mount_all(const char *root, mount_function mount_one);
// Standard streams become the console; what cannot be opened becomes /dev/null.
void init_console(const char *console);
// The driver, when the image has it as a module. A failure is logged: the kernel may have it built in.
void init_load_module(const char *path);
// Q_TEE unless the kernel's hardware generator is the security module.
enum q_err init_check_generator(const char *path);
// 127.0.0.1, where applications listen. A failure is logged: not every kernel has TCP.
void init_loopback(void);
enum q_err init_own_cid(const char *device, uint32_t *cid);

#endif
