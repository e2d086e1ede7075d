// HTTP to qos_host by libcurl (see host_link.h). No proxies, no redirections, nothing but HTTP.
#include "client/host_link.h"

#include "base/text.h"

#include <curl/curl.h>
#include <stdio.h>
#include <string.h>

#define CONNECT_TIMEOUT_S 30L
#define STALLED_AFTER_S 120L // without one byte in either direction
#define SHOWN_BODY 256
#define LETTERS_AND_DIGITS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"

// The parts of a URL come from the command line; none of them may change what the others mean.
static enum q_err check_url_part(const char *option, const char *value, const char *allowed)
{
    size_t good = strspn(value, allowed);
    if (*value != '\0' && value[good] == '\0')
        return Q_OK;
    return fail(Q_BAD_INPUT, "--%s: expected only letters, digits and %s, found %s", option,
                allowed + sizeof LETTERS_AND_DIGITS - 1, *value == '\0' ? "nothing" : value);
}

enum q_err host_link_open(const struct options *o, struct host_link *out)
{
    const char *ip = options_value(o, "host-ip"), *path = options_value(o, "endpoint-base-path");
    uint32_t port;
    TRY(check_url_part("host-ip", ip, LETTERS_AND_DIGITS ".-_:[]"));
    TRY(check_url_part("endpoint-base-path", path, LETTERS_AND_DIGITS "._-/"));
    TRY(options_u32(o, "host-port", 1, 65535, &port));
    bool bare_ipv6 = strchr(ip, ':') != NULL && *ip != '[';
    int n = snprintf(out->base, sizeof out->base, "http://%s%s%s:%u/%s/", bare_ipv6 ? "[" : "", ip,
                     bare_ipv6 ? "]" : "", port, path);
    if (n < 0 || (size_t)n >= sizeof out->base)
        return fail(Q_LIMIT, "--host-ip and --endpoint-base-path: too long");
    return Q_OK;
}

// One transfer: its handle, URL, what comes back, and the text libcurl leaves about a failure.
struct transfer {
    CURL *handle;
    struct curl_slist *headers;
    char url[sizeof((struct host_link *)0)->base + 64];
    struct buf *body;
    char why[CURL_ERROR_SIZE];
};
#define TRANSFER_AUTO __attribute__((cleanup(transfer_end))) struct transfer

static void transfer_end(struct transfer *t)
{
    curl_slist_free_all(t->headers);
    curl_easy_cleanup(t->handle);
}

static size_t take_body(char *data, size_t size, size_t count, void *context)
{
    struct buf *body = context;
    size_t n = size * count; // libcurl: size is 1
    return buf_append(body, bytes_of(data, n)) == Q_OK ? n : 0;
}

static bool set_options(struct transfer *t)
{
    CURL *c = t->handle;
    return curl_easy_setopt(c, CURLOPT_URL, t->url) == CURLE_OK &&
           curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "http") == CURLE_OK &&
           curl_easy_setopt(c, CURLOPT_PROXY, "") == CURLE_OK &&
           curl_easy_setopt(c, CURLOPT_FOLLOWLOCATION, 0L) == CURLE_OK &&
           curl_easy_setopt(c, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1) == CURLE_OK &&
           curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L) == CURLE_OK &&
           curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT, CONNECT_TIMEOUT_S) == CURLE_OK &&
           curl_easy_setopt(c, CURLOPT_LOW_SPEED_LIMIT, 1L) == CURLE_OK &&
           curl_easy_setopt(c, CURLOPT_LOW_SPEED_TIME, STALLED_AFTER_S) == CURLE_OK &&
           curl_easy_setopt(c, CURLOPT_ERRORBUFFER, t->why) == CURLE_OK &&
           curl_easy_setopt(c, CURLOPT_USERAGENT, "qos_client/" QUORATE_VERSION) == CURLE_OK &&
           curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, take_body) == CURLE_OK &&
           curl_easy_setopt(c, CURLOPT_WRITEDATA, t->body) == CURLE_OK;
}

// A pivot is large: without this header libcurl does not wait for "100 Continue" first.
static bool set_upload(struct transfer *t, struct bytes body)
{
    t->headers = curl_slist_append(NULL, "Expect:");
    if (t->headers == NULL)
        return false;
    struct curl_slist *more =
        curl_slist_append(t->headers, "Content-Type: application/octet-stream");
    return more != NULL &&
           curl_easy_setopt(t->handle, CURLOPT_HTTPHEADER, t->headers) == CURLE_OK &&
           curl_easy_setopt(t->handle, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)body.n) ==
               CURLE_OK &&
           curl_easy_setopt(t->handle, CURLOPT_POSTFIELDS, body.p) == CURLE_OK;
}

static enum q_err transfer_start(struct transfer *t, const struct host_link *h, const char *route,
                                 struct buf *body)
{
    (void)snprintf(t->url, sizeof t->url, "%s%s", h->base, route);
    t->body = body;
    t->body->limit = MESSAGE_MAX_SIZE;
    if (curl_global_init(CURL_GLOBAL_NOTHING) != CURLE_OK)
        return fail(Q_NOMEM, "libcurl: cannot be started");
    t->handle = curl_easy_init();
    if (t->handle == NULL || !set_options(t))
        return fail(Q_NOMEM, "libcurl: a transfer cannot be set up");
    return Q_OK;
}

static enum q_err bad_status(const struct transfer *t, long status)
{
    BUF_AUTO shown = {0};
    size_t n = t->body->n < SHOWN_BODY ? t->body->n : SHOWN_BODY;
    TRY(text_debug(bytes_of(buf_bytes(t->body).p, n), &shown));
    const char *text = buf_text(&shown);
    return fail(Q_IO, "http_post error: [url: %s, status: %ld, body: Ok(%s)]", t->url, status,
                text == NULL ? "?" : text);
}

static enum q_err perform(struct transfer *t)
{
    CURLcode code = curl_easy_perform(t->handle);
    if (code == CURLE_WRITE_ERROR)
        return fail(Q_LIMIT, "http_post error: %s: expected an answer of at most %zu bytes", t->url,
                    t->body->limit);
    if (code != CURLE_OK)
        return fail(code == CURLE_OPERATION_TIMEDOUT ? Q_TIMEOUT : Q_IO,
                    "http_post error: transport error: %s: %s", t->url,
                    t->why[0] != '\0' ? t->why : curl_easy_strerror(code));
    long status = 0;
    if (curl_easy_getinfo(t->handle, CURLINFO_RESPONSE_CODE, &status) != CURLE_OK)
        return fail(Q_INTERNAL, "libcurl: no status of a finished transfer");
    return status >= 200 && status < 300 ? Q_OK : bad_status(t, status);
}

enum q_err host_get(const struct host_link *h, const char *route, struct buf *body)
{
    TRANSFER_AUTO t = {0};
    TRY(transfer_start(&t, h, route, body));
    return perform(&t);
}

enum q_err host_date(const struct host_link *h, bool *known, int64_t *seconds)
{
    TRANSFER_AUTO t = {0};
    BUF_AUTO body = {0};
    struct curl_header *date;
    TRY(transfer_start(&t, h, "host-health", &body));
    TRY(perform(&t));
    *known = curl_easy_header(t.handle, "Date", 0, CURLH_HEADER, -1, &date) == CURLHE_OK;
    if (*known) {
        *seconds = (int64_t)curl_getdate(date->value, NULL);
        *known = *seconds > 0;
    }
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
    TRANSFER_AUTO t = {0};
    struct protocol_error why;
    enum encoding was;
    TRY(err_context(message_encode(request, as, &sent, &why), "request"));
    TRY(transfer_start(&t, h, "message", &body));
    if (!set_upload(&t, buf_bytes(&sent)))
        return fail(Q_NOMEM, "libcurl: an upload cannot be set up");
    TRY(perform(&t));
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
