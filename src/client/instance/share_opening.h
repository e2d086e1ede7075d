// Members' shares in a genesis answer: whose secret it is, opening the share, and sealing it to the enclave that is
// to have it (renclave 2.3, 3.1, 4.4).
#ifndef QUORATE_CLIENT_SHARE_OPENING_H
#define QUORATE_CLIENT_SHARE_OPENING_H

#include "client/instance/genesis_answer.h"

// A secret of whichever form, and which member of this set it is of. alias NULL: whoever's it is. Q_MISSING when it is
// nobody's, or not that member's.
enum q_err secret_owner(const struct options *o, const char *secret_path,
                        const struct member_set *set, const char *alias, struct p256_pair **pair,
                        size_t *index);
// The same for the share set of a genesis.
enum q_err share_owner(const struct options *o, const char *secret_path,
                       const struct genesis_answer *g, const char *alias, struct p256_pair **pair,
                       size_t *index);
// SHARE_PLAIN_SIZE bytes: the number of that member's place, and the hash that the genesis names.
enum q_err share_of(const struct genesis_answer *g, size_t index, const struct p256_pair *pair,
                    struct secret *out);

#endif
