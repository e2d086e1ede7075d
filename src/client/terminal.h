// Asking for a secret on the terminal, without echo (design "Secrets").
#ifndef QUORATE_CLIENT_TERMINAL_H
#define QUORATE_CLIENT_TERMINAL_H

#include "base/secret.h"

// Prints the question on the controlling terminal and reads one line of 1 to limit bytes there,
// whatever standard input and output are. Signals that end or stop the program wait until the
// terminal echoes again. Q_MISSING without a terminal.
enum q_err terminal_ask(const char *question, size_t limit, struct secret *out);

#endif
