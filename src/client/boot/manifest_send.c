// One encoding after the other (see manifest_send.h).
#include "client/boot/manifest_send.h"

#include <stdio.h>

static enum q_err send_as(const struct host_link *host, const struct message *request,
                          enum encoding as, enum message_kind answer, struct arena *a,
                          struct message *reply)
{
    *reply = (struct message){.tag = answer};
    TRY(host_send(host, request, as, a, reply));
    return reply_expect(reply, answer);
}

// The enclave knows what it was asked, and says no.
static bool is_last_word(const struct message *reply)
{
    return reply->tag == MSG_PROTOCOL_ERROR_RESPONSE && !reply_is_undecodable(reply);
}

enum q_err manifest_send(const struct host_link *host, const struct message *request,
                         enum manifest_version version, enum message_kind answer, struct arena *a,
                         struct message *reply)
{
    char cause[Q_ERR_TEXT_SIZE];
    if (version == MANIFEST_V2)
        return send_as(host, request, ENCODING_JSON, answer, a, reply);
    enum q_err err = send_as(host, request, ENCODING_BORSH, answer, a, reply);
    if (err == Q_OK || is_last_word(reply))
        return err;
    (void)snprintf(cause, sizeof cause, "%s", err_text());
    err = send_as(host, request, ENCODING_JSON, answer, a, reply);
    return err == Q_OK ? Q_OK : fail(err, "as Borsh: %s; as JSON: %s", cause, err_text());
}
