// What the files that talk to a YubiKey share: libykpiv's state, and its failures in our words.
#ifndef QUORATE_CLIENT_YUBIKEY_STATE_H
#define QUORATE_CLIENT_YUBIKEY_STATE_H

#include "client/token/yubikey.h"

#include <ykpiv.h>

struct yubikey {
    ykpiv_state *state;
    bool connected;
};

// "YubiKey: what: expected it to work, found <libykpiv's text>".
enum q_err yubikey_failed(ykpiv_rc rc, const char *what);

// The name of the only YubiKey among PC/SC's readers: names in n bytes, each ended by a zero byte.
#define YUBIKEY_READER_SIZE 256
enum q_err yubikey_only_reader(struct bytes readers, char name[static YUBIKEY_READER_SIZE]);
// PIV's number of the management key's algorithm, from what the YubiKey tells of that key.
enum q_err yubikey_management_algorithm(struct bytes metadata, uint8_t *algorithm);

#endif
