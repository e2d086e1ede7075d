// Plain signatures between our files: what app proofs sign and verify. Internal to this room.
#ifndef QUORATE_APP_SIGN_H
#define QUORATE_APP_SIGN_H

#include "app/key.h"

// Both: Q_REFUSED for a message that begins with the domain of labelled signatures.
enum q_err sign_plain(const struct app_key *key, struct bytes message, uint8_t *signature);
enum q_err verify_plain(const struct p256_public *key, struct bytes message,
                        const uint8_t *signature);

#endif
