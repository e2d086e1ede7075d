// A session with one token (PKCS#11 v2.40): found by its URI, logged in to with the member's PIN, its
// objects found by class and name. Lengths, handles and texts it returns are checked as input from others.
#ifndef QUORATE_CLIENT_TOKEN_H
#define QUORATE_CLIENT_TOKEN_H

#include "client/token/token_module.h"
#include "client/token/token_wanted.h"

#define TOKEN_SLOTS_MAX 64

struct token {
    struct token_module module;
    CK_SLOT_ID slot;
    CK_SESSION_HANDLE session;
    bool open, logged_in;
    struct secret pin; // empty until token_pin
    FILE *tap;
};
#define TOKEN_AUTO __attribute__((cleanup(token_close))) struct token

// Every slot with a token in it whose URI matches wanted (NULL: all), in the module's order.
struct token_found {
    CK_SLOT_ID slots[TOKEN_SLOTS_MAX];
    CK_TOKEN_INFO infos[TOKEN_SLOTS_MAX];
    size_t n;
};
enum q_err token_search(const struct token_module *m, const char *uri, struct token_found *out);
// "pkcs11:model=...;token=...", without a character that a terminal could take amiss.
enum q_err token_uri(const CK_TOKEN_INFO *info, struct buf *out);

// Opens a session with the one token that w names; Q_MISSING when there is none, Q_REFUSED when there are
// several. Does not log in.
enum q_err token_open(const struct token_wanted *w, bool writes, struct token *out);
void token_close(struct token *t); // logs out; a zeroed one is fine

// Reads the PIN (not where the token has a keypad of its own) and logs in once, so that a wrong one is known
// before anything else. Never tries a second time; says how many tries are left where the token tells.
enum q_err token_pin(struct token *t, const char *path, const char *question);
// Logs in when that is not done yet; afresh logs out first, after which handles of private objects are
// void: for a key that wants a PIN each time.
enum q_err token_login(struct token *t, bool afresh);
// The login that a key with CKA_ALWAYS_AUTHENTICATE wants between C_SignInit and C_Sign.
enum q_err token_login_for_use(const struct token *t);

// The object of this class and name; Q_MISSING when there is none, Q_REFUSED when there are several.
enum q_err token_find(const struct token *t, CK_OBJECT_CLASS class,
                      const struct token_key_name *name, CK_OBJECT_HANDLE *out);
// A value of 1 to limit bytes.
enum q_err token_attribute(const struct token *t, CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type,
                           size_t limit, struct buf *out);
// False also when the token does not know the attribute.
bool token_flag(const struct token *t, CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type);

#endif
