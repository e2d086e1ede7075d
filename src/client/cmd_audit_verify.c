// audit verify: follows an audit log from its first line to its last (docs/formats.md).
#include "client/command.h"

#include "base/hex.h"
#include "custody/audit_log.h"

#include <inttypes.h>
#include <stdio.h>

static enum q_err check_head(const char *given, const struct audit_chain *chain, const char *hex)
{
    uint8_t expected[SHA256_SIZE];
    if (given == NULL)
        return Q_OK;
    TRY(err_context(hex_decode_fixed(bytes_str(given), expected, sizeof expected),
                    "--expect-head"));
    if (bytes_equal(BYTES_OF(expected), BYTES_OF(chain->head)))
        return Q_OK;
    return fail(Q_REFUSED,
                "--expect-head: expected %s, found %s: the log goes on after that line, or its "
                "last lines were taken off or changed",
                given, hex);
}

static enum q_err audit_verify(const struct options *o)
{
    BUF_AUTO head = {0};
    struct audit_chain chain;
    TRY(audit_log_verify(options_value(o, "audit-log"), &chain));
    TRY(hex_encode(BYTES_OF(chain.head), &head));
    const char *hex = buf_text(&head);
    if (hex == NULL)
        return Q_NOMEM;
    TRY(check_head(options_value(o, "expect-head"), &chain, hex));
    printf("events: %" PRIu64 "\nhead: %s\n", chain.count, hex);
    return Q_OK;
}

static const struct option audit_verify_options[] = {
    OPTION_REQUIRED("audit-log", "The log"),
    OPTION_OPTIONAL("expect-head", "Hash of its last line, as it was noted before, in hex"),
};

const struct command command_audit_verify = {
    .name = "audit verify",
    .run = audit_verify,
    .help = "Check that nothing in an audit log was changed, and print its head",
    COMMAND_OPTIONS(audit_verify_options),
};
