// The two forms of a boot request (see boot_post.h).
#include "client/boot/boot_post.h"

// The envelope as JSON in Borsh; an enclave too old to read that gets the Borsh of versions 0
// and 1. Any other answer is the enclave's last word.
static enum q_err send(const struct host_link *host, const struct boot_request *request,
                       struct arena *a, struct message *reply)
{
    struct message m = {.tag = MSG_BOOT_STANDARD_JSON_ENVELOPE_REQUEST, .boot = *request};
    TRY(host_send(host, &m, ENCODING_BORSH, a, reply));
    if (!reply_is_undecodable(reply) || request->manifest_envelope.manifest.version == MANIFEST_V2)
        return Q_OK;
    m.tag = MSG_BOOT_STANDARD_REQUEST;
    return err_context(host_send(host, &m, ENCODING_BORSH, a, reply),
                       "after ProtocolMsgDeserialization as the answer to the newer form");
}

enum q_err boot_post(const struct host_link *host, const struct boot_request *request,
                     struct arena *a, struct bytes *document)
{
    struct message reply;
    TRY(send(host, request, a, &reply));
    TRY(reply_expect(&reply, MSG_BOOT_STANDARD_RESPONSE));
    return reply_document(&reply.nsm.nsm_response, document);
}
