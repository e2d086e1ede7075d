// One HTTP request from its header to the end of its answer: what http.c and http_request.c share.
#ifndef QUORATE_HOST_HTTP_REQUEST_H
#define QUORATE_HOST_HTTP_REQUEST_H

#include "host/http.h"
#include "host/http_peers.h"

#include <microhttpd.h>

struct http {
    struct loop *loop;
    struct http_options options;
    struct MHD_Daemon *daemon;
    struct watch *watch;
    struct timer *timer; // when the library wants to run
    struct peers *peers;
    unsigned running;
    size_t body_used;
    char start_error[256]; // what the library said while it started
    bool started;
};

// The library's first word about a request: the target of its first line. What it returns is what the
// others get as *request.
void *http_request_line(void *http, const char *target, struct MHD_Connection *c);
// The library's access handler: called with the header, with each piece of the body, at the end.
enum MHD_Result http_request_step(void *http, struct MHD_Connection *c, const char *url,
                                  const char *method, const char *version, const char *piece,
                                  size_t *piece_size, void **request);
void http_request_completed(void *http, struct MHD_Connection *c, void **request,
                            enum MHD_RequestTerminationCode how);
// Its peer was dropped: gives back what the body holds.
void http_request_dropped(struct http_request *r);
void http_run_soon(struct http *h);

#endif
