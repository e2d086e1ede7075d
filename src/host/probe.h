// One TCP connection to see whether a target answers, for /network/test (renclave 1.3): name looked up, connected
// with a deadline over all, closed without a byte.
#ifndef QUORATE_HOST_PROBE_H
#define QUORATE_HOST_PROBE_H

#include "net/loop.h"
#include "protocol/egress.h"

struct probe;
// result is Q_OK when a connection came to be, after that time; else err_text() says why not. The probe is no
// more then.
typedef void (*probe_done)(void *context, enum q_err result, int64_t microseconds);
// target's name must stay valid. done is called exactly once, never before probe_start returns, unless it fails
// or is cancelled first.
enum q_err probe_start(struct loop *l, const struct egress_target *target, int64_t timeout_ms,
                       probe_done done, void *context, struct probe **out);
void probe_cancel(struct probe **p); // without done; safe on NULL

#endif
