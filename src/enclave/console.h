// The application's output in debug mode: read from its pipes, shown line by line on our stdout with a prefix
// (qos-behaviour 2.11).
#ifndef QUORATE_ENCLAVE_CONSOLE_H
#define QUORATE_ENCLAVE_CONSOLE_H

#include "net/loop.h"

#define CONSOLE_LINE_MAX 8192 // a longer line is shown in pieces of this size

struct console;
// Takes fd over. Ends by itself when the other side closes, keeping its memory until console_free.
enum q_err console_new(struct loop *l, int fd, const char *prefix, struct console **out);
void console_free(struct console **r); // shows what is left; safe on NULL

#endif
