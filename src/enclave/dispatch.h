// From a frame to its reply (qos-behaviour 2.3): decode, find the route, handle, encode as the request was.
#ifndef QUORATE_ENCLAVE_DISPATCH_H
#define QUORATE_ENCLAVE_DISPATCH_H

#include "enclave/state.h"

// The largest frame that is taken where no manifest of QuorumOS can come: a request of the REST API, its body in hex;
// and where an export can: an envelope as large as a boot takes, and a document.
#define DISPATCH_SMALL_FRAME (2 * API_BODY_MAX + ((size_t)64 << 10))
#define DISPATCH_EXPORT_FRAME ((size_t)17 << 20)

// Puts a reply into reply for any frame; fails only when there is no memory for one.
enum q_err dispatch(struct enclave *e, struct bytes frame, struct buf *reply);
// MESSAGE_MAX_SIZE where a boot may come, else one of the above.
size_t dispatch_frame_limit(const struct enclave *e);

#endif
