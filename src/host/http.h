// HTTP/1.1 over libmicrohttpd, driven by our event loop: requests go to the routes' handlers, which answer
// now or later. Bodies are collected in growing buffers under one budget.
#ifndef QUORATE_HOST_HTTP_H
#define QUORATE_HOST_HTTP_H

#include "base/secret.h"
#include "host/routes.h"
#include "net/loop.h"

#define HTTP_HTML "text/html; charset=utf-8"
#define HTTP_JSON "application/json"
#define HTTP_BYTES "application/octet-stream"

struct http_options {
    const struct route_set *routes; // must stay valid
    int listener;                   // taken over, also on failure
    unsigned connections_max;       // the oldest idle one goes for a new one
    size_t body_budget;             // bytes of all bodies together; the slowest sender goes
    // PEM texts with a NUL at the end, or BYTES_NONE: plain HTTP. Only needed during http_start.
    struct bytes certificate, key;
    // False: the request is not for the routes, and has been answered.
    bool (*admit)(void *context, struct http_request *r);
    // Each answer: number of its route, status, time from header to answer.
    void (*answered)(void *context, size_t route, unsigned status, int64_t nanoseconds);
    void *context;
};

struct http;
enum q_err http_start(struct loop *l, const struct http_options *options, struct http **out);
// No new connections; those that are there go on.
void http_quiesce(struct http *h);
unsigned
http_running(const struct http *h); // requests between their header and the end of the answer
unsigned http_connections(const struct http *h);
// Every request that a handler still holds must have been answered.
void http_stop(struct http **h);

enum http_body {
    HTTP_BODY_WHOLE,
    HTTP_BODY_CUT,        // longer than the route keeps, within its limit
    HTTP_BODY_OVER_LIMIT, // longer than the route's limit
    HTTP_BODY_NO_ROOM,    // the budget is used up
};
const struct route_match *http_match(const struct http_request *r);
// As they came, there until the answer; BYTES_NONE when there is none. Of several headers the first.
struct bytes http_query(const struct http_request *r); // what is after '?', still encoded
struct bytes http_header(const struct http_request *r, const char *name);
// The body is there until the answer.
enum http_body http_body(const struct http_request *r, struct bytes *body);
// Exactly once per request, now or later. type: NULL for an empty body. body is taken over.
void http_answer(struct http_request *r, unsigned status, const char *type, struct buf *body);
void http_answer_text(struct http_request *r, unsigned status, const char *type, const char *text);

#endif
