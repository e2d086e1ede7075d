// Random UUIDs as text (RFC 9562, version 4).
#ifndef QUORATE_BASE_UUID_H
#define QUORATE_BASE_UUID_H

#include "base/err.h"

#define UUID_TEXT_SIZE 36

// Lower case, with a NUL behind it.
enum q_err uuid_draw(char out[static UUID_TEXT_SIZE + 1]);

#endif
