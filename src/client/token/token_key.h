// A member's key inside a token: two P-256 key pairs, of which one signs (CKM_ECDSA) and one agrees
// (CKM_ECDH1_DERIVE). A place of keys of member_key.h.
#ifndef QUORATE_CLIENT_TOKEN_KEY_H
#define QUORATE_CLIENT_TOKEN_KEY_H

#include "client/member_key.h"
#include "client/token/token.h"

// Opens the token, reads the two public keys, then the PIN, and logs in.
enum q_err token_key_open(const struct token_wanted *w, struct member_key **out);
// The two public keys, from public key objects or, where there are none, certificates; needs no PIN.
enum q_err token_key_public(const struct token *t, const struct token_wanted *w,
                            struct p256_public *out);

// The two uses of the private keys, for a token that is logged in to.
enum q_err token_key_sign(struct token *t, const struct token_key_name *name, struct bytes message,
                          uint8_t signature[static P256_SIGNATURE_SIZE]);
enum q_err token_key_decrypt(struct token *t, const struct token_key_name *name,
                             const struct p256_public *own, struct bytes envelope,
                             struct secret *out);

#endif
