// A program that is run as a child: without a shell, with a fixed argument list, its output read with
// bounds, ended at a deadline. On the event loop.
#ifndef QUORATE_HOST_CHILD_H
#define QUORATE_HOST_CHILD_H

#include "net/loop.h"

struct child;

enum child_fate {
    CHILD_EXITED,   // code: its exit status
    CHILD_KILLED,   // code: the signal, which was not ours
    CHILD_TOO_SLOW, // killed at its deadline
    CHILD_TOO_MUCH, // killed, for it printed more than CHILD_OUTPUT_MAX
};
struct child_result {
    enum child_fate fate;
    int code;
    struct bytes out, err; // what it printed; err is cut at CHILD_ERROR_MAX
};
#define CHILD_OUTPUT_MAX ((size_t)1 << 20)
#define CHILD_ERROR_MAX ((size_t)16 << 10)
#define CHILD_LINE_MAX 1900 // of a line that is handed out; what is longer comes in pieces

struct child_options {
    const char *const
        *argv;           // NULL-terminated; argv[0]: a path, or a name that is looked up in PATH
    int64_t deadline_ms; // 0: none
    void (*line)(void *context, struct bytes line); // NULL: stdout is collected
    // Called once, when the program has ended. The last thing the child does: it may be freed there.
    void (*ended)(void *context, const struct child_result *result);
    void *context;
};
enum q_err child_start(struct loop *l, const struct child_options *o, struct child **out);
void child_signal(const struct child *c, int signal); // to it and what it started
void child_free(struct child **c); // kills it if it still runs, without ended; safe on NULL
// "nitro-cli: ended with status 1", as an error; Q_OK when it exited with 0.
enum q_err child_verdict(const char *what, const struct child_result *r);

#endif
