// Asking a host and its enclave (see enclave_survey.h).
#include "client/survey/enclave_survey.h"

#include "client/time_text.h"
#include "protocol/manifest.h"

// Memory that is used up is a failure; everything else is kept as the first problem.
static enum q_err note(enum q_err err, struct arena *a, struct enclave_survey *s)
{
    if (err == Q_NOMEM)
        return err;
    return err == Q_OK || s->problem.p != NULL ? Q_OK
                                               : arena_copy(a, bytes_str(err_text()), &s->problem);
}

static enum q_err ask(const struct enclave_survey *s, enum message_kind question,
                      enum message_kind answer, struct arena *a, struct message *reply)
{
    const struct message request = {.tag = (uint32_t)question};
    TRY(host_post(&s->host, &request, a, reply));
    return reply_expect(reply, answer);
}

static enum q_err ask_phase(struct arena *a, struct enclave_survey *s)
{
    struct message reply;
    enum q_err err = ask(s, MSG_STATUS_REQUEST, MSG_STATUS_RESPONSE, a, &reply);
    if (err != Q_OK)
        return note(err, a, s);
    s->enclave_answers = true;
    s->phase = (enum phase)reply.status.tag;
    return Q_OK;
}

// An enclave of the original does not know this question: no problem.
static enum q_err ask_state(struct arena *a, struct enclave_survey *s)
{
    struct message reply;
    enum q_err err = ask(s, MSG_QUORATE_STATE_REQUEST, MSG_QUORATE_STATE_RESPONSE, a, &reply);
    if (err == Q_OK) {
        s->state_known = true;
        s->state = reply.state;
        s->phase = (enum phase)reply.state.phase.tag;
    }
    return err == Q_NOMEM ? err : Q_OK;
}

static enum q_err ask_envelope(struct arena *a, struct enclave_survey *s)
{
    struct message reply;
    enum q_err err =
        ask(s, MSG_MANIFEST_ENVELOPE_REQUEST, MSG_MANIFEST_ENVELOPE_RESPONSE, a, &reply);
    if (err != Q_OK || reply.envelope.manifest_envelope == NULL)
        return note(err, a, s);
    s->envelope = reply.envelope.manifest_envelope;
    return manifest_hash(&s->envelope->manifest, s->manifest_hash);
}

static enum q_err read_document(const struct message *reply, struct arena *a,
                                struct enclave_survey *s)
{
    struct bytes document;
    TRY(reply_document(&reply->live_attestation.nsm_response, &document));
    TRY(attestation_read(document, a, &s->claims));
    s->document = document;
    return Q_OK;
}

static enum q_err ask_document(struct arena *a, struct enclave_survey *s)
{
    struct message reply;
    enum q_err err =
        ask(s, MSG_LIVE_ATTESTATION_DOC_REQUEST, MSG_LIVE_ATTESTATION_DOC_RESPONSE, a, &reply);
    if (err == Q_OK)
        err = read_document(&reply, a, s);
    TRY(time_now_s(&s->document_asked_s));
    return note(err, a, s);
}

static enum q_err ask_host(struct arena *a, struct enclave_survey *s)
{
    enum q_err err = host_date(&s->host, &s->date_known, &s->date_s);
    s->host_answers = err == Q_OK;
    TRY(time_now_s(&s->date_asked_s));
    return note(err, a, s);
}

enum q_err enclave_survey_make(const struct options *o, struct arena *a, struct enclave_survey *out)
{
    *out = (struct enclave_survey){.problem = BYTES_NONE};
    TRY(host_link_open(o, &out->host));
    TRY(ask_host(a, out));
    if (!out->host_answers)
        return Q_OK;
    TRY(ask_phase(a, out));
    if (!out->enclave_answers)
        return Q_OK;
    TRY(ask_state(a, out));
    if (out->phase == PHASE_GENESIS_BOOTED) // it holds no manifest, and says so with an error
        return Q_OK;
    TRY(ask_envelope(a, out));
    return out->envelope == NULL ? Q_OK : ask_document(a, out);
}
