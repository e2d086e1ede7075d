// Calls of memory, OpenSSL and files that fail when a test says so: linked in with --wrap
// (failing_calls.c), so that what comes after a failure is run like everything else.
#ifndef QUORATE_TESTS_FAILING_CALLS_H
#define QUORATE_TESTS_FAILING_CALLS_H

#include <stdbool.h>
#include <stddef.h>

enum failing_kind {
    FAILING_MEMORY, // malloc and its family, locked memory, what jansson asks for after json_start()
    FAILING_CRYPTO,  // what src/crypto and src/tee call of OpenSSL, and random bytes
    FAILING_FILES,   // open, write, fsync, rename and their family, reading and listing
    FAILING_SOCKETS, // sockets and epoll
    FAILING_KINDS,
};

// The n-th call of that kind from now on fails, once; 1 is the next one, 0 none.
void failing_at(enum failing_kind kind, unsigned n);
// How sockets fail: 0 EIO, 1 EINTR, 2 ECONNRESET, 3 EAGAIN, 4 EMFILE, 5 EPIPE.
void failing_sockets_way(unsigned which);
// Forgets what was to come; true when a call did fail since failing_at.
bool failing_stop(void);

// From now on hear gets what the program writes to standard error, which gets nothing; NULL: as it was.
void failing_listen(void (*hear)(const void *p, size_t n));

// Runs act with each of its calls of that kind failing, one after the other, until none is left to
// fail; true from act means success. Gives the number of runs that a call failed in.
unsigned failing_each(enum failing_kind kind, bool (*act)(void *context), void *context);

#endif
