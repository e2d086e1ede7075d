// What runs the enclave for qos_enclave: nitro-cli on a Nitro host, or QEMU for development. Each begins,
// tells what it is asked, and ends, on the event loop.
#ifndef QUORATE_HOST_ENCLAVE_MACHINE_H
#define QUORATE_HOST_ENCLAVE_MACHINE_H

#include "host/launcher_settings.h"
#include "net/loop.h"

struct machine_events {
    void (*started)(void *context);
    void (*failed)(
        void *context); // it did not start, or ended by itself (QEMU); the sentence is recorded
    void (*running)(void *context, bool running);
    void (*console)(void *context, struct bytes line);
    void (*stopped)(void *context);
    void *context;
};

// One event answers each call, never before it has returned. stop is called once, after started.
struct machine_type {
    enum q_err (*start)(struct loop *l, const struct launcher_settings *s,
                        const struct machine_events *events, void **machine);
    enum q_err (*ask)(void *machine);
    enum q_err (*stop)(void *machine);
    void (*free)(void *machine); // ends what still runs of its programs
};
extern const struct machine_type machine_nitro; // nitro_machine.c
extern const struct machine_type machine_qemu;  // qemu_machine.c

#endif
