// The binding of a posted share: what post-share signs beside the approval, so that a share cannot
// be replaced by garbage under a copied approval (design "A refused request changes nothing").
#ifndef QUORATE_PROTOCOL_SHARE_H
#define QUORATE_PROTOCOL_SHARE_H

#include "base/bytes.h"
#include "crypto/hash.h"

#define SHARE_BINDING_DOMAIN "quorate-share-v1"

// Bytes that are signed: domain || manifest hash (32) || u32 LE length || setup key || u32 LE
// length || ciphertext.
enum q_err share_binding_message(const uint8_t manifest_hash[static SHA256_SIZE],
                                 struct bytes setup_key, struct bytes ciphertext, struct buf *out);

#endif
