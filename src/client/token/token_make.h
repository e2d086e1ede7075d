// Making a member's two keys on a token: generated there, or imported from a seed (PKCS#11 v2.40,
// CKM_EC_KEY_PAIR_GEN and C_CreateObject). Private keys are sensitive and cannot be taken out.
#ifndef QUORATE_CLIENT_TOKEN_MAKE_H
#define QUORATE_CLIENT_TOKEN_MAKE_H

#include "client/token/token_key.h"

struct token_made {
    CK_OBJECT_HANDLE objects[4];
    size_t n;
};

// Q_EXISTS when something on the token has the name of one of the two keys.
enum q_err token_make_check(const struct token *t, const struct token_wanted *w);
// Makes both pairs, from seed when it is not NULL, and proves by a signature and an envelope that the keys
// work; public gets their public keys. On failure nothing of them is left on the token.
enum q_err token_make(struct token *t, const struct token_wanted *w, const struct p256_pair *seed,
                      struct token_made *made, struct p256_public *public);
// Takes off the token what was made.
void token_unmake(const struct token *t, struct token_made *made);

#endif
