// boot-standard: gives an enclave its manifest and application, and verifies that it runs them
// (qos-behaviour 1.6).
#include "client/command.h"

#include "base/file.h"
#include "base/hex.h"
#include "client/boot_post.h"
#include "client/evidence.h"
#include "client/manifest_parts.h"
#include "protocol/manifest.h"

static enum q_err check_pivot(const struct manifest *m, struct bytes pivot)
{
    uint8_t hash[SHA256_SIZE];
    TRY(sha256(pivot, hash));
    if (bytes_equal(BYTES_OF(hash), BYTES_OF(m->pivot.hash)))
        return Q_OK;
    BUF_AUTO expected = {0}, actual = {0};
    TRY(hex_encode(BYTES_OF(m->pivot.hash), &expected));
    TRY(hex_encode(BYTES_OF(hash), &actual));
    const char *expected_hex = buf_text(&expected), *actual_hex = buf_text(&actual);
    if (expected_hex == NULL || actual_hex == NULL)
        return Q_NOMEM;
    return fail(Q_REFUSED,
                "InvalidPivotHash { expected: \"%s\", actual: \"%s\" }: the application is not the "
                "one the manifest names",
                expected_hex, actual_hex);
}

// All that can be known before the enclave is asked: a refusal would cost an original enclave its
// life.
static enum q_err prepare(const struct options *o, const struct verification *v, struct arena *a,
                          struct boot_request *boot, struct buf *pivot)
{
    const char *path;
    struct bytes role;
    TRY(envelope_path(o, &path));
    TRY(err_context(file_read(options_value(o, "pivot-path"), MESSAGE_MAX_SIZE, pivot),
                    "FailedToReadPivot"));
    boot->pivot = buf_bytes(pivot);
    TRY(envelope_file_read(path, a, &boot->manifest_envelope));
    const struct manifest *m = &boot->manifest_envelope.manifest;
    TRY(evidence_manifest_ready(v, m));
    if (!v->skip) {
        TRY(role_read(options_value(o, "pcr3-preimage-path"), a, &role));
        TRY(evidence_role_matches(m, role));
    }
    TRY(err_context(envelope_check_approvals(&boot->manifest_envelope, NULL), "%s", path));
    return check_pivot(m, boot->pivot);
}

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
    TRY(prepare(o, &v, &a, &request, &pivot));
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
