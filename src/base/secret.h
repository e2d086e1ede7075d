// Secrets: guarded, locked, zeroed memory (libsodium's sodium_malloc). A secret is never copied into
// ordinary memory, never printed, and released by scope.
#ifndef QUORATE_BASE_SECRET_H
#define QUORATE_BASE_SECRET_H

#include "base/bytes.h"

struct secret {
    uint8_t *p;
    size_t n;
};

#define SECRET_AUTO __attribute__((cleanup(secret_free))) struct secret

// Once, at the start of a program: libsodium, OpenSSL's secure heap, no OpenSSL configuration file, no
// core dumps, PR_SET_DUMPABLE 0. Q_NOMEM where memory cannot be locked, unless allow_unlocked.
enum q_err secret_init(bool allow_unlocked);
enum q_err secret_new(struct secret *s, size_t n); // zeroed; n >= 1
enum q_err secret_copy(struct secret *s, struct bytes from);
void secret_free(struct secret *s); // zeroes; a released or zeroed struct is fine
struct bytes secret_bytes(const struct secret *s);
// Constant time in the contents; false at once when the lengths differ.
bool secret_equal(struct bytes a, struct bytes b);

#endif
