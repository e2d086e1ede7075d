// Passphrases in Unicode's compatibility decomposition (NFKD, UAX 15), by utf8proc, in locked memory. Private to
// app/wallet.
#ifndef QUORATE_APP_WALLET_NFKD_H
#define QUORATE_APP_WALLET_NFKD_H

#include "base/bytes.h"
#include "base/secret.h"

// Whether text is ASCII, which is its own decomposition; constant time in the bytes.
bool nfkd_is_ascii(struct bytes text);
// before || NFKD(text); before has at least one byte. Q_BAD_INPUT when text is not UTF-8.
enum q_err nfkd_behind(struct bytes before, struct bytes text, struct secret *out);
// Q_BAD_INPUT when text is not UTF-8.
enum q_err nfkd_check_utf8(struct bytes text);
// Q_BAD_INPUT when text is not UTF-8 or has characters that this version of Unicode does not assign.
enum q_err nfkd_check_assigned(struct bytes text);

#endif
