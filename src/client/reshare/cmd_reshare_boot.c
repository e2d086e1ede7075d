// reshare boot, reshare attestation: an enclave gets the approved plan, and shows that it is committed to it
// (docs/resharing.md).
#include "client/command.h"

#include "client/host_link.h"
#include "client/reshare/reshare_evidence.h"

#include <stdio.h>

static enum q_err ask(const struct host_link *host, const struct message *request,
                      enum message_kind answer, struct arena *a, struct message *reply)
{
    TRY(host_send(host, request, ENCODING_JSON, a, reply));
    return reply_expect(reply, answer);
}

static bool is_booted(const struct message *reply)
{
    return reply->tag == MSG_PROTOCOL_ERROR_RESPONSE && reply->error.tag == PE_NO_MATCHING_ROUTE &&
           reply->error.phase.tag == PHASE_WAITING_FOR_QUORUM_SHARDS;
}

static enum q_err ask_attestation(const struct host_link *host, struct arena *a,
                                  struct message *reply)
{
    const struct message request = {.tag = MSG_QUORATE_RESHARE_ATTESTATION_REQUEST};
    return ask(host, &request, MSG_QUORATE_RESHARE_ATTESTATION_RESPONSE, a, reply);
}

// An enclave that waits already may have booted this very plan in a run whose answer was lost: its document
// says whether it did.
static enum q_err boot(const struct host_link *host, const struct reshare_boot_request *boot,
                       struct arena *a, struct message *reply)
{
    const struct message request = {.tag = MSG_QUORATE_RESHARE_BOOT_REQUEST, .reshare_boot = *boot};
    TRY(host_send(host, &request, ENCODING_JSON, a, reply));
    if (is_booted(reply))
        return err_context(ask_attestation(host, a, reply), "the enclave is booted already");
    return reply_expect(reply, MSG_QUORATE_RESHARE_BOOT_RESPONSE);
}

static enum q_err keep_document(const struct options *o, const struct reshare_paths *paths,
                                const struct planned *planned, const struct message *reply,
                                struct arena *a)
{
    OUTPUT_AUTO out = {0};
    VERIFICATION_AUTO v = {0};
    struct bytes document;
    struct claims claims;
    TRY(reply_document(&reply->nsm.nsm_response, &document));
    TRY(verification_start(o, &v));
    TRY(reshare_check_setup(&v, document, planned, a, &claims));
    TRY(evidence_check_fresh(&v, &claims));
    TRY(output_stage(&out, "COSE Sign1 Attestation Doc", paths->document, document, OUTPUT_REMADE));
    TRY(output_publish(&out));
    printf("The enclave is committed to this plan. Next: %u of the old share set's members run "
           "reshare wrap-share, then reshare post-share for each.\n",
           planned->plan.old_share_set.threshold);
    return Q_OK;
}

static enum q_err reshare_boot(const struct options *o)
{
    ARENA_AUTO a = {0};
    struct host_link host;
    struct reshare_paths paths;
    struct planned planned;
    struct reshare_boot_request request;
    struct message reply;
    TRY(reshare_paths_in(options_value(o, "reshare-dir"), &a, &paths));
    TRY(reshare_plan_load(&paths, &a, &planned));
    TRY(reshare_approvals_load(&paths, &planned, &a, &request));
    TRY(reshare_approvals_check(&planned.plan, planned.hash, RESHARE_ROLE_MANIFEST,
                                request.approvals.items, request.approvals.n, NULL));
    TRY(host_link_open(o, &host));
    TRY(boot(&host, &request, &a, &reply));
    return keep_document(o, &paths, &planned, &reply, &a);
}

static const struct option reshare_boot_options[] = {
    OPTION_RESHARE_DIR, OPTIONS_HOST, OPTIONS_TRUST, OPTION_RESHARE_DEBUG, OPTION_AUDIT,
};

const struct command command_reshare_boot = {
    .name = "reshare boot",
    .run = reshare_boot,
    .help = "Give an enclave the approved plan, and keep its attestation document",
    COMMAND_OPTIONS(reshare_boot_options),
    .audited = true,
};

static enum q_err reshare_attestation(const struct options *o)
{
    ARENA_AUTO a = {0};
    struct host_link host;
    struct reshare_paths paths;
    struct planned planned;
    struct message reply;
    TRY(reshare_paths_in(options_value(o, "reshare-dir"), &a, &paths));
    TRY(reshare_plan_load(&paths, &a, &planned));
    TRY(host_link_open(o, &host));
    TRY(ask_attestation(&host, &a, &reply));
    return keep_document(o, &paths, &planned, &reply, &a);
}

const struct command command_reshare_attestation = {
    .name = "reshare attestation",
    .run = reshare_attestation,
    .help = "Fetch and verify the attestation document of an enclave that waits for old shares",
    COMMAND_OPTIONS(reshare_boot_options),
    .audited = true,
};
