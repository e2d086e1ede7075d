// One request of the REST API being answered, and its handlers (renclave 1 and 3). As everywhere, a handler
// stages, answers, commits and publishes; when it fails before it commits, nothing has changed.
#ifndef QUORATE_ENCLAVE_API_H
#define QUORATE_ENCLAVE_API_H

#include "enclave/state.h"
#include "protocol/refuse.h"

struct api_call {
    const struct api_request *request;
    enum api_operation operation;
    const void *body;          // as the operation's request is described; NULL: it has none
    struct arena *arena;       // of this request
    struct buf *reply;         // JSON, by api_answer
    unsigned status;           // of HTTP; set by api_answer and api_refuse
    struct protocol_error why; // set by the core where it refuses (Q_REFUSED)
};

// Encodes the answer, status 200.
enum q_err api_answer(struct api_call *c, const struct type *type, const void *value);
// Q_REFUSED with this status (400, 403, 409, ...) and this sentence for the caller.
enum q_err api_refuse(struct api_call *c, unsigned status, const char *format, ...)
    __attribute__((format(printf, 3, 4), cold));
// The status that a failure of the core means, when nobody has said one: 400 for what is wrong with the request, 500
// for what is wrong with us.
unsigned api_status_of(enum q_err err);

enum q_err api_enclave_info(struct enclave *e, struct api_call *c);

#endif
