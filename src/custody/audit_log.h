// The audit log in a file that several processes append to: each under a lock, with one write, synced
// before the call returns. What does not continue the chain is never written after.
#ifndef QUORATE_CUSTODY_AUDIT_LOG_H
#define QUORATE_CUSTODY_AUDIT_LOG_H

#include "base/clock.h"
#include "custody/audit.h"

struct audit_log {
    const char *path; // of the caller
    int fd;           // -1: closed
    struct audit_chain chain;
};
#define AUDIT_LOG_AUTO __attribute__((cleanup(audit_log_close))) struct audit_log

// Makes the file (0600) when it is not there, and follows it from its first line. Refuses a chain that
// is broken and a last line that is cut, with the remedy.
enum q_err audit_log_open(const char *path, struct audit_log *out);
void audit_log_close(struct audit_log *log); // also of a failed audit_log_open

// Follows what others have appended since, then appends. After a failure the file is as it was; a full
// disk is one. A process that limits its file sizes must ignore SIGXFSZ.
enum q_err audit_log_append(struct audit_log *log, const struct clock *clock,
                            const struct audit_event *e);

// Reads alone: the whole chain, which must not change meanwhile (it waits for a writer).
enum q_err audit_log_verify(const char *path, struct audit_chain *out);

#endif
