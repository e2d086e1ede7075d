// Secrets at rest under a passphrase: one line of text that says how the key is made from the
// passphrase, and the contents encrypted with it. Argon2id (RFC 9106) and XChaCha20-Poly1305, both by
// libsodium; the bytes are in docs/formats.md.
#ifndef QUORATE_CLIENT_PROTECTED_FILE_H
#define QUORATE_CLIENT_PROTECTED_FILE_H

#include "base/bytes.h"
#include "base/secret.h"

#define PROTECTED_FILE_MAX 4096     // bytes of such a file
#define PROTECTED_CONTENTS_MAX 1024 // bytes of what is in it

// What one guess at a passphrase costs. Read from a file they are bounded, so that a hostile file
// can neither use up the machine nor be a bait that makes guessing cheap.
struct protected_cost {
    uint32_t memory_kib, passes;
};
#define PROTECTED_MEMORY_LEAST_KIB ((uint32_t)64 << 10)
#define PROTECTED_MEMORY_MOST_KIB ((uint32_t)1 << 20)
#define PROTECTED_PASSES_LEAST 3
#define PROTECTED_PASSES_MOST 10
extern const struct protected_cost
    protected_cost_usual; // libsodium's "moderate": 256 MiB, 3 passes

// Whether the file claims to be protected, in this version of the format or another.
bool protected_is(struct bytes file);

#define PROTECTED_SALT_SIZE 16
#define PROTECTED_NONCE_SIZE 24
struct protected_file {
    struct protected_cost cost;
    uint8_t salt[PROTECTED_SALT_SIZE], nonce[PROTECTED_NONCE_SIZE];
    struct bytes header; // all that comes before the box, authenticated with it
    struct bytes box;    // ciphertext and tag in hex
};
// Views into file. Refuses other versions, costs outside the bounds, anything but the one form.
enum q_err protected_parse(struct bytes file, const char *what, struct protected_file *out);

// contents: 1 to PROTECTED_CONTENTS_MAX bytes.
enum q_err protected_seal(const struct protected_cost *cost, struct bytes contents,
                          struct bytes passphrase, struct buf *out);
// Q_CRYPTO for a wrong passphrase and for a changed file alike: nobody can tell the two apart.
enum q_err protected_open(const struct protected_file *file, const char *what,
                          struct bytes passphrase, struct secret *out);

#endif
