// Messages and the host's routes over HTTP (see host_link.h).
#include "client/host_link.h"

#include "base/text.h"
#include "client/http.h"

#include <stdio.h>
#include <string.h>

#define SHOWN_BODY 256

enum q_err host_link_open(const struct options *o, struct host_link *out)
{
    const char *ip = options_value(o, "host-ip"), *path = options_value(o, "endpoint-base-path");
    uint32_t port;
    TRY(http_check_part("host-ip", ip, HTTP_LETTERS_AND_DIGITS ".-_:[]"));
    TRY(http_check_part("endpoint-base-path", path, HTTP_LETTERS_AND_DIGITS "._-/"));
    TRY(options_u32(o, "host-port", 1, 65535, &port));
    bool bare_ipv6 = strchr(ip, ':') != NULL && *ip != '[';
    int n = snprintf(out->base, sizeof out->base, "http://%s%s%s:%u/%s/", bare_ipv6 ? "[" : "", ip,
                     bare_ipv6 ? "]" : "", port, path);
    if (n < 0 || (size_t)n >= sizeof out->base)
        return fail(Q_LIMIT, "--host-ip and --endpoint-base-path: too long");
    return Q_OK;
}

static enum q_err bad_status(const char *url, long status, const struct buf *body)
{
    BUF_AUTO shown = {0};
    size_t n = body->n < SHOWN_BODY ? body->n : SHOWN_BODY;
    TRY(text_debug(bytes_of(buf_bytes(body).p, n), &shown));
    const char *text = buf_text(&shown);
    return fail(Q_IO, "http_post error: [url: %s, status: %ld, body: Ok(%s)]", url, status,
                text == NULL ? "?" : text);
}

// sent.p == NULL: a GET.
static enum q_err exchange(const struct host_link *h, const char *route, struct bytes sent,
                           struct http_answer *answer, struct buf *body)
{
    char url[sizeof h->base + 64];
    (void)snprintf(url, sizeof url, "%s%s", h->base, route);
    const struct http_request request = {
        .url = url, .body = sent, .content_type = "application/octet-stream"};
    body->limit = MESSAGE_MAX_SIZE;
    TRY(http_exchange(&request, answer, body));
    return answer->status >= 200 && answer->status < 300 ? Q_OK
                                                         : bad_status(url, answer->status, body);
}

enum q_err host_get(const struct host_link *h, const char *route, struct buf *body)
{
    struct http_answer answer;
    return exchange(h, route, BYTES_NONE, &answer, body);
}

enum q_err host_date(const struct host_link *h, bool *known, int64_t *seconds)
{
    BUF_AUTO body = {0};
    struct http_answer answer;
    TRY(exchange(h, "host-health", BYTES_NONE, &answer, &body));
    *known = answer.dated;
    *seconds = answer.date_s;
    return Q_OK;
}

static enum q_err undecodable(const struct buf *body)
{
    BUF_AUTO shown = {0};
    char cause[Q_ERR_TEXT_SIZE];
    (void)snprintf(cause, sizeof cause, "%s", err_text());
    TRY(text_debug(bytes_of(buf_bytes(body).p, body->n < SHOWN_BODY ? body->n : SHOWN_BODY),
                   &shown));
    const char *text = buf_text(&shown);
    return fail(Q_BAD_INPUT, "http_post error: deserialization error: %s; body prefix: %s", cause,
                text == NULL ? "?" : text);
}

enum q_err host_send(const struct host_link *h, const struct message *request, enum encoding as,
                     struct arena *a, struct message *reply)
{
    BUF_AUTO sent = {0}, body = {0};
    struct http_answer answer;
    struct protocol_error why;
    enum encoding was;
    TRY(err_context(message_encode(request, as, &sent, &why), "request"));
    TRY(exchange(h, "message", buf_bytes(&sent), &answer, &body));
    if (message_decode(buf_bytes(&body), a, reply, &was, &why) != Q_OK)
        return undecodable(&body);
    return Q_OK;
}

bool reply_is_undecodable(const struct message *reply)
{
    return reply->tag == MSG_PROTOCOL_ERROR_RESPONSE &&
           reply->error.tag == PE_PROTOCOL_MSG_DESERIALIZATION;
}

enum q_err host_post(const struct host_link *h, const struct message *request, struct arena *a,
                     struct message *reply)
{
    TRY(host_send(h, request, ENCODING_JSON, a, reply));
    if (!reply_is_undecodable(reply))
        return Q_OK;
    return err_context(host_send(h, request, ENCODING_BORSH, a, reply),
                       "after ProtocolMsgDeserialization as the answer to JSON");
}

enum q_err reply_expect(const struct message *reply, enum message_kind kind)
{
    if (reply->tag == (uint32_t)kind)
        return Q_OK;
    if (reply->tag != MSG_PROTOCOL_ERROR_RESPONSE)
        return fail(Q_REFUSED, "enclave: Unexpected response: expected message %d, found %u",
                    (int)kind, reply->tag);
    BUF_AUTO shown = {0};
    TRY(protocol_error_display(&reply->error, &shown));
    const char *text = buf_text(&shown);
    return fail(Q_REFUSED, "enclave: %s", text == NULL ? "?" : text);
}

enum q_err reply_document(const struct nsm_response *r, struct bytes *document)
{
    static const char *const names[] = {
        [NSM_SUCCESS] = "Success",
        [NSM_INVALID_ARGUMENT] = "InvalidArgument",
        [NSM_INVALID_INDEX] = "InvalidIndex",
        [NSM_INVALID_RESPONSE] = "InvalidResponse",
        [NSM_READ_ONLY_INDEX] = "ReadOnlyIndex",
        [NSM_INVALID_OPERATION] = "InvalidOperation",
        [NSM_BUFFER_TOO_SMALL] = "BufferTooSmall",
        [NSM_INPUT_TOO_LARGE] = "InputTooLarge",
        [NSM_INTERNAL_ERROR] = "InternalError",
    };
    if (r->tag == NSM_ATTESTATION) {
        *document = r->attestation.data;
        return Q_OK;
    }
    if (r->tag == NSM_ERROR && r->error.tag < sizeof names / sizeof names[0])
        return fail(Q_TEE, "enclave: expected an attestation document, found the NSM's error %s",
                    names[r->error.tag]);
    return fail(Q_TEE, "enclave: expected an attestation document, found NSM response %u", r->tag);
}
