// Answers of the REST API that the host makes itself: errors in their one shape, and the rules of HTTP
// (renclave 1.1, 3.6).
#include "base/log.h"
#include "base/text.h"
#include "codec/json.h"
#include "host/rest.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#define TEXT_MAX 1200

// Any text as a JSON string: what is not UTF-8, and control characters, as '?'.
static enum q_err write_text(const char *text, struct buf *out)
{
    char tidy[TEXT_MAX];
    (void)snprintf(tidy, sizeof tidy, "%s", text);
    text_tidy(tidy);
    struct bytes value = bytes_str(tidy);
    return json_encode(&type_text, &value, JSON_PLAIN, out);
}

static enum q_err write_error(const struct rest_error *e, struct buf *out)
{
    TRY(buf_append_str(out, "{\"error\":"));
    TRY(write_text(e->text, out));
    TRY(buf_printf(out, ",\"code\":%u,\"request_id\":", e->status));
    if (e->request_id == NULL)
        TRY(buf_append_str(out, "null"));
    else
        TRY(write_text(e->request_id, out));
    if (e->peer && e->request_id != NULL) {
        TRY(buf_printf(out, ",\"id\":\"%s\",\"result\":{\"Error\":{\"message\":", e->request_id));
        TRY(write_text(e->text, out));
        TRY(buf_printf(out, ",\"code\":%u}}", e->status));
    }
    TRY(buf_append_str(out, e->more == NULL ? "" : e->more));
    return buf_u8(out, '}');
}

void rest_answer_error(struct http_request *r, const struct rest_error *e)
{
    BUF_AUTO body = {0};
    if (write_error(e, &body) != Q_OK) {
        log_error("REST API: %s", err_text());
        buf_clear(&body);
    }
    http_answer(r, e->status, HTTP_JSON, &body);
}

void rest_answer_made(struct http_request *r, enum q_err made, struct buf *body)
{
    const struct rest_error e = {.status = 500, .text = err_text()};
    if (made == Q_OK)
        http_answer(r, 200, HTTP_JSON, body);
    else
        rest_answer_error(r, &e);
}

bool rest_request_id(struct http_request *r, char id[static REQUEST_ID_SIZE])
{
    if (request_id_new(id) == Q_OK)
        return true;
    rest_answer_error(r, &(struct rest_error){.status = 500, .text = err_text()});
    return false;
}

void rest_refuse_as(struct http_request *r, unsigned status, const char *text)
{
    char id[REQUEST_ID_SIZE];
    if (rest_request_id(r, id))
        rest_answer_error(r,
                          &(struct rest_error){.status = status, .request_id = id, .text = text});
}

// "application/json", with or without parameters.
static bool is_json(struct bytes type)
{
    static const char json[] = HTTP_JSON;
    size_t n = sizeof json - 1;
    if (type.n < n || strncasecmp((const char *)type.p, json, n) != 0)
        return false;
    struct bytes rest = bytes_trim(bytes_of(type.p + n, type.n - n));
    return rest.n == 0 || rest.p[0] == ';';
}

static const struct rest_error *refusal(const struct http_request *r, bool json, struct bytes *body)
{
    static const struct rest_error over = {
        .status = 413, .text = "body: expected at most 2097152 bytes, found more"};
    static const struct rest_error no_room = {
        .status = 503, .text = "body: no room for it, the uploads of others take it all"};
    static const struct rest_error type = {
        .status = 415, .text = "Content-Type: expected application/json, found another or none"};
    enum http_body state = http_body(r, body);
    if (state == HTTP_BODY_NO_ROOM)
        return &no_room;
    if (state != HTTP_BODY_WHOLE)
        return &over;
    return !json || body->n == 0 || is_json(http_header(r, "Content-Type")) ? NULL : &type;
}

bool rest_body(struct http_request *r, const struct rest_rules *rules, struct bytes *body)
{
    const struct rest_error *why = refusal(r, rules->json, body);
    if (why == NULL)
        return true;
    struct rest_error e = *why;
    e.request_id = rules->request_id;
    e.peer = rules->peer;
    rest_answer_error(r, &e);
    return false;
}
