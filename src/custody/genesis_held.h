// What a genesis on a SIMULATED TEE keeps so that the guide's steps work as they stand (renclave 3.1, form A): the
// shares, in locked memory, for whoever shows the envelope that the genesis issued. It lasts ten minutes of the boot
// clock at most; its owner ends it earlier, at the first refused injection and when the key is complete.
#ifndef QUORATE_CUSTODY_GENESIS_HELD_H
#define QUORATE_CUSTODY_GENESIS_HELD_H

#include "base/clock.h"
#include "base/secret.h"

#define GENESIS_HELD_MS ((int64_t)10 * 60 * 1000)

struct genesis_held;
// shares: n of one size, one after the other; taken over also on failure. clock: one that no host can turn back,
// and that goes on while the machine sleeps.
enum q_err genesis_held_new(struct secret *shares, size_t n, const struct clock *clock,
                            struct genesis_held **out);
void genesis_held_free(struct genesis_held **h); // zeroes; safe on NULL
// False when its time is over or cannot be told, and on NULL; the owner frees it then.
bool genesis_held_lasts(const struct genesis_held *h);
// The share of the member with this index; absent when there is none.
struct bytes genesis_held_share(const struct genesis_held *h, size_t member);

#endif
