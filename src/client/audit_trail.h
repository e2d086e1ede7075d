// What commands leave in the audit log: one event for each run of a ceremony's command, done or
// refused, when --audit-log or QUORATE_AUDIT_LOG names a log (custody/audit_log.h).
#ifndef QUORATE_CLIENT_AUDIT_TRAIL_H
#define QUORATE_CLIENT_AUDIT_TRAIL_H

#include "client/command.h"
#include "protocol/types.h"

#define AUDIT_LOG_VARIABLE "QUORATE_AUDIT_LOG"

// Runs the command. A log that is broken is refused before anything is done; what was done and could
// not be recorded is a failure that says so.
enum q_err audited_run(const struct command *c, const struct options *o);

// Facts about what the command works on, noted where they are found out; the last of each kind goes
// into the event. Like the error record they belong to the run of the program.
void audit_note_manifest(const struct manifest *m);
void audit_note_plan(
    const uint8_t hash[static SHA256_SIZE]); // of a resharing: in the manifest's place
void audit_note_document(struct bytes document);
void audit_note_who(struct bytes alias); // where no --alias says it

#endif
