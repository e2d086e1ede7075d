// Boot genesis: the quorum key is born, leaves as sealed shares and is gone (qos-behaviour 2.5).
#include "enclave/handlers.h"

#include "base/log.h"
#include "custody/genesis.h"

enum q_err handle_genesis(struct enclave *e, struct exchange *x)
{
    const struct genesis_request *request = &x->request->genesis;
    struct message reply = {.tag = MSG_BOOT_GENESIS_RESPONSE};
    struct genesis_output *output = &reply.genesis_reply.genesis_output;
    TRY(genesis_make(&request->set, request->dr_key, x->arena, output, &x->why));
    uint8_t hash[SHA256_SIZE];
    TRY(genesis_output_hash(output, hash));
    BUF_AUTO document = {0};
    if (tee_attest(e->tee, BYTES_OF(hash), BYTES_NONE, BYTES_NONE, &document) != Q_OK)
        return refuse_with_cause(x, PE_QOS_ATTEST_ERROR);
    reply.genesis_reply.nsm_response = (struct nsm_response){
        .tag = NSM_ATTESTATION, .attestation = {.data = buf_bytes(&document)}};
    TRY(answer(x, &reply));
    enclave_enter(e, PHASE_GENESIS_BOOTED);
    log_info("genesis: quorum key made for %zu members, threshold %u%s", request->set.members.n,
             request->set.threshold, request->dr_key.p != NULL ? ", with a recovery key" : "");
    return Q_OK;
}
