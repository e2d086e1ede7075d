// Giving a wrapped share to the enclave it was wrapped for: post-share and bundles
// (qos-behaviour 1.6).
#ifndef QUORATE_CLIENT_SHARE_POST_H
#define QUORATE_CLIENT_SHARE_POST_H

#include "client/host_link.h"

// binding: the member's signature over the ciphertext, p == NULL: none. Prints whether the quorum
// key has been reconstructed; says what a refusal means.
enum q_err share_post(const struct host_link *host, const struct approval *approval,
                      struct bytes share, struct bytes binding);

#endif
