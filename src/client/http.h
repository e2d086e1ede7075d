// One HTTP exchange by libcurl: no proxies, no redirections, nothing but HTTP, bounded in size and time
// (qos-behaviour 1.5).
#ifndef QUORATE_CLIENT_HTTP_H
#define QUORATE_CLIENT_HTTP_H

#include "base/bytes.h"

#define HTTP_URL_MAX 2048

struct http_request {
    const char *url;
    struct bytes body;         // p == NULL: GET, else POST
    const char *content_type;  // of a body
    const char *authorization; // value of that header; NULL: none
    long whole_s;              // seconds for all of it; 0: as long as bytes move
};

struct http_answer {
    long status;
    bool dated;
    int64_t date_s; // seconds since 1970, of the header Date
};

// body is appended to, up to its limit (Q_LIMIT). Any status is an answer; the errors are those of the transport
// (Q_TIMEOUT, Q_IO).
enum q_err http_exchange(const struct http_request *r, struct http_answer *out, struct buf *body);

// Letters and digits, and what of a URL's parts a caller allows beside them.
#define HTTP_LETTERS_AND_DIGITS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
// Parts of a URL come from the command line; none of them may change what the others mean. allowed begins with
// HTTP_LETTERS_AND_DIGITS.
enum q_err http_check_part(const char *option, const char *value, const char *allowed);

#endif
