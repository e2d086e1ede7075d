// The status page and its two questions (see status_page.h; docs/status-page.md).
#include "host/status_page.h"

#include "base/log.h"
#include "codec/json.h"
#include "host/rest.h"
#include "host/status_page_bytes.h"

static void page(void *context, struct http_request *r)
{
    (void)context;
    BUF_AUTO body = {0};
    if (buf_append(&body, bytes_of(status_page, status_page_size)) == Q_OK)
        http_answer(r, 200, HTTP_HTML, &body);
    else
        http_answer_text(r, 500, HTTP_JSON, "{\"error\":\"host: no memory\"}");
}

static void enclave_info(void *context, struct http_request *r)
{
    struct host *h = context;
    enclave_info_answer(h->link, &h->vitals, r);
}

static void answer_failure(struct http_request *r, unsigned status, const char *why)
{
    BUF_AUTO body = {0};
    struct bytes text = bytes_str(why);
    if (buf_append_str(&body, "{\"error\":") != Q_OK ||
        json_encode(&type_text, &text, JSON_PLAIN, &body) != Q_OK || buf_u8(&body, '}') != Q_OK)
        log_error("status/attestation: %s", err_text());
    http_answer(r, status, HTTP_JSON, &body);
}

static enum q_err document_of(const struct message *reply, struct bytes *out)
{
    if (reply->tag != MSG_LIVE_ATTESTATION_DOC_RESPONSE ||
        reply->live_attestation.nsm_response.tag != NSM_ATTESTATION)
        return fail(Q_REFUSED, "enclave: asked for an attestation document, found that it gives "
                               "none in its phase; it gives one once it has a manifest");
    *out = reply->live_attestation.nsm_response.attestation.data;
    return Q_OK;
}

static void attestation_came(void *context, enum q_err result, const struct message *reply)
{
    struct http_request *r = context;
    BUF_AUTO body = {0};
    struct bytes document;
    if (result != Q_OK)
        answer_failure(r, 503, err_text());
    else if (document_of(reply, &document) != Q_OK)
        answer_failure(r, 409, err_text());
    else if (buf_append(&body, document) != Q_OK)
        answer_failure(r, 500, err_text());
    else
        http_answer(r, 200, HTTP_BYTES, &body);
}

static void attestation(void *context, struct http_request *r)
{
    const struct host *h = context;
    link_ask(h->link, MSG_LIVE_ATTESTATION_DOC_REQUEST, attestation_came, r);
}

struct route_family status_page_routes(void)
{
    static const struct route routes[] = {
        {"GET", "", page, 0, 0},
    };
    static const struct route_field fields[] = {
        {"Content-Security-Policy", status_page_policy},
        {"X-Content-Type-Options", "nosniff"},
        {"X-Frame-Options", "DENY"},
        {"Referrer-Policy", "no-referrer"},
        {"Cross-Origin-Resource-Policy", "same-origin"},
        {"Cache-Control", "no-cache"},
    };
    return (struct route_family){.base = "",
                                 .routes = routes,
                                 .count = sizeof routes / sizeof *routes,
                                 .fields = fields,
                                 .fields_count = sizeof fields / sizeof *fields};
}

struct route_family status_routes(struct host *host)
{
    static const struct route routes[] = {
        {"GET", "enclave-info", enclave_info, 0, 0},
        {"GET", "attestation", attestation, 0, 0},
    };
    static const struct route_field fields[] = {
        {"X-Content-Type-Options", "nosniff"},
        {"Referrer-Policy", "no-referrer"},
        {"Cross-Origin-Resource-Policy", "same-origin"},
        {"Cache-Control", "no-store"},
    };
    return (struct route_family){.base = "status",
                                 .routes = routes,
                                 .count = sizeof routes / sizeof *routes,
                                 .context = host,
                                 .refuse = rest_refuse,
                                 .fields = fields,
                                 .fields_count = sizeof fields / sizeof *fields};
}
