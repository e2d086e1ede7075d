// doctor: what is wrong with the files, the machine and the host of a ceremony, and the remedies.
#include "client/command.h"

#include "client/survey/doctor.h"
#include "client/attestation/trust_root.h"

#include <stdio.h>

static enum q_err examine(struct patient *p, const char *why_no_root)
{
    TRY(doctor_memory_here(p->out));
    TRY(doctor_root(p, why_no_root));
    TRY(doctor_permissions(p));
    TRY(doctor_sets(p));
    TRY(doctor_genesis(p));
    TRY(doctor_manifests(p));
    TRY(doctor_host(p));
    TRY(doctor_enclave_host(p));
    return doctor_documents(p);
}

static enum q_err collect(const struct options *o, struct arena *a, struct findings *out)
{
    TRUST_AUTO trust = {0};
    struct survey survey;
    struct release release;
    bool readable;
    char why[Q_ERR_TEXT_SIZE] = "";
    struct patient p = {.o = o, .survey = &survey, .arena = a, .out = out};
    TRY(doctor_release(o, &release, &readable, out));
    p.release = readable ? &release : NULL;
    TRY(doctor_role(o, a, &p.role, out));
    if (trust_root_load(o, &trust) == Q_OK)
        p.trust = &trust;
    else
        (void)snprintf(why, sizeof why, "%s", err_text());
    TRY(survey_make(o, a, &survey));
    return examine(&p, why);
}

static enum q_err doctor(const struct options *o)
{
    ARENA_AUTO a = {0};
    void *room;
    TRY(arena_alloc(&a, sizeof(struct findings), &room));
    struct findings *out = room;
    out->arena = &a;
    TRY(collect(o, &a, out));
    TRY(options_given(o, "json") ? findings_print_json(out) : findings_print(out));
    return findings_verdict(out);
}

static const struct option doctor_options[] = {
    OPTIONS_SURVEY,
    OPTION_OPTIONAL("members-dir",
                    "Folder with secrets and shares, or with folders of them: who can read them"),
    OPTIONS_TRUST,
    OPTION_SWITCH("enclave-host",
                  "Also whether this machine is fit to run an enclave (qos_enclave)"),
    {.name = "enclave-env-path",
     .kind = OPTION_VALUE,
     .requires_ = "enclave-host",
     .help = "File of qos_enclave's settings [default: /etc/quorate/qos_enclave.env]"},
    {.name = "machine-root",
     .kind = OPTION_VALUE,
     .requires_ = "enclave-host",
     .help = "Folder that stands for / (a machine's files, mounted elsewhere)"},
    OPTION_SWITCH("json", "Print one JSON object"),
};

const struct command command_doctor = {
    .name = "doctor",
    .run = doctor,
    .help = "Find what is wrong with a ceremony's files, machine and host, and the remedies",
    COMMAND_OPTIONS(doctor_options),
};
