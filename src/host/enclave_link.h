// The host's link to the enclave: bytes passed through unmodified, and the few questions the host asks
// itself. Remembers what the last contact told.
#ifndef QUORATE_HOST_ENCLAVE_LINK_H
#define QUORATE_HOST_ENCLAVE_LINK_H

#include "net/frame.h"
#include "protocol/message.h"

enum link_error {
    LINK_TIMEOUT,
    LINK_CLOSED,
    LINK_UNREACHABLE,
    LINK_OVERSIZE,
    LINK_UNDECODABLE,
    LINK_OTHER,
};
#define LINK_ERROR_COUNT 6
const char *link_error_name(enum link_error e); // "timeout"

struct link_state {
    bool up; // the last contact succeeded
    bool phase_known;
    enum phase phase;
    uint64_t errors[LINK_ERROR_COUNT];
};

struct enclave_link;
// timeout_ms: of each call. Asks for the status every few seconds, so that state is never old.
enum q_err link_new(struct loop *l, const struct address *address, unsigned connections_max,
                    int64_t timeout_ms, struct enclave_link **out);
const struct link_state *link_state(const struct enclave_link *l);
void link_free(struct enclave_link **l); // what is not answered yet ends with Q_CLOSED

// request must stay valid until done, which is called exactly once and never before link_forward returns,
// unless that fails.
enum q_err link_forward(struct enclave_link *l, struct bytes request, frame_done done,
                        void *context);

// One of the requests without contents (MSG_STATUS_REQUEST, ...), in JSON. done is called exactly once,
// possibly before link_ask returns; reply is NULL on failure and valid only during done.
typedef void (*link_reply)(void *context, enum q_err result, const struct message *reply);
void link_ask(struct enclave_link *l, enum message_kind request, link_reply done, void *context);

#endif
