// An app proof as applications hold it. Internal to this room.
#ifndef QUORATE_APP_PROOF_H
#define QUORATE_APP_PROOF_H

#include "app/boundary.h"

struct app_proof {
    struct p256_public public_key;
    uint8_t signature[APP_SIGNATURE_SIZE];
    struct buf payload, json; // json: NUL-terminated
};

#endif
