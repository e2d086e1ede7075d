// The REST API (renclave 1 and 3): what its files share. The enclave is the API's end; the host passes on,
// and answers itself only what is about the host, and what the rules of HTTP refuse.
#ifndef QUORATE_HOST_REST_H
#define QUORATE_HOST_REST_H

#include "host/enclave_api.h"
#include "host/http.h"
#include "host/network_state.h"
#include "host/qos_routes.h"

#define REST_ROUTES_MAX 32

struct test;

// What the handlers work with; filled before the first request.
struct rest {
    struct host *host;
    struct route routes[REST_ROUTES_MAX];
    struct network_watch network;
    struct address listening;
    bool tls;
    const char *const *probe_targets; // "host:port" that /network/test may connect to
    size_t probe_targets_n;
    struct test *tests; // of targets, that run
    unsigned tests_n;
};

// Routes of the REST API, /network/* and /openapi.yaml; everything that is nobody's is refused here too.
struct route_family rest_routes(struct rest *rest);

struct rest_error {
    unsigned status;
    const char *request_id;
    const char *text;
    bool peer;        // of a route between enclaves: "id" and "result" as well (renclave 3.6)
    const char *more; // further members, as JSON with a comma before each; NULL: none
};
void rest_answer_error(struct http_request *r, const struct rest_error *e);
// As JSON, with a request id of its own.
void rest_refuse_as(struct http_request *r, unsigned status, const char *text);
// 500 when body could not be made; body is taken over.
void rest_answer_made(struct http_request *r, enum q_err made, struct buf *body);

// With a new request id, which is also the one to pass on. False: there is none, and r has been answered.
bool rest_request_id(struct http_request *r, char id[static REQUEST_ID_SIZE]);
// The body, checked against the rules of HTTP: size, room, and the type of a body that is there. False: refused,
// and r has been answered.
struct rest_rules {
    const char *request_id;
    bool peer, json; // as struct rest_error has it; a body must be called JSON
};
bool rest_body(struct http_request *r, const struct rest_rules *rules, struct bytes *body);
// Answers what is no route, or another method of one: 404, 405. context is not used.
void rest_refuse(void *context, struct http_request *r);

void rest_health(void *rest, struct http_request *r);
void rest_info(void *rest, struct http_request *r);
void rest_network_status(void *rest, struct http_request *r);
void rest_network_test(void *rest, struct http_request *r);
void rest_network_end(struct rest *rest); // answers tests that run

#endif
