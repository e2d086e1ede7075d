// Errors: a function that can fail returns enum q_err and, on failure, has recorded one sentence that
// names the thing, what was expected and what was found. One record per thread; the first cause stays
// readable because callers only ever put context in front of it.
#ifndef QUORATE_BASE_ERR_H
#define QUORATE_BASE_ERR_H

enum q_err {
    Q_OK = 0,
    Q_NOMEM,       // memory, or a budget that stands for it, is used up
    Q_IO,          // the operating system refused a file or socket operation
    Q_EXISTS,      // a file is there already and must not be replaced
    Q_MISSING,     // a file, key or value that is needed is not there
    Q_BAD_INPUT,   // malformed bytes, text, arguments
    Q_LIMIT,       // well-formed but larger than what is accepted
    Q_CRYPTO,      // a key, signature, ciphertext or share does not hold
    Q_REFUSED,     // a rule says no (thresholds, approvals, phases, policy)
    Q_ATTESTATION, // evidence does not prove what it must
    Q_TEE,         // the trusted execution environment failed
    Q_TIMEOUT,     // a deadline passed
    Q_CLOSED,      // the peer closed the connection
    Q_UNSUPPORTED, // known, but not in this build
    Q_INTERNAL,    // a defect of ours
};

#define Q_ERR_TEXT_SIZE 1024

// fail(code, format, ...): records the sentence (truncated at Q_ERR_TEXT_SIZE - 1 bytes, control
// characters shown as '?') and has the value code, which is never Q_OK. A macro, so that the compiler
// sees that what follows a failure is not reached.
#define fail(code, ...) (err_record(-1, __VA_ARGS__), (enum q_err)(code))
// Same, and keeps a number that says more precisely what failed, in the terms of the room that failed
// (crypto: enum p256_error).
#define fail_detail(code, detail, ...) (err_record(detail, __VA_ARGS__), (enum q_err)(code))
// Q_IO; appends ": " and the operating system's text for errno value os_error.
#define fail_os(os_error, ...) (err_record_os(os_error, __VA_ARGS__), (enum q_err)Q_IO)

void err_record(int detail, const char *format, ...) __attribute__((format(printf, 2, 3), cold));
void err_record_os(int os_error, const char *format, ...)
    __attribute__((format(printf, 2, 3), cold));
int err_detail(void); // of the sentence recorded last; -1 when it has none

// Puts "context: " in front of the recorded sentence when code is a failure; returns code unchanged.
enum q_err err_context(enum q_err code, const char *format, ...)
    __attribute__((format(printf, 2, 3), cold));

// The sentence recorded last in this thread; "" before the first failure. Valid until the next fail().
const char *err_text(void);
void err_clear(void);

// Passes a failure of expr up to the caller. The one macro that hides a return.
#define TRY(expr)                                                                                  \
    do {                                                                                           \
        enum q_err try_err_ = (expr);                                                              \
        if (try_err_ != Q_OK)                                                                      \
            return try_err_;                                                                       \
    } while (0)

#endif
