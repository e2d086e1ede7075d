// Requests: matched when the header is there, body collected, given to the handler, answered
// (see http.h, http_request.h).
#include "host/http_request.h"

#include "base/log.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

// A body that is not wanted is read and thrown away up to this much over twice its limit, so that its
// sender gets to read the answer.
#define DISCARD_MAX ((size_t)1 << 20)

struct http_request {
    struct http *http;
    struct MHD_Connection *connection;
    struct peer *peer;
    bool begun; // its header is there
    struct route_match match;
    struct buf query; // "?..."
    struct timespec began;
    struct buf body;
    size_t body_size;    // received, kept or not
    size_t body_charged; // to the budget
    enum http_body body_state;
    bool expects_continue, dropped, suspended;
    struct MHD_Response *response; // made, not yet given to the library
    unsigned status;
};

static size_t body_limit(const struct http_request *r)
{
    return r->match.route == NULL ? 0 : r->match.route->body_limit;
}

static struct peer *peer_of(struct MHD_Connection *c)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(c, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    return info == NULL ? NULL : info->socket_context;
}

void *http_request_line(void *http, const char *target, struct MHD_Connection *c)
{
    struct http_request *r = calloc(1, sizeof *r);
    if (r == NULL)
        return NULL;
    *r = (struct http_request){.http = http, .connection = c, .peer = peer_of(c)};
    r->body.limit = SIZE_MAX / 2; // the route's body_keep decides
    const char *query = strchr(target, '?');
    if (r->peer != NULL && (query == NULL || buf_append_str(&r->query, query) == Q_OK))
        return r;
    free(r);
    return NULL;
}

static void begin(struct http_request *r, const char *url, const char *method)
{
    struct http *h = r->http;
    r->begun = true;
    r->match = route_find(h->options.routes, method, url);
    (void)clock_gettime(CLOCK_MONOTONIC, &r->began);
    peer_move(r->peer, PEER_RECEIVING, r);
    h->running++;
}

static void release_body(struct http_request *r)
{
    buf_free(&r->body);
    r->http->body_used -= r->body_charged;
    r->body_charged = 0;
}

void http_request_dropped(struct http_request *r)
{
    r->dropped = true;
    release_body(r);
}

// Gives what was made to the library.
static enum MHD_Result queue(struct http_request *r)
{
    enum MHD_Result result = MHD_queue_response(r->connection, r->status, r->response);
    MHD_destroy_response(r->response);
    r->response = NULL;
    release_body(r);
    peer_move(r->peer, PEER_SENDING, r);
    return result;
}

static void answer_unmatched(struct http_request *r)
{
    BUF_AUTO nothing = {0};
    const struct route_family *f = r->match.family;
    if (f != NULL && f->refuse != NULL) {
        f->refuse(f->context, r);
        return;
    }
    http_answer(r,
                r->match.result == ROUTE_UNKNOWN ? MHD_HTTP_NOT_FOUND : MHD_HTTP_METHOD_NOT_ALLOWED,
                NULL, &nothing);
}

// The request is whole, as far as it is wanted.
static enum MHD_Result dispatch(struct http_request *r)
{
    if (r->dropped || r->status != 0)
        return MHD_NO;
    peer_move(r->peer, PEER_WORKING, r);
    bool admitted = r->http->options.admit(r->http->options.context, r);
    if (admitted && r->match.route == NULL)
        answer_unmatched(r);
    else if (admitted)
        r->match.route->handle(r->match.family->context, r);
    if (r->status != 0)
        return r->response == NULL ? MHD_NO : queue(r);
    r->suspended = true;
    MHD_suspend_connection(r->connection);
    return MHD_YES;
}

// Room for n more bytes of the body, under the budget of all; the slowest other sender may have to go.
static bool make_room(struct http_request *r, size_t n)
{
    struct http *h = r->http;
    size_t budget = h->options.body_budget;
    while (n > budget || h->body_used > budget - n) {
        if (n > budget || !peers_drop_receiving(h->peers, r->peer))
            return false;
        log_warn("a slow upload was dropped: all uploads together may hold %zu bytes", budget);
    }
    return true;
}

static bool keep(struct http_request *r, struct bytes piece)
{
    struct buf *b = &r->body;
    size_t most = r->match.route->body_keep;
    size_t held = (size_t)1 + r->match.family->body_more; // for each byte
    size_t before = b->cap;
    if (b->cap - b->n < piece.n) {
        size_t more = b->n > piece.n ? b->n : piece.n;
        more = more < most - b->n ? more : most - b->n;
        if (!make_room(r, (b->n + more - b->cap) * held) || buf_reserve(b, more) != Q_OK)
            return false;
    }
    r->body_charged += (b->cap - before) * held;
    r->http->body_used += (b->cap - before) * held;
    return buf_append(b, piece) == Q_OK;
}

static void lose_body(struct http_request *r, enum http_body why)
{
    r->body_state = why;
    release_body(r);
}

static enum MHD_Result take_piece(struct http_request *r, struct bytes piece)
{
    size_t limit = body_limit(r);
    if (r->dropped)
        return MHD_NO;
    r->body_size += piece.n;
    if (r->body_size > 2 * limit + DISCARD_MAX)
        return MHD_NO;
    if (r->body_size > limit)
        lose_body(r, HTTP_BODY_OVER_LIMIT);
    else if (r->body_state == HTTP_BODY_WHOLE && r->body_size > r->match.route->body_keep)
        lose_body(r, HTTP_BODY_CUT);
    else if (r->body_state == HTTP_BODY_WHOLE && !keep(r, piece))
        lose_body(r, HTTP_BODY_NO_ROOM);
    return MHD_YES;
}

// An announced length that is over the limit is answered before the body comes, when its sender waits
// for a word or it is too long to be read and thrown away.
static bool refuse_at_once(struct http_request *r)
{
    const char *text =
        MHD_lookup_connection_value(r->connection, MHD_HEADER_KIND, "Content-Length");
    uint64_t length = 0;
    if (text == NULL || text_u64(bytes_str(text), &length) != Q_OK || length <= body_limit(r))
        return false;
    bool waits = MHD_lookup_connection_value(r->connection, MHD_HEADER_KIND, "Expect") != NULL;
    if (!waits && length <= 2 * body_limit(r) + DISCARD_MAX)
        return false;
    r->body_state = HTTP_BODY_OVER_LIMIT;
    return true;
}

enum MHD_Result http_request_step(void *http, struct MHD_Connection *c, const char *url,
                                  const char *method, const char *version, const char *piece,
                                  size_t *piece_size, void **request)
{
    (void)version;
    struct http_request *r = *request;
    (void)http;
    (void)c;
    if (r == NULL) // there was no memory for it
        return MHD_NO;
    if (!r->begun) {
        begin(r, url, method);
        return refuse_at_once(r) ? dispatch(r) : MHD_YES;
    }
    if (*piece_size == 0)
        return dispatch(r);
    enum MHD_Result result = take_piece(r, bytes_of(piece, *piece_size));
    *piece_size = 0;
    return result;
}

void http_request_completed(void *http, struct MHD_Connection *c, void **request,
                            enum MHD_RequestTerminationCode how)
{
    (void)c;
    (void)how;
    struct http *h = http;
    struct http_request *r = *request;
    if (r == NULL)
        return;
    if (r->response != NULL)
        MHD_destroy_response(r->response);
    release_body(r);
    buf_free(&r->query);
    if (r->begun) {
        peer_move(r->peer, PEER_IDLE, NULL);
        h->running--;
    }
    free(r);
    *request = NULL;
}

const struct route_match *http_match(const struct http_request *r)
{
    return &r->match;
}

struct bytes http_query(const struct http_request *r)
{
    return r->query.n == 0 ? BYTES_NONE : bytes_of(r->query.p + 1, r->query.n - 1);
}

struct bytes http_header(const struct http_request *r, const char *name)
{
    return bytes_str(MHD_lookup_connection_value(r->connection, MHD_HEADER_KIND, name));
}

enum http_body http_body(const struct http_request *r, struct bytes *body)
{
    *body = buf_bytes(&r->body);
    return r->body_state;
}

static int64_t nanoseconds_since(const struct timespec *began)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)(now.tv_sec - began->tv_sec) * 1000000000 + (now.tv_nsec - began->tv_nsec);
}

static struct MHD_Response *response_new(const struct http_request *r, const char *type,
                                         struct buf *body)
{
    struct MHD_Response *response =
        MHD_create_response_from_buffer(body->n, body->p, MHD_RESPMEM_MUST_FREE);
    if (response == NULL) {
        buf_free(body);
        return NULL;
    }
    *body = (struct buf){0}; // the response owns it now
    enum MHD_Result added = MHD_YES;
    const struct route_family *f = r->match.family;
    for (size_t i = 0; f != NULL && i < f->fields_count && added == MHD_YES; i++)
        added = MHD_add_response_header(response, f->fields[i].name, f->fields[i].value);
    if (added == MHD_YES && type != NULL)
        added = MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, type);
    if (added == MHD_YES && r->match.allow[0] != '\0')
        added = MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, r->match.allow);
    if (added == MHD_YES)
        return response;
    MHD_destroy_response(response);
    return NULL;
}

void http_answer(struct http_request *r, unsigned status, const char *type, struct buf *body)
{
    struct http *h = r->http;
    r->status = status;
    r->response = response_new(r, type, body);
    h->options.answered(h->options.context, r->match.number, status, nanoseconds_since(&r->began));
    if (!r->suspended)
        return;
    if (r->response == NULL || queue(r) != MHD_YES) {
        // Without memory for an answer the connection ends; the library sees it when it goes on.
        log_error("HTTP: no memory for an answer");
        peer_move(r->peer, PEER_SENDING, r);
    }
    r->suspended = false;
    MHD_resume_connection(r->connection);
    http_run_soon(h);
}

void http_answer_text(struct http_request *r, unsigned status, const char *type, const char *text)
{
    BUF_AUTO body = {0};
    if (buf_append_str(&body, text) != Q_OK)
        log_error("HTTP: %s", err_text());
    http_answer(r, status, type, &body);
}
