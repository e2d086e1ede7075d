// A key of the enclave as applications hold it: the pair and which of the two it is. Internal to
// this room.
#ifndef QUORATE_APP_KEY_H
#define QUORATE_APP_KEY_H

#include "app/boundary.h"

struct app_key {
    struct p256_pair *pair;
    bool ephemeral;
};

#endif
