// attestation show: what an attestation document says, believed by nobody.
#include "client/command.h"

#include "base/file.h"
#include "client/attestation/claims_view.h"
#include "client/time_text.h"

#include <stdio.h>

// Also the certificates' validity, which takes their own root; whether they hold is not said.
static enum q_err decode(struct bytes document, struct arena *a, struct claims *out)
{
    TRUST_AUTO own = {0};
    struct claims dated;
    struct attestation_report ignored;
    TRY(attestation_read(document, a, out));
    if (trust_from_der(out->root, "cabundle[0]", true, &own) != Q_OK)
        return Q_OK;
    (void)attestation_inspect(document, &own, out->timestamp_ms / 1000, a, &dated, &ignored);
    out->not_before_s = dated.not_before_s;
    out->not_after_s = dated.not_after_s;
    return Q_OK;
}

static enum q_err print_json(const struct claims *claims, int64_t now)
{
    JSON_AUTO *object = NULL;
    json_t *document = NULL;
    TRY(json_tree_object(&object));
    TRY(json_put(object, "verified", json_false()));
    enum q_err made = claims_json(claims, now, &document);
    TRY(json_put(object, "document", document));
    TRY(made);
    return json_print(object, false);
}

static enum q_err attestation_show(const struct options *o)
{
    ARENA_AUTO a = {0};
    BUF_AUTO document = {0};
    struct claims claims;
    int64_t now;
    TRY(file_read(options_value(o, "attestation-doc-path"), ATTESTATION_MAX_SIZE, &document));
    TRY(decode(buf_bytes(&document), &a, &claims));
    TRY(time_now_s(&now));
    if (options_given(o, "json"))
        return print_json(&claims, now);
    printf("UNVERIFIED: anybody can write such a document; attestation verify checks it.\n\n");
    return claims_print(&claims, now);
}

static const struct option attestation_show_options[] = {
    OPTION_REQUIRED("attestation-doc-path", "The document"),
    OPTION_SWITCH("json", "Print one JSON object"),
};

const struct command command_attestation_show = {
    .name = "attestation show",
    .run = attestation_show,
    .help = "Show what an attestation document says; verifies nothing",
    COMMAND_OPTIONS(attestation_show_options),
};
