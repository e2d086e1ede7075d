// The file beside a wrapped share with the member's signature over it, 128 hex characters: what
// proxy-re-encrypt-share leaves for post-share (protocol/share.h).
#ifndef QUORATE_CLIENT_SHARE_BINDING_FILE_H
#define QUORATE_CLIENT_SHARE_BINDING_FILE_H

#include "base/arena.h"
#include "crypto/p256.h"

// "<wrapped share>.binding"
enum q_err share_binding_path(const char *wrapped_path, struct arena *a, const char **out);
// *there false when there is no such file, as beside a share the original wrapped.
enum q_err share_binding_read(const char *wrapped_path, uint8_t out[static P256_SIGNATURE_SIZE],
                              bool *there);

#endif
