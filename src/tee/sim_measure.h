// The registers of a simulated enclave before anything extends them. Internal to this room.
#ifndef QUORATE_TEE_SIM_MEASURE_H
#define QUORATE_TEE_SIM_MEASURE_H

#include "tee/provider.h"

// PCR0 to PCR2 from the SHA-384 of a whole file (a descriptor of the running program), each under
// its own domain, so that they differ from each other and change together.
enum q_err sim_measure_binary(int fd, struct register_value registers[static TEE_REGISTERS]);

// "<hex> PCR<n>" lines (qos-behaviour 2.1): n < 32, values of 32, 48 or 64 bytes, blank lines
// allowed, no register twice.
enum q_err sim_seed_registers(const char *path,
                              struct register_value registers[static TEE_REGISTERS]);

#endif
