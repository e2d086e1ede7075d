// The shares that members have posted to an enclave that waits for its quorum key (qos-behaviour 2.7, with
// the rules of design "Compatible, and better"): one share a member, distinct x, right length, and shares
// that their sender signed ("bound") before shares that anybody could have sent under a copied approval.
//
// Lists are values over shares that somebody owns: a handler derives the next list from the present one,
// tries it, and only then lets the present one become it. No function here changes more than its result.
#ifndef QUORATE_CUSTODY_SHARES_H
#define QUORATE_CUSTODY_SHARES_H

#include "crypto/p256.h"
#include "crypto/shamir.h"
#include "protocol/manifest.h"

#define SHARE_SIZE (P256_SEED_SIZE + 1) // x || one byte per byte of the seed

struct held_share {
    size_t member; // index into the share set
    bool bound;    // the member's signature over share_binding_message() was verified
    uint8_t signature[P256_SIGNATURE_SIZE]; // of the approval that came with it
    struct secret share;                    // SHARE_SIZE bytes
};

// signature: of the verified approval; plaintext is taken over (and released when the call fails).
// InvalidShare for another length or x = 0.
enum q_err held_share_new(size_t member, bool bound,
                          const uint8_t signature[static P256_SIGNATURE_SIZE],
                          struct secret *plaintext, struct held_share **out,
                          struct protocol_error *why);
void held_share_free(struct held_share **s); // zeroes; safe on NULL

struct share_list {
    struct held_share *items[SHAMIR_MAX_SHARES];
    size_t n;
};

// *next: now with posted in it, as the last. A later share of a member takes the place of the earlier one, but an
// unbound one never that of a bound one (InvalidShare). An x that somebody else's share has: a bound share
// puts out an unbound one, else QosCrypto("Vsss(SharingDuplicateIdentifier)"). In a development share set
// the one member may hold several shares of different x.
enum q_err shares_with(const struct share_list *now, struct held_share *posted,
                       const struct member_set *set, struct share_list *next,
                       struct protocol_error *why);
// Rebuilds the quorum key from all shares of the list. Another key than quorum_key:
// ReconstructionErrorIncorrectPubKey, with a sentence that names the aliases.
enum q_err shares_combine(const struct share_list *list, const struct member_set *set,
                          struct bytes quorum_key, struct p256_pair **out,
                          struct protocol_error *why);
// What stays of a list that did not rebuild the key: the bound shares when unbound ones took part (so that
// garbage can never push out what members signed), otherwise nothing.
void shares_after_failure(const struct share_list *failed, struct share_list *next);
// Whether this very share is in the list; whether two lists are of the very same shares.
bool shares_have(const struct share_list *list, const struct held_share *s);
bool shares_same(const struct share_list *a, const struct share_list *b);
// Appends "alice, bob": whose shares in the list nobody signed, as people may see the names.
enum q_err shares_unsigned_aliases(const struct share_list *list, const struct member_set *set,
                                   struct buf *out);
// *now becomes next; shares of now, and posted, that are not in next are released.
void shares_become(struct share_list *now, const struct share_list *next,
                   struct held_share *posted);
void shares_release(struct share_list *now);

// One approval per member that has a share in the list, in the list's order: what the envelope records.
// Points into the list's shares and the set.
enum q_err shares_approvals(const struct share_list *list, const struct member_set *set,
                            struct arena *a, struct manifest_envelope *envelope);

#endif
