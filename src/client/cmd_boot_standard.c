// boot-standard: gives an enclave its manifest and application, and verifies that it runs them
// (qos-behaviour 1.6).
#include "client/command.h"

#include "client/boot_files.h"
#include "client/host_link.h"

// The envelope as JSON in Borsh; an enclave too old to read that gets the Borsh of versions 0
// and 1. Any other answer is the enclave's last word.
static enum q_err boot(const struct host_link *host, const struct boot_request *request,
                       struct arena *a, struct message *reply)
{
    struct message m = {.tag = MSG_BOOT_STANDARD_JSON_ENVELOPE_REQUEST, .boot = *request};
    TRY(host_send(host, &m, ENCODING_BORSH, a, reply));
    if (!reply_is_undecodable(reply) || request->manifest_envelope.manifest.version == MANIFEST_V2)
        return reply_expect(reply, MSG_BOOT_STANDARD_RESPONSE);
    m.tag = MSG_BOOT_STANDARD_REQUEST;
    TRY(host_send(host, &m, ENCODING_BORSH, a, reply));
    return reply_expect(reply, MSG_BOOT_STANDARD_RESPONSE);
}

static enum q_err boot_standard(const struct options *o)
{
    ARENA_AUTO a = {0};
    VERIFICATION_AUTO v = {0};
    BUF_AUTO pivot = {0};
    struct host_link host;
    struct boot_request request;
    struct message reply;
    struct claims claims;
    struct bytes document;
    TRY(host_link_open(o, &host));
    TRY(verification_start(o, &v));
    TRY(boot_files_read(o, &v, &a, &request, &pivot));
    TRY(boot(&host, &request, &a, &reply));
    TRY(reply_document(&reply.nsm.nsm_response, &document));
    TRY(evidence_read(&v, document, &a, &claims));
    return evidence_check_setup(&v, &claims, &request.manifest_envelope.manifest);
}

static const struct option boot_standard_options[] = {
    OPTIONS_HOST,
    OPTION_REQUIRED("pivot-path", "The application's binary"),
    OPTION_REQUIRED("pcr3-preimage-path", "File with the role behind PCR3"),
    OPTION_OPTIONAL("manifest-envelope-path", "The manifest with its approvals (needed)"),
    OPTIONS_VERIFY,
    OPTION_AUDIT,
};

const struct command command_boot_standard = {
    .name = "boot-standard",
    .run = boot_standard,
    .help = "Boot an enclave with an approved manifest and its application",
    COMMAND_OPTIONS(boot_standard_options),
    .audited = true,
};
