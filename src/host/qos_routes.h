// The routes of QuorumOS (qos-behaviour 3.2) and /metrics, as families of routes.
#ifndef QUORATE_HOST_QOS_ROUTES_H
#define QUORATE_HOST_QOS_ROUTES_H

#include "host/audited.h"
#include "host/enclave_info.h"
#include "host/http.h"
#include "host/http_origin.h"
#include "host/metrics.h"

struct rest;

// What the handlers work with; filled before the first request.
struct host {
    struct loop *loop;
    struct enclave_link *link;
    struct http *http;
    struct metrics *metrics;
    struct audit_log *audit; // NULL: none
    struct vitals vitals;
    struct rest *rest;
    struct origin_rules origin;
    struct timer *stop_timer;
    int64_t stop_by_ms;
    bool stopping;
};

struct route_family qos_routes(const char *base, struct host *host);
struct route_family metrics_routes(struct host *host);

#endif
