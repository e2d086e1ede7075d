// host-health, enclave-health, message, enclave-info, metrics (see qos_routes.h; qos-behaviour 3.2). The
// host decides nothing here: messages pass through unread.
#include "host/qos_routes.h"

#define BODY_LIMIT ((size_t)256 << 20)

static const char oversize[] = "{\"protocolErrorResponse\":\"OversizeMsg\"}";
static const char enclave_client[] = "{\"protocolErrorResponse\":\"EnclaveClient\"}";

static void host_health(void *context, struct http_request *r)
{
    (void)context;
    http_answer_text(r, 200, HTTP_HTML, "Ok!");
}

// Text that came from elsewhere, where a browser may take it for HTML.
static void answer_failure(struct http_request *r, const char *text)
{
    BUF_AUTO body = {0};
    enum q_err result = Q_OK;
    for (; *text != '\0' && result == Q_OK; text++) {
        bool markup = *text == '<' || *text == '>' || *text == '&';
        result = buf_u8(&body, markup ? '?' : (uint8_t)*text);
    }
    http_answer(r, 500, HTTP_HTML, &body);
}

static bool serves(enum phase p)
{
    return p == PHASE_QUORUM_KEY_PROVISIONED || p == PHASE_GENESIS_BOOTED;
}

static void enclave_health_known(void *context, enum q_err result, const struct message *reply)
{
    struct http_request *r = context;
    if (result == Q_OK && reply->tag != MSG_STATUS_RESPONSE)
        result = fail(Q_BAD_INPUT, "enclave: expected its status, found another message");
    if (result != Q_OK) {
        answer_failure(r, err_text());
        return;
    }
    enum phase p = (enum phase)reply->status.tag;
    http_answer_text(r, serves(p) ? 200 : 503, HTTP_HTML, phase_name(p));
}

static void enclave_health(void *context, struct http_request *r)
{
    const struct host *h = context;
    link_ask(h->link, MSG_STATUS_REQUEST, enclave_health_known, r);
}

static void enclave_info(void *context, struct http_request *r)
{
    struct host *h = context;
    enclave_info_answer(h->link, &h->vitals, r);
}

static void message_answered(void *context, enum q_err result, struct bytes reply)
{
    struct http_request *r = context;
    BUF_AUTO body = {0};
    if (result == Q_OK)
        result = buf_append(&body, reply);
    if (result == Q_OK)
        http_answer(r, 200, HTTP_BYTES, &body);
    else
        http_answer_text(r, 500, HTTP_BYTES, enclave_client);
}

static void message(void *context, struct http_request *r)
{
    const struct host *h = context;
    struct bytes body;
    enum http_body state = http_body(r, &body);
    if (state == HTTP_BODY_OVER_LIMIT)
        http_answer_text(r, 400, HTTP_BYTES, oversize);
    else if (state == HTTP_BODY_NO_ROOM)
        http_answer_text(r, 503, HTTP_BYTES, enclave_client);
    else if (state == HTTP_BODY_CUT ||
             audited_forward(h->link, h->audit, h->audit == NULL ? NULL : audited_event(body), body,
                             message_answered, r) != Q_OK)
        http_answer_text(r, 500, HTTP_BYTES, enclave_client);
}

static void metrics(void *context, struct http_request *r)
{
    const struct host *h = context;
    BUF_AUTO body = {0};
    if (metrics_write(h->metrics, link_state(h->link), http_connections(h->http), &body) == Q_OK)
        http_answer(r, 200, "text/plain; version=0.0.4; charset=utf-8", &body);
    else
        answer_failure(r, err_text());
}

struct route_family qos_routes(const char *base, struct host *host)
{
    static const struct route routes[] = {
        {"GET", "host-health", host_health, 0, 0},
        {"GET", "enclave-health", enclave_health, 0, 0},
        {"GET", "enclave-info", enclave_info, 0, 0},
        {"POST", "message", message, FRAME_MAX, BODY_LIMIT},
    };
    return (struct route_family){
        .base = base, .routes = routes, .count = sizeof routes / sizeof *routes, .context = host};
}

struct route_family metrics_routes(struct host *host)
{
    static const struct route routes[] = {
        {"GET", "metrics", metrics, 0, 0},
    };
    return (struct route_family){
        .base = "", .routes = routes, .count = sizeof routes / sizeof *routes, .context = host};
}
