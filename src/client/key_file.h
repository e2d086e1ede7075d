// Keys in files: master seeds and public keys in hex (qos-wire 1.2).
#ifndef QUORATE_CLIENT_KEY_FILE_H
#define QUORATE_CLIENT_KEY_FILE_H

#include "base/options.h"
#include "crypto/p256.h"

// 64 hex characters, white space around them allowed; also from a FIFO or /dev/fd/N. A protected
// file (protected_file.h) is opened with --passphrase-path, or the passphrase is asked for.
enum q_err seed_file_read(const struct options *o, const char *path, struct p256_pair **out);
// The same of a pair of either suite.
enum q_err seed_file_read_suite(const struct options *o, const char *path, enum p256_suite suite,
                                struct p256_pair **out);
// 260 hex characters, white space around them allowed.
enum q_err public_key_parse(struct bytes text, const char *path, struct p256_public *out);
enum q_err public_key_read(const char *path, struct p256_public *out);

#endif
