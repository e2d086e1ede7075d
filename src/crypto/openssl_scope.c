// What OpenSSL says about a failure, as one sentence (see openssl_scope.h).
#include "crypto/openssl_scope.h"

#include <openssl/err.h>

enum q_err openssl_failed(const char *what)
{
    unsigned long code = ERR_peek_last_error();
    const char *reason = ERR_reason_error_string(code);
    enum q_err err = ERR_GET_REASON(code) == ERR_R_MALLOC_FAILURE ? Q_NOMEM : Q_INTERNAL;
    ERR_clear_error();
    return fail(err, "%s: expected success from OpenSSL, found: %s", what,
                reason == NULL ? "no reason given" : reason);
}
