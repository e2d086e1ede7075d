// What qos_enclave is told: by its environment, as the original (qos-behaviour 6), and by options for
// what the original has built in.
#ifndef QUORATE_HOST_LAUNCHER_SETTINGS_H
#define QUORATE_HOST_LAUNCHER_SETTINGS_H

#include "base/log.h"
#include "net/address.h"

enum machine_kind { MACHINE_NITRO, MACHINE_QEMU };

struct launcher_settings {
    bool help, version; // then nothing else is set
    const char *eif_path, *name;
    uint32_t cid, memory_mib, cpu_count;
    bool debug, logs;
    enum log_level log_level;
    enum machine_kind machine;
    struct address health;
    uint32_t ask_ms, stop_ms; // ask: one look at the enclave; stop: all of the end
    const char *run_folder;
    const char *nitro_cli, *qemu,
        *vsock_device; // programs: a path, or a name that is looked up in PATH
};

// environment: as getenv. The sentence of a failure names the variable, what it may be and what it is.
enum q_err launcher_settings_read(int words_count, char *const *words,
                                  char *(*environment)(const char *name),
                                  struct launcher_settings *out);
enum q_err launcher_settings_help(struct buf *out);

#endif
