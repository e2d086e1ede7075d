// The certificates between a document's key and the trusted root, and what they must keep together:
// a common time of validity and signatures up to the root (nitro 4, 5.3). OpenSSL builds the chain.
// Internal to this room.
#ifndef QUORATE_TEE_CHAIN_H
#define QUORATE_TEE_CHAIN_H

#include "tee/certificate.h"

#define CHAIN_MAX_DEPTH 8 // certificates above the leaf

struct chain {
    X509 *leaf;
    STACK_OF(X509) * intermediates;
    int64_t not_before_s, not_after_s; // when all of them and the root are valid
};

enum q_err chain_start(struct chain *c, const struct trust *trust);
// Both take x, which they release also after a failure.
enum q_err chain_add(struct chain *c, X509 *x, const char *what); // an intermediate
enum q_err chain_set_leaf(struct chain *c, X509 *x, const char *what);
void chain_free(struct chain *c); // a zeroed one is fine

// made_s: when the evidence says it was made, named as the time that would do; 0: it does not say.
enum q_err chain_check_time(const struct chain *c, int64_t at_s, int64_t made_s);
// Signatures, names, CA flags, path lengths and name constraints. What each certificate must keep
// alone (critical extensions too) and the time are checked elsewhere.
enum q_err chain_check_signatures(const struct chain *c, const struct trust *trust);

#endif
