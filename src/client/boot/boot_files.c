// Reading and checking what an enclave is booted with (see boot_files.h).
#include "client/boot/boot_files.h"

#include "base/file.h"
#include "base/hex.h"
#include "client/manifest/manifest_parts.h"
#include "protocol/manifest.h"
#include "protocol/message.h"

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

enum q_err boot_files_read(const struct options *o, const struct verification *v, struct arena *a,
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
    if (!v->skip && options_value(o, "pcr3-preimage-path") != NULL) {
        TRY(role_read(options_value(o, "pcr3-preimage-path"), a, &role));
        TRY(evidence_role_matches(m, role));
    }
    TRY(err_context(envelope_check_approvals(&boot->manifest_envelope, NULL), "%s", path));
    return check_pivot(m, boot->pivot);
}
