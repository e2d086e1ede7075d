// Events from messages that pass through (see audited.h).
#include "host/audited.h"

#include "base/hex.h"
#include "base/log.h"
#include "tee/attestation.h"

#include <stdlib.h>
#include <string.h>

static const char unknown[] = "unknown message";

static bool is_space(uint8_t c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static struct bytes without_space(struct bytes text)
{
    while (text.n > 0 && is_space(text.p[0]))
        text = bytes_of(text.p + 1, text.n - 1);
    return text;
}

static const char *event_of(const struct variant *v)
{
    switch (v->index) {
    case MSG_STATUS_REQUEST:
    case MSG_PROXY_REQUEST:
    case MSG_LIVE_ATTESTATION_DOC_REQUEST:
    case MSG_MANIFEST_ENVELOPE_REQUEST:
    case MSG_VERSION_REQUEST:
    case MSG_QUORATE_STATE_REQUEST:
    case MSG_QUORATE_RESHARE_ATTESTATION_REQUEST:
        return NULL;
    default:
        return v->name == NULL ? "bootStandardJsonEnvelopeRequest" : v->name;
    }
}

// "name" or {"name": ...}. A name with escapes is unknown here; what it means is left to the
// enclave.
static const char *event_of_json(struct bytes text)
{
    if (text.n > 0 && text.p[0] == '{')
        text = without_space(bytes_of(text.p + 1, text.n - 1));
    if (text.n == 0 || text.p[0] != '"')
        return unknown;
    const uint8_t *end = memchr(text.p + 1, '"', text.n - 1);
    if (end == NULL)
        return unknown;
    struct bytes name = bytes_of(text.p + 1, (size_t)(end - text.p) - 1);
    for (size_t i = 0; i < type_message.count; i++) {
        const struct variant *v = &type_message.variants[i];
        if (v->name != NULL && bytes_is(name, v->name))
            return event_of(v);
    }
    return unknown;
}

const char *audited_event(struct bytes request)
{
    struct bytes text = without_space(request);
    if (text.n > 0 && (text.p[0] == '{' || text.p[0] == '"')) // no index of a Borsh message
        return event_of_json(text);
    for (size_t i = 0; i < type_message.count && request.n > 0; i++) {
        if (type_message.variants[i].index == request.p[0])
            return event_of(&type_message.variants[i]);
    }
    return unknown;
}

// One message on its way, until its event is written.
struct audited {
    struct enclave_link *link;
    struct audit_log *log;
    frame_done done;
    void *context;
    const char *event;
    size_t request_size;
    uint8_t request_digest[SHA256_SIZE];
    enum q_err result;
    char why[Q_ERR_TEXT_SIZE]; // when result is a failure
    struct buf reply;
};

// What a document in the answer says about itself. The host believes and judges nothing of it.
static void note_document(const struct nsm_response *r, bool booted, struct arena *a,
                          uint8_t digest[static SHA256_SIZE], struct audit_event *e)
{
    struct claims claims;
    if (r->tag != NSM_ATTESTATION || sha256(r->attestation.data, digest) != Q_OK)
        return;
    e->document_digest = bytes_of(digest, SHA256_SIZE);
    if (booted && attestation_read(r->attestation.data, a, &claims) == Q_OK &&
        claims.user_data.n == SHA256_SIZE)
        e->manifest_hash = claims.user_data;
}

static enum q_err describe_reply(const struct message *m, struct buf *out)
{
    switch (m->tag) {
    case MSG_PROTOCOL_ERROR_RESPONSE:
        TRY(buf_append_str(out, "refused: "));
        return protocol_error_display(&m->error, out);
    case MSG_PROVISION_RESPONSE:
        return buf_printf(out, "accepted, the quorum key has %sbeen reconstructed",
                          m->provision_reply.reconstructed ? "" : "not ");
    case MSG_QUORATE_RESHARE_SHARE_RESPONSE:
        return buf_printf(out, "accepted, the new shares have %sbeen made",
                          m->reshare_share_reply.complete ? "" : "not ");
    case MSG_QUORATE_API_RESPONSE:
        return buf_printf(out, "answered with status %u", m->api_response.status);
    default:
        return buf_append_str(out, "accepted");
    }
}

static enum q_err describe(const struct audited *call, const char *phase, struct arena *a,
                           uint8_t digest[static SHA256_SIZE], struct buf *details,
                           struct audit_event *e)
{
    struct message m;
    enum encoding was;
    struct protocol_error why;
    TRY(buf_printf(details, "request of %zu bytes, SHA-256 ", call->request_size));
    TRY(hex_encode(BYTES_OF(call->request_digest), details));
    TRY(buf_append_str(details, "; "));
    if (call->result != Q_OK)
        TRY(buf_printf(details, "no answer: %s", call->why));
    else if (message_decode(buf_bytes(&call->reply), a, &m, &was, &why) != Q_OK)
        TRY(buf_append_str(details, "an answer that cannot be read"));
    else {
        TRY(describe_reply(&m, details));
        if (m.tag == MSG_BOOT_STANDARD_RESPONSE || m.tag == MSG_QUORATE_RESHARE_BOOT_RESPONSE)
            note_document(&m.nsm.nsm_response, true, a, digest, e);
        if (m.tag == MSG_BOOT_GENESIS_RESPONSE)
            note_document(&m.genesis_reply.nsm_response, false, a, digest, e);
        if (m.tag == MSG_QUORATE_RESHARE_OUTPUT_RESPONSE)
            note_document(&m.reshare_output.nsm_response, false, a, digest, e);
    }
    return buf_printf(details, "; phase %s", phase);
}

static enum q_err record(const struct audited *call, const char *phase)
{
    ARENA_AUTO a = {0};
    BUF_AUTO details = {0};
    uint8_t digest[SHA256_SIZE];
    struct audit_event e = {.who = BYTES_LIT("qos_host"), .event = bytes_str(call->event)};
    TRY(describe(call, phase, &a, digest, &details, &e));
    e.details = buf_bytes(&details);
    return audit_log_append(call->log, &clock_wall, &e);
}

static void end_call(struct audited *call, const char *phase)
{
    if (record(call, phase) != Q_OK)
        log_error("%s: not in the audit log: %s", call->event, err_text());
    if (call->result != Q_OK)
        err_record(-1, "%s", call->why);
    call->done(call->context, call->result, buf_bytes(&call->reply));
    buf_free(&call->reply);
    free(call);
}

static void phase_known(void *context, enum q_err result, const struct message *reply)
{
    bool known = result == Q_OK && reply->tag == MSG_STATUS_RESPONSE;
    end_call(context, known ? phase_name((enum phase)reply->status.tag) : "unknown");
}

static void answered(void *context, enum q_err result, struct bytes reply)
{
    struct audited *call = context;
    call->result = result;
    if (result == Q_OK)
        call->result = buf_append(&call->reply, reply);
    if (call->result == Q_OK) {
        link_ask(call->link, MSG_STATUS_REQUEST, phase_known, call);
        return;
    }
    memcpy(call->why, err_text(), strlen(err_text()) + 1);
    end_call(call, "unknown");
}

enum q_err audited_forward(struct enclave_link *l, struct audit_log *log, const char *event,
                           struct bytes request, frame_done done, void *context)
{
    if (log == NULL || event == NULL)
        return link_forward(l, request, done, context);
    struct audited *call = calloc(1, sizeof *call);
    if (call == NULL)
        return fail(Q_NOMEM, "enclave: no memory for a call");
    *call = (struct audited){.link = l,
                             .log = log,
                             .done = done,
                             .context = context,
                             .event = event,
                             .request_size = request.n};
    enum q_err result = sha256(request, call->request_digest);
    if (result == Q_OK)
        result = link_forward(l, request, answered, call);
    if (result != Q_OK)
        free(call);
    return result;
}
