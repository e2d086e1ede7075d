// One HTTP GET after another, of one URL, on the event loop (libcurl): no proxies, no redirections, a limit
// on time and size.
#ifndef QUORATE_HOST_HTTP_GET_H
#define QUORATE_HOST_HTTP_GET_H

#include "net/loop.h"

// body: of an answer with status 200, valid only during the call; empty on failure (err_text() says why).
typedef void (*http_get_came)(void *context, enum q_err result, struct bytes body);

struct http_get_options {
    const char *url;    // http or https; must stay valid
    int64_t timeout_ms; // all in all
    size_t body_limit;
    http_get_came came;
    void *context;
};

struct http_get;
enum q_err http_get_new(struct loop *l, const struct http_get_options *o, struct http_get **out);
// Starts a transfer. came is called exactly once, never before this returns, and not at all when this fails.
// Not while one is running.
enum q_err http_get_start(struct http_get *g);
void http_get_free(struct http_get **g); // safe on NULL, not from came

#endif
