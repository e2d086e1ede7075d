// Derivation paths (BIP32): m, or m/44'/60'/0'/0/0.
#ifndef QUORATE_APP_WALLET_HD_PATH_H
#define QUORATE_APP_WALLET_HD_PATH_H

#include "base/bytes.h"

#define HD_PATH_LEVELS_MAX 32
#define HD_PATH_TEXT_SIZE                                                                          \
    (1 + HD_PATH_LEVELS_MAX * 12 + 1) // "m", "/2147483647'" for each level, a NUL
#define HD_HARDENED UINT32_C(0x80000000)

struct hd_path {
    uint32_t level[HD_PATH_LEVELS_MAX]; // hardened ones from HD_HARDENED on
    size_t n;
};

// "m", then for each level '/' and a number from 0 to 2147483647 in decimal, without sign or leading zeros,
// followed by ' or h where it is hardened. Q_BAD_INPUT, Q_LIMIT over HD_PATH_LEVELS_MAX levels.
enum q_err hd_path_parse(struct bytes text, struct hd_path *out);
// The path in one spelling: with ' for hardened levels.
void hd_path_text(const struct hd_path *path, char out[static HD_PATH_TEXT_SIZE]);

#endif
