// Who had a request sent: the Host and Origin of what browsers send for the web pages that they show. A page of
// another site is refused, and one that reached this host under a name of its own (DNS rebinding).
#ifndef QUORATE_HOST_HTTP_ORIGIN_H
#define QUORATE_HOST_HTTP_ORIGIN_H

#include "base/bytes.h"
#include "base/err.h"

struct origin_rules {
    bool check_names;
    const char *names; // beside addresses and localhost, with commas; NULL: none
};

// host, origin: the headers, BYTES_NONE without one. Programs that are no browsers send no Origin.
enum q_err origin_check(const struct origin_rules *rules, struct bytes host, struct bytes origin);
// Refuses a list that is none.
enum q_err origin_check_names(const char *names);

#endif
