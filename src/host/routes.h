// Routes as tables: an API family is a base path, a table {method, path, handler} and a context. What a
// path and method lead to is decided here, without HTTP (qos-behaviour 3.2).
#ifndef QUORATE_HOST_ROUTES_H
#define QUORATE_HOST_ROUTES_H

#include "base/bytes.h"

struct http_request;
typedef void (*route_handler)(void *context, struct http_request *request);

struct route {
    const char *method; // "GET" answers HEAD too
    const char *path;   // below the family's base, without a leading '/'
    route_handler handle;
    size_t body_keep;  // bytes of a body that are given to the handler
    size_t body_limit; // longer bodies are over the limit; 0: bodies are not looked at
};

struct route_field { // a header of an answer
    const char *name, *value;
};

struct route_family {
    const char *base; // "qos"; "" is the root
    const struct route *routes;
    size_t count;
    void *context;
    // Further bytes that the handlers hold for each byte of a body until the answer: under the same budget.
    unsigned body_more;
    // Answers what is below base but no route, or one of its paths with another method; NULL: an answer
    // without a body.
    route_handler refuse;
    const struct route_field *fields; // of each answer, refusals too
    size_t fields_count;
};

struct route_set {
    const struct route_family *families;
    size_t count;
};

enum route_result { ROUTE_FOUND, ROUTE_UNKNOWN, ROUTE_OTHER_METHOD };

#define ROUTE_ALLOW_SIZE 64
struct route_match {
    enum route_result result;
    const struct route *route; // when found
    // Whose route it is; if none, who refuses it: the one with this path, else the first one with a base
    // above it, else the last one of the root that has a handler for it; NULL: nobody.
    const struct route_family *family;
    // Of the route, counted through all families; routes of one path in a family have the number of the
    // first; route_count if none.
    size_t number;
    char allow[ROUTE_ALLOW_SIZE]; // when the path is known, but not with this method
};

size_t route_count(const struct route_set *set);
// url: the path as it came, without query, still percent-encoded (no path of ours needs encoding).
struct route_match route_find(const struct route_set *set, const char *method, const char *url);
// "/qos/message" of the route with that number; "other" for route_count.
enum q_err route_name(const struct route_set *set, size_t number, struct buf *out);
// Refuses a set in which a family with a base has routes of another family below that base.
enum q_err route_check_set(const struct route_set *set);
// A base path as given by the user: letters, digits, '-', '_', '.', '~', and '/' inside.
enum q_err route_check_base(const char *base);

#endif
