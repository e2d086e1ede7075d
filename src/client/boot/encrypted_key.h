// The file that carries a quorum key from one enclave to another: an envelope to the receiver's setup key, signed by
// the quorum key itself (qos-wire 4.2, EncryptedQuorumKey).
#ifndef QUORATE_CLIENT_ENCRYPTED_KEY_H
#define QUORATE_CLIENT_ENCRYPTED_KEY_H

#include "base/arena.h"
#include "protocol/types.h"

#define ENCRYPTED_KEY_FILE_MAX ((size_t)64 << 10)

enum q_err encrypted_key_read(struct bytes file, struct arena *a, struct encrypted_quorum_key *out);
// Compact JSON.
enum q_err encrypted_key_write(const struct encrypted_quorum_key *k, struct buf *out);
// The size that such an envelope has, and the signature over it by the manifest's quorum key
// (InvalidEncryptedQuorumKeySignature).
enum q_err encrypted_key_check(const struct encrypted_quorum_key *k, const struct manifest *m);

#endif
