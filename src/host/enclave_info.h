// GET enclave-info: phase, manifest envelope and ephemeral key, asked from the enclave one after the other
// (qos-behaviour 3.2).
#ifndef QUORATE_HOST_ENCLAVE_INFO_H
#define QUORATE_HOST_ENCLAVE_INFO_H

#include "host/enclave_link.h"
#include "host/http.h"

// The vitals line logged last: it is logged when it changes.
struct vitals {
    struct buf line;
};

void enclave_info_answer(struct enclave_link *link, struct vitals *vitals, struct http_request *r);

#endif
