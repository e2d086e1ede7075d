// The host, the enclave behind it, its documents, and whose clock is off (see doctor.h).
#include "client/survey/doctor.h"

#include "client/survey/ceremony.h"
#include "client/time_text.h"

#define CLOCK_WRONG_S 300 // more than documents may be from the future
#define CLOCK_OFF_S 30

enum q_err doctor_clock(struct findings *out, const char *whose, int64_t theirs_s, int64_t ours_s)
{
    int64_t off = theirs_s - ours_s;
    int64_t size = off < 0 ? -off : off;
    BUF_AUTO text = {0};
    if (size <= CLOCK_OFF_S)
        return Q_OK;
    TRY(age_show(size, &text));
    const char *amount = buf_text(&text);
    return finding_add(out, size > CLOCK_WRONG_S ? FINDING_ERROR : FINDING_WARNING, "clock-off",
                       "this machine",
                       "timedatectl set-ntp true (on whichever of the two is wrong)",
                       "the clock of %s is %s %s this machine's: documents seem expired or from "
                       "the future",
                       whose, amount == NULL ? "?" : amount, off < 0 ? "behind" : "ahead of");
}

// With no host to ask, the fetched document at least cannot be from the future.
static enum q_err check_clock(const struct patient *p)
{
    const struct survey *s = p->survey;
    const struct enclave_survey *e = &s->enclave;
    bool enclave = s->enclave_asked && e->document.p != NULL && e->claims.timestamp_ms != 0;
    bool host = s->enclave_asked && e->date_known;
    if (enclave)
        TRY(doctor_clock(p->out, "the enclave", e->claims.timestamp_ms / 1000,
                         e->document_asked_s));
    if (host)
        TRY(doctor_clock(p->out, "the host", e->date_s, e->date_asked_s));
    if (s->document.seen == SEEN && s->document.claims.timestamp_ms / 1000 > s->now_s)
        TRY(doctor_clock(p->out, "the enclave that made the fetched document",
                         s->document.claims.timestamp_ms / 1000, s->now_s));
    if (enclave || host)
        return Q_OK;
    return finding_add(p->out, FINDING_NOTE, "clock-unknown", "this machine",
                       "name a host: --host-ip, --host-port",
                       "whether this machine's clock is right is unknown: there is none to compare "
                       "it with");
}

static enum q_err check_fetched(const struct patient *p)
{
    const struct document_survey *d = &p->survey->document;
    const char *path = options_value(p->o, "attestation-doc-path");
    static const char again[] = "fetch it again with get-attestation-doc";
    const struct attestation_wish wish = {.nonce = d->claims.nonce};
    struct claims claims;
    struct check_list checks;
    if (d->seen == UNSEEN && !d->there)
        return finding_add(p->out, FINDING_NOTE, "no-document", path,
                           "get-attestation-doc fetches it from a booted enclave",
                           "there is no such document yet");
    if (d->seen == UNSEEN)
        return finding_add(p->out, FINDING_ERROR, "bad-document", path, again, "%.*s",
                           (int)d->problem.n, (const char *)d->problem.p);
    if (d->seen != SEEN || p->trust == NULL)
        return Q_OK;
    TRY(attestation_checks_make(d->document, p->trust, p->survey->now_s, &wish, p->arena, &claims,
                                &checks));
    for (size_t i = 0; i < checks.n; i++) {
        const struct check *c = &checks.items[i];
        bool time = bytes_is(bytes_str(c->name), "validity");
        if (c->result == CHECK_FAILED)
            TRY(finding_add(p->out, FINDING_ERROR, time ? "expired-document" : "bad-document", path,
                            again, "%s: %.*s", c->name, (int)c->detail.n,
                            (const char *)c->detail.p));
    }
    return Q_OK;
}

enum q_err doctor_documents(const struct patient *p)
{
    TRY(check_fetched(p));
    return check_clock(p);
}

static enum q_err check_enclave(const struct patient *p, const char *where)
{
    const struct enclave_survey *e = &p->survey->enclave;
    enum commitment which =
        e->phase == PHASE_QUORUM_KEY_PROVISIONED ? COMMITMENT_LIVE : COMMITMENT_SETUP;
    struct bytes why = BYTES_NONE;
    if (e->phase == PHASE_UNRECOVERABLE_ERROR)
        TRY(finding_add(p->out, FINDING_ERROR, "enclave-broken", where,
                        "restart qos_core, then boot-standard and the shares again",
                        "the enclave is in the phase UnrecoverableError"));
    if (e->state_known && bytes_is(e->state.tee, "sim"))
        TRY(finding_add(p->out, FINDING_WARNING, "simulated-enclave", where,
                        "run qos_core in a real TEE",
                        "SIMULATED: no hardware protects this "
                        "enclave's keys"));
    if (e->envelope == NULL)
        return Q_OK;
    if (ceremony_same_manifest(p->survey) != YES) // that one was examined among the files
        TRY(doctor_manifest(p, &e->envelope->manifest, where));
    if (e->document.p == NULL || p->trust == NULL)
        return Q_OK;
    TRY(survey_attested(p->trust, p->survey->now_s, e->document, e->envelope, which, p->arena,
                        &why));
    if (why.p == NULL)
        return Q_OK;
    return finding_add(p->out, FINDING_ERROR, "not-attested", where,
                       "post no share to it; attestation verify shows each check",
                       "the enclave's fresh document does not attest its manifest: %.*s",
                       (int)why.n, (const char *)why.p);
}

enum q_err doctor_host(const struct patient *p)
{
    const struct enclave_survey *e = &p->survey->enclave;
    const char *where = e->host.base;
    if (!p->survey->enclave_asked)
        return Q_OK;
    if (!e->host_answers)
        return finding_add(p->out, FINDING_ERROR, "host-unreachable", where,
                           "start qos_host there, and look at the port and the firewall", "%.*s",
                           (int)e->problem.n, (const char *)e->problem.p);
    if (!e->enclave_answers)
        return finding_add(p->out, FINDING_ERROR, "enclave-unreachable", where,
                           "start qos_core, with the socket that qos_host was given", "%.*s",
                           (int)e->problem.n, (const char *)e->problem.p);
    if (e->problem.p != NULL)
        TRY(finding_add(p->out, FINDING_ERROR, "enclave-answer", where, "look at qos_core's log",
                        "%.*s", (int)e->problem.n, (const char *)e->problem.p));
    return check_enclave(p, where);
}
