// The application's DNS resolvers: /etc/resolv.conf from the manifest (qos-behaviour 2.11, step 3).
#ifndef QUORATE_ENCLAVE_RESOLVERS_H
#define QUORATE_ENCLAVE_RESOLVERS_H

#include "protocol/types.h"

// "nameserver <address>" lines, replaced atomically; an empty file for an empty list. Without dns
// in the manifest, or with path NULL, nothing is touched.
enum q_err resolvers_publish(const struct dns_config *dns, const char *path);

#endif
