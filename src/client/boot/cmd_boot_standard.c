// boot-standard: gives an enclave its manifest and application, and verifies that it runs them
// (qos-behaviour 1.6).
#include "client/command.h"

#include "client/boot/boot_files.h"
#include "client/boot/boot_post.h"

static enum q_err boot_standard(const struct options *o)
{
    ARENA_AUTO a = {0};
    VERIFICATION_AUTO v = {0};
    BUF_AUTO pivot = {0};
    struct host_link host;
    struct boot_request request;
    struct claims claims;
    struct bytes document;
    TRY(host_link_open(o, &host));
    TRY(verification_start(o, &v));
    TRY(boot_files_read(o, &v, &a, &request, &pivot));
    TRY(boot_post(&host, &request, &a, &document));
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
