// The table of the REST API's routes, and the one handler of all that end in the enclave (see rest.h;
// renclave 1.2, 3.4).
#include "host/openapi.h"
#include "host/rest.h"
#include "protocol/instance.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct row {
    const char *method, *path;
    route_handler handle; // NULL: passed on, with whatever body
    bool json;            // a body is JSON
    bool peer;            // between enclaves (family D of renclave 1.1)
    const char *event;    // in the audit log
};

static void openapi(void *context, struct http_request *r);

static const struct row rows[] = {
    {.method = "GET", .path = "health", .handle = rest_health},
    {.method = "GET", .path = "info", .handle = rest_info},
    {.method = "POST", .path = "generate-seed", .json = true},
    {.method = "POST", .path = "validate-seed", .json = true},
    {.method = "POST", .path = "derive-key", .json = true},
    {.method = "POST", .path = "derive-address", .json = true},
    {.method = "GET", .path = "network/status", .handle = rest_network_status},
    {.method = "POST", .path = "network/test", .handle = rest_network_test, .json = true},
    {.method = "GET", .path = "enclave/info"},
    {.method = "POST",
     .path = "enclave/genesis-boot",
     .json = true,
     .event = "POST /enclave/genesis-boot"},
    {.method = "POST",
     .path = "enclave/inject-shares",
     .json = true,
     .event = "POST /enclave/inject-shares"},
    {.method = "POST", .path = "enclave/encrypt-data", .json = true},
    {.method = "POST", .path = "enclave/decrypt-data", .json = true},
    {.method = "POST", .path = "enclave/sign-transaction", .json = true},
    {.method = "POST", .path = "enclave/sign-message", .json = true},
    {.method = "GET", .path = "enclave/application-status"},
    {.method = "POST", .path = "enclave/store-data", .json = true},
    {.method = "GET", .path = "enclave/get-data"},
    {.method = "POST", .path = "enclave/reset", .event = "POST /enclave/reset"},
    {.method = "POST",
     .path = "enclave/boot-key-forward",
     .json = true,
     .peer = true,
     .event = "POST /enclave/boot-key-forward"},
    {.method = "POST",
     .path = "enclave/export-key",
     .json = true,
     .peer = true,
     .event = "POST /enclave/export-key"},
    {.method = "POST",
     .path = "enclave/inject-key",
     .json = true,
     .peer = true,
     .event = "POST /enclave/inject-key"},
    {.method = "POST", .path = "enclave/generate-attestation", .json = true, .peer = true},
    {.method = "GET", .path = "enclave/generate-attestation", .peer = true},
    {.method = "POST",
     .path = "enclave/share-manifest",
     .json = true,
     .peer = true,
     .event = "POST /enclave/share-manifest"},
    {.method = "GET", .path = "enclave/share-manifest", .peer = true},
    {.method = "GET", .path = "openapi.yaml", .handle = openapi},
};
#define ROWS (sizeof rows / sizeof *rows)
_Static_assert(ROWS <= REST_ROUTES_MAX, "struct rest has room for all rows");

// One request on its way.
struct passing {
    struct http_request *request;
    const struct row *row;
    char id[REQUEST_ID_SIZE];
    char path[64];
};

static const struct row *row_of(const struct rest *rest, const struct http_request *r)
{
    return &rows[http_match(r)->route - rest->routes];
}

static void answer_lost(const struct passing *p)
{
    char text[Q_ERR_TEXT_SIZE + 64];
    bool info = strcmp(p->row->path, "enclave/info") == 0;
    (void)snprintf(text, sizeof text, "%sEnclave communication failed: %s",
                   info ? "Enclave is not available: " : "", err_text());
    rest_answer_error(p->request,
                      &(struct rest_error){
                          .status = 503, .request_id = p->id, .text = text, .peer = p->row->peer});
}

static void answered(void *context, enum q_err result, unsigned status, struct bytes body)
{
    struct passing *p = context;
    BUF_AUTO copy = {0};
    if (result == Q_OK)
        result = buf_append(&copy, body);
    if (result == Q_OK)
        http_answer(p->request, status, HTTP_JSON, &copy);
    else
        answer_lost(p);
    free(p);
}

// What goes into a message is text, which a header and a target need not be.
static bool is_ascii(struct bytes text)
{
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] < 0x20 || text.p[i] > 0x7e)
            return false;
    }
    return true;
}

static const char *misspelt(const struct api_question *q)
{
    if (!is_ascii(q->query))
        return "query: expected printable ASCII, found other bytes";
    return is_ascii(q->authorization)
               ? NULL
               : "Authorization: expected printable ASCII, found other bytes";
}

static bool read_request(struct http_request *r, const struct passing *p, struct api_question *q)
{
    const char *why;
    q->query = http_query(r);
    q->authorization = http_header(r, "Authorization");
    const struct rest_rules rules = {
        .request_id = p->id, .peer = p->row->peer, .json = p->row->json};
    if (!rest_body(r, &rules, &q->body))
        return false;
    if ((why = misspelt(q)) == NULL)
        return true;
    rest_answer_error(r,
                      &(struct rest_error){
                          .status = 400, .request_id = p->id, .text = why, .peer = p->row->peer});
    return false;
}

static void pass_on(void *context, struct http_request *r)
{
    const struct rest *rest = context;
    struct passing *p = calloc(1, sizeof *p);
    if (p == NULL) {
        rest_answer_error(r, &(struct rest_error){.status = 503, .text = "host: no memory"});
        return;
    }
    *p = (struct passing){.request = r, .row = row_of(rest, r)};
    (void)snprintf(p->path, sizeof p->path, "/%s", p->row->path);
    struct api_question q = {
        .method = p->row->method, .path = p->path, .request_id = p->id, .event = p->row->event};
    if (!rest_request_id(r, p->id) || !read_request(r, p, &q)) {
        free(p);
        return;
    }
    enclave_api_ask(rest->host->link, rest->host->audit, &q, answered, p);
}

static void openapi(void *context, struct http_request *r)
{
    BUF_AUTO body = {0};
    (void)context;
    if (buf_append(&body, bytes_of(openapi_yaml, openapi_yaml_size)) == Q_OK)
        http_answer(r, 200, "application/yaml", &body);
    else
        rest_answer_error(r, &(struct rest_error){.status = 503, .text = err_text()});
}

void rest_refuse(void *context, struct http_request *r)
{
    (void)context;
    char text[128];
    const struct route_match *m = http_match(r);
    if (m->result != ROUTE_OTHER_METHOD) {
        rest_refuse_as(r, 404, "path: no route has it, see /openapi.yaml");
        return;
    }
    (void)snprintf(text, sizeof text, "method: expected %s, found another", m->allow);
    rest_refuse_as(r, 405, text);
}

struct route_family rest_routes(struct rest *rest)
{
    static const struct route_field fields[] = {{"Cache-Control", "no-store"},
                                                {"X-Content-Type-Options", "nosniff"}};
    for (size_t i = 0; i < ROWS; i++) {
        bool passed_on = rows[i].handle == NULL;
        // What is passed on takes its body along, wanted or not: a signature is over what was sent.
        size_t body_max = passed_on || rows[i].json ? API_BODY_MAX : 0;
        rest->routes[i] = (struct route){
            .method = rows[i].method,
            .path = rows[i].path,
            .handle = passed_on ? pass_on : rows[i].handle,
            .body_keep = body_max,
            .body_limit = body_max,
        };
    }
    return (struct route_family){.base = "",
                                 .routes = rest->routes,
                                 .count = ROWS,
                                 .context = rest,
                                 .body_more = 2, // the body in hex, in the message
                                 .refuse = rest_refuse,
                                 .fields = fields,
                                 .fields_count = sizeof fields / sizeof *fields};
}
