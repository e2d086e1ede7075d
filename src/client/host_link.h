// Talking to qos_host over HTTP (qos-behaviour 1.5): messages to the enclave and the host's own
// routes.
#ifndef QUORATE_CLIENT_HOST_LINK_H
#define QUORATE_CLIENT_HOST_LINK_H

#include "base/options.h"
#include "protocol/message.h"

struct host_link {
    char base[512]; // "http://127.0.0.1:3000/qos/"
};

// From --host-ip, --host-port and --endpoint-base-path. Opens nothing.
enum q_err host_link_open(const struct options *o, struct host_link *out);

// GET of one of the host's routes ("host-health"): appends the body.
enum q_err host_get(const struct host_link *h, const char *route, struct buf *body);

// Asks the host how it is, and for the time it says with the answer (seconds since 1970).
enum q_err host_date(const struct host_link *h, bool *known, int64_t *seconds);

// Sends one message in this encoding and decodes the answer, whatever its encoding; an error the
// enclave answers is an answer here. reply points into the arena.
enum q_err host_send(const struct host_link *h, const struct message *request, enum encoding as,
                     struct arena *a, struct message *reply);
// JSON first, then Borsh when the answer is exactly ProtocolMsgDeserialization.
enum q_err host_post(const struct host_link *h, const struct message *request, struct arena *a,
                     struct message *reply);

bool reply_is_undecodable(const struct message *reply); // exactly ProtocolMsgDeserialization
// Q_REFUSED with the enclave's own error, unless the answer is of this kind.
enum q_err reply_expect(const struct message *reply, enum message_kind kind);
// The document in an NSM response; the NSM's error by name.
enum q_err reply_document(const struct nsm_response *r, struct bytes *document);

#endif
