// enclave-info (see enclave_info.h): three questions, and a fourth of our own once provisioned. The body
// is written as the replies come: explicit nulls, this order of keys, no spaces.
#include "host/enclave_info.h"

#include "base/hex.h"
#include "base/log.h"
#include "codec/json.h"
#include "protocol/manifest.h"
#include "tee/attestation.h"

#include <stdlib.h>

struct info {
    struct enclave_link *link;
    struct vitals *vitals;
    struct http_request *request;
    enum phase phase;
    struct buf body, line;
};

static void finish(struct info *i)
{
    buf_free(&i->body);
    buf_free(&i->line);
    free(i);
}

static void answer_failure(struct info *i)
{
    BUF_AUTO body = {0};
    struct bytes text = bytes_str(err_text());
    if (buf_append_str(&body, "{\"error\":") != Q_OK ||
        json_encode(&type_text, &text, JSON_PLAIN, &body) != Q_OK || buf_u8(&body, '}') != Q_OK)
        log_error("enclave-info: %s", err_text());
    http_answer(i->request, 500, HTTP_JSON, &body);
    finish(i);
}

// Of the reply to a question that must be answered.
static enum q_err expect(enum q_err result, const struct message *reply, enum message_kind kind,
                         const char *what)
{
    if (result != Q_OK || reply->tag == kind)
        return result;
    if (reply->tag != MSG_PROTOCOL_ERROR_RESPONSE)
        return fail(Q_BAD_INPUT, "enclave: asked for its %s, found another message", what);
    BUF_AUTO text = {0};
    TRY(protocol_error_display(&reply->error, &text));
    const char *error = buf_text(&text);
    return fail(Q_REFUSED, "enclave: asked for its %s, found %s", what, error == NULL ? "" : error);
}

static void answer(struct info *i)
{
    if (buf_u8(&i->body, '}') != Q_OK) {
        answer_failure(i);
        return;
    }
    const char *line = buf_text(&i->line);
    if (line != NULL && !bytes_equal(buf_bytes(&i->line), buf_bytes(&i->vitals->line))) {
        log_info("%s", line);
        struct buf last = i->vitals->line;
        i->vitals->line = i->line;
        i->line = last;
    }
    http_answer(i->request, 200, HTTP_JSON, &i->body);
    finish(i);
}

static void state_came(void *context, enum q_err result, const struct message *reply)
{
    struct info *i = context;
    // An enclave that does not know this message is one of the original's: nothing to add.
    if (result == Q_OK && reply->tag == MSG_QUORATE_STATE_RESPONSE &&
        buf_printf(&i->body, ",\"pivot_running\":%s",
                   reply->state.pivot_running ? "true" : "false") != Q_OK) {
        answer_failure(i);
        return;
    }
    answer(i);
}

// The key in a fresh document, unverified: whoever needs it verifies the document.
static enum q_err write_key(const struct message *reply, struct buf *out)
{
    ARENA_AUTO arena = {0};
    struct claims claims = {0};
    const struct nsm_response *nsm = &reply->live_attestation.nsm_response;
    TRY(attestation_read(nsm->attestation.data, &arena, &claims));
    if (claims.public_key.p == NULL)
        return fail(Q_MISSING, "attestation document: no public key");
    TRY(buf_u8(out, '"'));
    TRY(hex_encode(claims.public_key, out));
    return buf_u8(out, '"');
}

static void attestation_came(void *context, enum q_err result, const struct message *reply)
{
    struct info *i = context;
    size_t before = i->body.n;
    bool document = result == Q_OK && reply->tag == MSG_LIVE_ATTESTATION_DOC_RESPONSE &&
                    reply->live_attestation.nsm_response.tag == NSM_ATTESTATION;
    result = Q_OK;
    if (!document || write_key(reply, &i->body) != Q_OK) {
        i->body.n = before;
        result = buf_append_str(&i->body, "null");
    }
    if (result == Q_OK)
        result = buf_append_str(&i->line, ",\"ephemeralKey\":");
    if (result == Q_OK)
        result = buf_append(&i->line, bytes_of(i->body.p + before, i->body.n - before));
    if (result == Q_OK)
        result = buf_u8(&i->line, '}');
    if (result != Q_OK)
        answer_failure(i);
    else if (i->phase == PHASE_QUORUM_KEY_PROVISIONED)
        link_ask(i->link, MSG_QUORATE_STATE_REQUEST, state_came, i);
    else
        answer(i);
}

static enum q_err text(struct buf *out, const char *key, struct bytes value)
{
    TRY(buf_printf(out, ",\"%s\":", key));
    return json_encode(&type_text, &value, JSON_PLAIN, out);
}

static enum q_err hex(struct buf *out, const char *key, struct bytes value)
{
    TRY(buf_printf(out, ",\"%s\":\"", key));
    TRY(hex_encode(value, out));
    return buf_u8(out, '"');
}

// The line the original prints after each enclave-info; here it is logged when it changes.
static enum q_err write_vitals(const struct manifest *m, struct buf *out)
{
    TRY(text(out, "namespace", m->namespace.name));
    TRY(buf_printf(out, ",\"nonce\":%u", m->namespace.nonce));
    TRY(hex(out, "pivotHash", BYTES_OF(m->pivot.hash)));
    TRY(hex(out, "pcr0", m->enclave.pcr0));
    TRY(buf_append_str(out, ",\"pivotArgs\":["));
    for (size_t i = 0; i < m->pivot.args.n; i++) {
        TRY(buf_append_str(out, i == 0 ? "" : ","));
        TRY(json_encode(&type_text, &m->pivot.args.items[i], JSON_PLAIN, out));
    }
    return buf_u8(out, ']');
}

static enum q_err write_envelope(struct info *i, enum q_err result, const struct message *reply)
{
    if (i->phase == PHASE_GENESIS_BOOTED && result == Q_OK &&
        reply->tag == MSG_PROTOCOL_ERROR_RESPONSE)
        return fail(Q_REFUSED,
                    "enclave: after genesis (phase GenesisBooted) it holds no manifest and "
                    "answers only status and version; restart it and boot it with an "
                    "approved manifest");
    TRY(expect(result, reply, MSG_MANIFEST_ENVELOPE_RESPONSE, "manifest envelope"));
    const struct manifest_envelope *e = reply->envelope.manifest_envelope;
    if (e == NULL) {
        TRY(buf_append_str(&i->body, "null"));
    } else {
        TRY(envelope_plain(e, &i->body));
        TRY(write_vitals(&e->manifest, &i->line));
    }
    return buf_append_str(&i->body, ",\"ephemeralKey\":");
}

static void envelope_came(void *context, enum q_err result, const struct message *reply)
{
    struct info *i = context;
    if (write_envelope(i, result, reply) == Q_OK)
        link_ask(i->link, MSG_LIVE_ATTESTATION_DOC_REQUEST, attestation_came, i);
    else
        answer_failure(i);
}

static enum q_err write_phase(struct info *i, enum q_err result, const struct message *reply)
{
    TRY(expect(result, reply, MSG_STATUS_RESPONSE, "status"));
    i->phase = (enum phase)reply->status.tag;
    const char *name = phase_name(i->phase);
    TRY(buf_printf(&i->body, "{\"phase\":\"%s\",\"manifestEnvelope\":", name));
    return buf_printf(&i->line, "{\"phase\":\"%s\"", name);
}

static void status_came(void *context, enum q_err result, const struct message *reply)
{
    struct info *i = context;
    if (write_phase(i, result, reply) == Q_OK)
        link_ask(i->link, MSG_MANIFEST_ENVELOPE_REQUEST, envelope_came, i);
    else
        answer_failure(i);
}

void enclave_info_answer(struct enclave_link *link, struct vitals *vitals, struct http_request *r)
{
    struct info *i = calloc(1, sizeof *i);
    if (i == NULL) {
        http_answer_text(r, 500, HTTP_JSON, "{\"error\":\"host: no memory\"}");
        return;
    }
    *i = (struct info){.link = link, .vitals = vitals, .request = r};
    link_ask(link, MSG_STATUS_REQUEST, status_came, i);
}
