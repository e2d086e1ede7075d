// Which nonces of one key were used: the highest, and which of the API_REPLAY_WINDOW below it. What is lower still
// counts as used.
#ifndef QUORATE_ENCLAVE_API_REPLAY_H
#define QUORATE_ENCLAVE_API_REPLAY_H

#include <stdbool.h>
#include <stdint.h>

#define API_REPLAY_WINDOW 4096

struct api_replay { // all zero: none was used
    bool any;
    uint64_t highest;
    uint64_t used[API_REPLAY_WINDOW / 64]; // bit n % API_REPLAY_WINDOW: nonce n below the highest
};

// True, and it is used from now on; or false.
bool api_replay_take(struct api_replay *r, uint64_t nonce);

#endif
