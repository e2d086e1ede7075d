// A sliding window of used nonces (see api_replay.h).
#include "enclave/instance/api_replay.h"

#include <string.h>

static uint64_t *word(struct api_replay *r, uint64_t nonce)
{
    return &r->used[nonce % API_REPLAY_WINDOW / 64];
}

static uint64_t bit(uint64_t nonce)
{
    return UINT64_C(1) << (nonce % 64);
}

// The highest so far goes into the window; what lies between it and the new one was not used.
static void advance(struct api_replay *r, uint64_t nonce)
{
    uint64_t step = nonce - r->highest;
    if (step > API_REPLAY_WINDOW)
        memset(r->used, 0, sizeof r->used);
    for (uint64_t n = r->highest + 1; step <= API_REPLAY_WINDOW && n < nonce; n++)
        *word(r, n) &= ~bit(n);
    if (step <= API_REPLAY_WINDOW)
        *word(r, r->highest) |= bit(r->highest);
    r->highest = nonce;
}

bool api_replay_take(struct api_replay *r, uint64_t nonce)
{
    if (!r->any) {
        *r = (struct api_replay){.any = true, .highest = nonce};
        return true;
    }
    if (nonce > r->highest) {
        advance(r, nonce);
        return true;
    }
    if (nonce == r->highest || r->highest - nonce > API_REPLAY_WINDOW ||
        (*word(r, nonce) & bit(nonce)) != 0)
        return false;
    *word(r, nonce) |= bit(nonce);
    return true;
}
