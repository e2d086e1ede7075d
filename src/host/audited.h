// The host's audit log: every message to the enclave but the known questions leaves an event, with the
// digest of the request, what the enclave answered, and its phase then; never a body. The event is in the
// log before the answer leaves.
#ifndef QUORATE_HOST_AUDITED_H
#define QUORATE_HOST_AUDITED_H

#include "custody/audit_log.h"
#include "host/enclave_link.h"

// The name of the event that a request leaves; NULL: it is a question, such as for the status.
const char *audited_event(struct bytes request);

// As link_forward. log NULL: there is none. event: as audited_event has it. A log that cannot be written is told in the program's own
// log and keeps nobody from their answer.
enum q_err audited_forward(struct enclave_link *l, struct audit_log *log, const char *event,
                           struct bytes request, frame_done done, void *context);

#endif
