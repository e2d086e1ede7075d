// The status page at /, and what it asks beside the API: enclave-info wherever its base path is, and the
// enclave's live attestation document by GET. It shows; it decides nothing.
#ifndef QUORATE_HOST_STATUS_PAGE_H
#define QUORATE_HOST_STATUS_PAGE_H

#include "host/qos_routes.h"

struct route_family status_page_routes(void);
struct route_family status_routes(struct host *host);

#endif
