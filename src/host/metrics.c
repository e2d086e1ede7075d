// Requests, latencies, errors, and what is known of the enclave (see metrics.h).
#include "host/metrics.h"

#include "base/version.h"

#include <stdlib.h>

static const unsigned codes[] = {200, 400, 401, 403, 404, 405, 409, 413, 415, 422, 500, 503};
#define CODES (sizeof codes / sizeof *codes)

static const struct {
    int64_t nanoseconds;
    const char *le;
} buckets[] = {
    {100000, "0.0001"},  {250000, "0.00025"}, {500000, "0.0005"},  {1000000, "0.001"},
    {2500000, "0.0025"}, {5000000, "0.005"},  {10000000, "0.01"},  {25000000, "0.025"},
    {50000000, "0.05"},  {100000000, "0.1"},  {250000000, "0.25"}, {500000000, "0.5"},
    {1000000000, "1"},   {2500000000, "2.5"}, {5000000000, "5"},   {10000000000, "10"},
    {25000000000, "25"},
};
#define BUCKETS (sizeof buckets / sizeof *buckets)

struct route_counts {
    uint64_t by_code[CODES + 1]; // the last: any other
    uint64_t within[BUCKETS];    // not cumulative
    uint64_t count;
    double seconds;
};

struct metrics {
    const struct route_set *routes;
    size_t count; // the last: no route
    struct route_counts per_route[];
};

enum q_err metrics_new(const struct route_set *routes, struct metrics **out)
{
    size_t count = route_count(routes) + 1;
    struct metrics *m = calloc(1, sizeof *m + count * sizeof m->per_route[0]);
    if (m == NULL)
        return fail(Q_NOMEM, "metrics: no memory");
    m->routes = routes;
    m->count = count;
    *out = m;
    return Q_OK;
}

void metrics_free(struct metrics **m)
{
    free(*m);
    *m = NULL;
}

void metrics_count(struct metrics *m, size_t route, unsigned status, int64_t nanoseconds)
{
    struct route_counts *r = &m->per_route[route < m->count ? route : m->count - 1];
    size_t code = 0, bucket = 0;
    while (code < CODES && codes[code] != status)
        code++;
    while (bucket < BUCKETS && nanoseconds > buckets[bucket].nanoseconds)
        bucket++;
    r->by_code[code]++;
    if (bucket < BUCKETS)
        r->within[bucket]++;
    r->count++;
    r->seconds += (double)nanoseconds / 1e9;
}

static enum q_err head(struct buf *out, const char *name, const char *type, const char *help)
{
    return buf_printf(out, "# HELP quorate_%s %s\n# TYPE quorate_%s %s\n", name, help, name, type);
}

static enum q_err write_requests(const struct metrics *m, size_t route, const char *name,
                                 struct buf *out)
{
    const struct route_counts *r = &m->per_route[route];
    for (size_t i = 0; i < CODES; i++) {
        if (r->by_code[i] > 0)
            TRY(buf_printf(out, "quorate_requests_total{route=\"%s\",code=\"%u\"} %llu\n", name,
                           codes[i], (unsigned long long)r->by_code[i]));
    }
    if (r->by_code[CODES] > 0)
        TRY(buf_printf(out, "quorate_requests_total{route=\"%s\",code=\"other\"} %llu\n", name,
                       (unsigned long long)r->by_code[CODES]));
    return Q_OK;
}

static enum q_err write_latency(const struct metrics *m, size_t route, const char *name,
                                struct buf *out)
{
    static const char *const metric = "quorate_request_duration_seconds";
    const struct route_counts *r = &m->per_route[route];
    uint64_t sum = 0;
    if (r->count == 0)
        return Q_OK;
    for (size_t i = 0; i < BUCKETS; i++) {
        sum += r->within[i];
        TRY(buf_printf(out, "%s_bucket{route=\"%s\",le=\"%s\"} %llu\n", metric, name, buckets[i].le,
                       (unsigned long long)sum));
    }
    TRY(buf_printf(out, "%s_bucket{route=\"%s\",le=\"+Inf\"} %llu\n", metric, name,
                   (unsigned long long)r->count));
    TRY(buf_printf(out, "%s_sum{route=\"%s\"} %.6f\n", metric, name, r->seconds));
    return buf_printf(out, "%s_count{route=\"%s\"} %llu\n", metric, name,
                      (unsigned long long)r->count);
}

static enum q_err each_route(const struct metrics *m, struct buf *out,
                             enum q_err (*write)(const struct metrics *, size_t, const char *,
                                                 struct buf *))
{
    for (size_t i = 0; i < m->count; i++) {
        BUF_AUTO name = {0};
        TRY(route_name(m->routes, i, &name));
        const char *text = buf_text(&name);
        if (text == NULL)
            return fail(Q_NOMEM, "metrics: no memory");
        TRY(write(m, i, text, out));
    }
    return Q_OK;
}

static enum q_err write_enclave(const struct link_state *enclave, struct buf *out)
{
    TRY(head(out, "errors_total", "counter", "Calls to the enclave that failed, by kind."));
    for (int i = 0; i < LINK_ERROR_COUNT; i++)
        TRY(buf_printf(out, "quorate_errors_total{kind=\"%s\"} %llu\n",
                       link_error_name((enum link_error)i),
                       (unsigned long long)enclave->errors[i]));
    TRY(head(out, "enclave_up", "gauge", "1 when the last call to the enclave was answered."));
    TRY(buf_printf(out, "quorate_enclave_up %d\n", enclave->up ? 1 : 0));
    TRY(head(out, "phase", "gauge", "1 for the phase the enclave last said it is in."));
    for (int i = 0; i < PHASE_COUNT; i++)
        TRY(buf_printf(out, "quorate_phase{phase=\"%s\"} %d\n", phase_name((enum phase)i),
                       enclave->phase_known && enclave->phase == (enum phase)i ? 1 : 0));
    return Q_OK;
}

enum q_err metrics_write(const struct metrics *m, const struct link_state *enclave,
                         unsigned connections, struct buf *out)
{
    TRY(head(out, "requests_total", "counter",
             "HTTP requests answered, by route and status code."));
    TRY(each_route(m, out, write_requests));
    TRY(head(out, "request_duration_seconds", "histogram",
             "Time from the end of a request's header to its answer."));
    TRY(each_route(m, out, write_latency));
    TRY(write_enclave(enclave, out));
    TRY(head(out, "http_connections", "gauge", "HTTP connections now."));
    TRY(buf_printf(out, "quorate_http_connections %u\n", connections));
    TRY(head(out, "build_info", "gauge", "The program's version."));
    return buf_append_str(out, "quorate_build_info{version=\"" QUORATE_VERSION
                               "\",commit=\"" QUORATE_GIT "\",compatible=\"0.13.0\"} 1\n");
}
