// A PKCS#11 module: a library that reaches tokens, loaded only when a command asks for it. It runs inside this
// program: what it returns is checked, what it does cannot be.
#ifndef QUORATE_CLIENT_TOKEN_MODULE_H
#define QUORATE_CLIENT_TOKEN_MODULE_H

#include "base/err.h"

#include <p11-kit/pkcs11.h>
#include <stdbool.h>

struct token_module {
    void *library;
    CK_FUNCTION_LIST *f; // the functions this program calls are all there
    bool started;
};
#define TOKEN_MODULE_AUTO __attribute__((cleanup(token_module_close))) struct token_module

// Loads the library at path and starts it.
enum q_err token_module_open(const char *path, struct token_module *out);
void token_module_close(struct token_module *m); // a zeroed one is fine

// A failure: "token: what: expected it to work, found: <p11-kit's text> (0x30)".
enum q_err token_failed(CK_RV rv, const char *what);

#endif
