// A rule of the protocol that says no: the error that goes on the wire, and the sentence for
// people.
#ifndef QUORATE_PROTOCOL_REFUSE_H
#define QUORATE_PROTOCOL_REFUSE_H

#include "protocol/types.h"

// Sets *why (may be NULL) to kind without payload, records the sentence behind the kind's name
// ("NotEnoughApprovals: manifest set: ..."; write the format without the name), returns Q_REFUSED.
// Rules with a payload fill *why themselves, afterwards.
enum q_err refuse(struct protocol_error *why, enum protocol_error_kind kind, const char *format,
                  ...) __attribute__((format(printf, 3, 4), cold));
// Same for a failure of crypto/p256 that was the last to be recorded: *why gets err_detail() as its
// P256Error payload, and the recorded sentence is put behind the given context.
enum q_err refuse_p256(struct protocol_error *why, enum protocol_error_kind kind,
                       const char *format, ...) __attribute__((format(printf, 3, 4), cold));

#endif
