// Which token, which of its keys, and whose PIN: what the command line says of a member's token
// (OPTIONS_KEY, OPTIONS_TOKEN).
#ifndef QUORATE_CLIENT_TOKEN_WANTED_H
#define QUORATE_CLIENT_TOKEN_WANTED_H

#include "base/options.h"
#include "base/secret.h"

#include <p11-kit/pkcs11.h>
#include <stdio.h>

#define TOKEN_NAME_MAX 64

// A key is named by its label, or by its identifier: "id:02" on the command line.
struct token_key_name {
    const char *text;     // as on the command line
    CK_ATTRIBUTE_TYPE by; // CKA_LABEL or CKA_ID
    uint8_t value[TOKEN_NAME_MAX];
    size_t n;
};

struct token_wanted {
    const char *module;   // path
    const char *uri;      // RFC 7512; NULL: the only token there is
    const char *pin_path; // NULL: asked for on the terminal
    struct token_key_name encryption, signing;
    FILE *tap; // where to ask for a touch before each use of a key; NULL: the token needs none
};

// --pkcs11-module and what goes with it.
enum q_err token_wanted_read(const struct options *o, struct token_wanted *out);
// --yubikey: PIV slots 9d (encryption) and 9c (signing), reached through ykcs11.
enum q_err token_wanted_yubikey(const struct options *o, struct token_wanted *out);

// The PIN: the first line of the file path, or asked for when path is NULL. 1 to 255 bytes without NUL.
enum q_err pin_read(const char *path, const char *question, struct secret *out);
#define PIN_QUESTION "Enter your pin: "

#endif
