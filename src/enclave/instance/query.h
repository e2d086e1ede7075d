// One parameter of a request's query, as forms write it: name=value, with '&' between them, '+' for a space, %XX for
// any byte (WHATWG URL 5).
#ifndef QUORATE_ENCLAVE_QUERY_H
#define QUORATE_ENCLAVE_QUERY_H

#include "base/arena.h"

// query: what stands behind the '?', or BYTES_NONE. *out is decoded, in arena memory; BYTES_NONE when there is no
// parameter of this name. Q_BAD_INPUT when it is there twice, has a '%' without two hex digits, or is not UTF-8.
enum q_err query_parameter(struct bytes query, const char *name, struct arena *a,
                           struct bytes *out);

#endif
