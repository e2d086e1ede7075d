// What the files that talk to a YubiKey share: libykpiv's state, and its failures in our words.
#ifndef QUORATE_CLIENT_YUBIKEY_STATE_H
#define QUORATE_CLIENT_YUBIKEY_STATE_H

#include "client/yubikey.h"

#include <ykpiv.h>

struct yubikey {
    ykpiv_state *state;
    bool connected;
};

// "YubiKey: what: expected it to work, found <libykpiv's text>".
enum q_err yubikey_failed(ykpiv_rc rc, const char *what);

#endif
