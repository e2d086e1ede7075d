// Counters of the host, as Prometheus text 0.0.4.
#ifndef QUORATE_HOST_METRICS_H
#define QUORATE_HOST_METRICS_H

#include "host/enclave_link.h"
#include "host/routes.h"

struct metrics;
enum q_err metrics_new(const struct route_set *routes,
                       struct metrics **out); // routes must stay valid
void metrics_free(struct metrics **m);
void metrics_count(struct metrics *m, size_t route, unsigned status, int64_t nanoseconds);
enum q_err metrics_write(const struct metrics *m, const struct link_state *enclave,
                         unsigned connections, struct buf *out);

#endif
