// The files an enclave host is set up with, read for "doctor": what qos_enclave is told (a file of
// NAME=value lines, as systemd and docker read them) and what nitro-cli's allocator reserves.
#ifndef QUORATE_CLIENT_ENCLAVE_SETTINGS_H
#define QUORATE_CLIENT_ENCLAVE_SETTINGS_H

#include "base/bytes.h"

struct enclave_settings {
    char eif_path[1024];
    uint32_t cid, memory_mib, cpu_count;
    bool debug, logs;
};
extern const struct enclave_settings enclave_settings_default; // qos-behaviour 6

// Starts from the defaults. Q_BAD_INPUT names the line that qos_enclave would refuse; names it does not
// know are passed over.
enum q_err enclave_settings_read(struct bytes text, struct enclave_settings *out);

// memory_mib and cpu_count of /etc/nitro_enclaves/allocator.yaml; cpus 0: a cpu_pool is named instead. Not a
// parser of YAML: refuses a file in which they are missing, appear twice or are no plain numbers.
struct allocator_settings {
    uint32_t memory_mib, cpu_count;
};
enum q_err allocator_settings_read(struct bytes text, struct allocator_settings *out);

#endif
