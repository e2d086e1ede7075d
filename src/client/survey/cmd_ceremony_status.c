// ceremony status: on one screen how far a ceremony is, and what to type next. Changes nothing.
#include "client/command.h"

#include "client/survey/ceremony.h"
#include "client/attestation/trust_root.h"

// A manifest held by the enclave is worth something only when its fresh document says so too.
static enum q_err attest(const struct options *o, const struct survey *s, struct arena *a,
                         struct ceremony *c)
{
    TRUST_AUTO trust = {0};
    const struct enclave_survey *e = &s->enclave;
    enum commitment which =
        e->phase == PHASE_QUORUM_KEY_PROVISIONED ? COMMITMENT_LIVE : COMMITMENT_SETUP;
    if (e->document.p == NULL || e->envelope == NULL)
        return Q_OK;
    TRY(trust_root_load(o, &trust));
    TRY(survey_attested(&trust, s->now_s, e->document, e->envelope, which, a, &c->attested_why));
    c->attested = c->attested_why.p == NULL ? YES : NO;
    return Q_OK;
}

static enum q_err anything_named(const struct options *o)
{
    static const char *const names[] = {"namespace-dir",          "share-set-dir",
                                        "manifest-set-dir",       "manifest-dir",
                                        "manifest-approvals-dir", "host-ip"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (options_given(o, names[i]))
            return Q_OK;
    }
    return fail(Q_BAD_INPUT, "ceremony status: expected --namespace-dir, another folder of the "
                             "ceremony, or --host-ip with --host-port; found none");
}

static enum q_err ceremony_status(const struct options *o)
{
    ARENA_AUTO a = {0};
    struct survey s;
    struct ceremony c;
    TRY(anything_named(o));
    TRY(survey_make(o, &a, &s));
    TRY(ceremony_make(o, &s, &a, &c));
    TRY(attest(o, &s, &a, &c));
    TRY(ceremony_notes(&a, &c));
    return options_given(o, "json") ? ceremony_print_json(&c) : ceremony_print(&c);
}

static const struct option ceremony_status_options[] = {
    OPTIONS_SURVEY,
    OPTIONS_TRUST,
    OPTION_OPTIONAL("patch-set-dir", "Folder of the patch set, for the command to type next"),
    OPTION_OPTIONAL("pivot-path", "The application, for the command to type next"),
    OPTION_OPTIONAL("pivot-hash-path", "File with its SHA-256, for the command to type next"),
    OPTION_SWITCH("json", "Print one JSON object"),
};

const struct command command_ceremony_status = {
    .name = "ceremony status",
    .run = ceremony_status,
    .help = "Show how far a ceremony is, and what to type next",
    COMMAND_OPTIONS(ceremony_status_options),
};
