// Posting a wrapped share (see share_post.h).
#include "client/share/share_post.h"

#include <stdio.h>

// With the member's binding first. An original enclave does not know that message and gets the
// original's.
static enum q_err send(const struct host_link *host, const struct approval *approval,
                       struct bytes share, struct bytes binding, struct arena *a,
                       struct message *reply)
{
    const struct message bound = {
        .tag = MSG_QUORATE_BOUND_PROVISION_REQUEST,
        .bound_provision = {.share = share, .approval = *approval, .binding = binding},
    };
    const struct message plain = {
        .tag = MSG_PROVISION_REQUEST,
        .provision = {.share = share, .approval = *approval},
    };
    if (binding.p == NULL)
        return host_post(host, &plain, a, reply);
    TRY(host_send(host, &bound, ENCODING_JSON, a, reply));
    return reply_is_undecodable(reply) ? host_post(host, &plain, a, reply) : Q_OK;
}

// What the enclave's error means to a member who wonders what to do; NULL: it says so itself.
static const char *meaning_of(const struct protocol_error *e)
{
    if (e->tag == PE_NO_MATCHING_ROUTE && e->phase.tag == PHASE_QUORUM_KEY_PROVISIONED)
        return "the quorum key is there already, and this share was not taken";
    if (e->tag == PE_DECRYPTION_FAILED)
        return "the share is not wrapped for this boot of the enclave: fetch its attestation "
               "document and wrap the share again";
    if (e->tag == PE_COULD_NOT_VERIFY_APPROVAL)
        return "the approval, or the signature in the share's .binding file, is not the member's, "
               "or "
               "is of another manifest than the enclave's";
    return NULL;
}

static enum q_err expect_answer(const struct message *reply)
{
    enum q_err err = reply_expect(reply, MSG_PROVISION_RESPONSE);
    const char *meaning =
        reply->tag == MSG_PROTOCOL_ERROR_RESPONSE ? meaning_of(&reply->error) : NULL;
    return meaning == NULL ? err : err_context(err, "%s", meaning);
}

enum q_err share_post(const struct host_link *host, const struct approval *approval,
                      struct bytes share, struct bytes binding)
{
    ARENA_AUTO a = {0};
    struct message reply;
    TRY(send(host, approval, share, binding, &a, &reply));
    TRY(expect_answer(&reply));
    printf("The quorum key has %sbeen reconstructed.\n",
           reply.provision_reply.reconstructed ? "" : "*not* ");
    return Q_OK;
}
