// The application's output in debug mode: read from its pipes, shown line by line on our stdout with a prefix
// (qos-behaviour 2.11).
#ifndef QUORATE_ENCLAVE_RELAY_H
#define QUORATE_ENCLAVE_RELAY_H

#include "net/loop.h"

#define RELAY_LINE_MAX 8192 // a longer line is shown in pieces of this size

struct relay;
// Takes fd over. Ends by itself when the other side closes, keeping its memory until relay_free.
enum q_err relay_new(struct loop *l, int fd, const char *prefix, struct relay **out);
void relay_free(struct relay **r); // shows what is left; safe on NULL

#endif
