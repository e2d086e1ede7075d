// Giving an enclave its manifest and application: boot-standard and dangerous-dev-boot
// (qos-behaviour 1.6, qos-wire 4.3).
#ifndef QUORATE_CLIENT_BOOT_POST_H
#define QUORATE_CLIENT_BOOT_POST_H

#include "client/host_link.h"

// document: the booted enclave's attestation document, in the arena.
enum q_err boot_post(const struct host_link *host, const struct boot_request *request,
                     struct arena *a, struct bytes *document);

#endif
