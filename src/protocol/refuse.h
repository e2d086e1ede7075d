// A rule of the protocol that says no: the error that goes on the wire, and the sentence for
// people.
#ifndef QUORATE_PROTOCOL_REFUSE_H
#define QUORATE_PROTOCOL_REFUSE_H

#include "base/arena.h"
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
// Same for kinds with a struct difference: both values are in the sentence ("what: expected ..., got ...") and
// in *why, whose texts must live as long as it does.
enum q_err refuse_different(struct protocol_error *why, enum protocol_error_kind kind,
                            const char *what, const struct difference *d);
// Of bytes, which are told in hex; the texts live in the arena.
enum q_err refuse_different_bytes(struct protocol_error *why, enum protocol_error_kind kind,
                                  const char *what, struct bytes expected, struct bytes actual,
                                  struct arena *a);

#endif
