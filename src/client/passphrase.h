// Where passphrases of protected files come from: --passphrase-path, or the terminal.
#ifndef QUORATE_CLIENT_PASSPHRASE_H
#define QUORATE_CLIENT_PASSPHRASE_H

#include "base/options.h"
#include "base/secret.h"

#define PASSPHRASE_MAX 1024
#define PASSPHRASE_NEW_LEAST 12 // bytes of a passphrase that is new

// The one line of a file, without its end; nothing else may follow.
enum q_err passphrase_line(struct bytes file, const char *path, struct secret *out);
// Of the file path, which is there already.
enum q_err passphrase_ask(const struct options *o, const char *path, struct secret *out);
// For a file that is to be made; asked twice on the terminal.
enum q_err passphrase_choose(const struct options *o, const char *path, struct secret *out);

#endif
