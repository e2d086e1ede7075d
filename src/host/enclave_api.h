// Requests of the REST API on their way to the enclave (renclave 1.2): each is passed on unread as one
// message of our own, and the answer's status and body are taken out of the reply.
#ifndef QUORATE_HOST_ENCLAVE_API_H
#define QUORATE_HOST_ENCLAVE_API_H

#include "host/audited.h"

#define REQUEST_ID_SIZE 37 // with its NUL
// A UUIDv4 (RFC 9562 5.4) in lower case.
enum q_err request_id_new(char out[static REQUEST_ID_SIZE]);

struct api_question {
    const char *method, *path, *request_id;
    struct bytes query, authorization, body; // BYTES_NONE: empty
    const char *event;                       // in the audit log; NULL: none
};

// result is Q_OK with a status of 200 to 599, else err_text() says what went wrong. body is only valid during it.
typedef void (*api_answered)(void *context, enum q_err result, unsigned status, struct bytes body);
// question is only needed during the call. done is called exactly once, possibly before this returns.
void enclave_api_ask(struct enclave_link *l, struct audit_log *log,
                     const struct api_question *question, api_answered done, void *context);

#endif
