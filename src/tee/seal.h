// Sealing: a secret that only the same image on the same machine can read again, in a file that
// says by whom and how it was sealed. With SEV-SNP the key comes from the processor, simulated from
// the simulation's PKI; Nitro has none.
#ifndef QUORATE_TEE_SEAL_H
#define QUORATE_TEE_SEAL_H

#include "base/secret.h"
#include "tee/tee.h"

#define SEAL_KEY_SIZE 32
#define SEAL_MAX_SECRET ((size_t)64 << 10)

// Appends the sealed form of a secret of 1 to SEAL_MAX_SECRET bytes. purpose ("quorum key") is part
// of it: bytes sealed for one are refused for another. Q_UNSUPPORTED where the provider has no such
// key.
enum q_err tee_seal(struct tee *t, const char *purpose, struct bytes secret, struct buf *out);
// Errors tell apart: not sealed bytes, another provider, another purpose, another image, another
// machine, and damage.
enum q_err tee_unseal(struct tee *t, const char *purpose, struct bytes sealed, struct secret *out);

// The same with a file, which errors name. A file that is there already is never replaced
// (Q_EXISTS).
enum q_err tee_seal_file(struct tee *t, const char *purpose, struct bytes secret, const char *path);
enum q_err tee_unseal_file(struct tee *t, const char *purpose, const char *path,
                           struct secret *out);

#endif
