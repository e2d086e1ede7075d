// Metrics: what is counted and how it is written.
#include "../cmocka_setup.h"

#include "host/metrics.h"

static const struct route routes[] = {{"GET", "a", NULL, 0, 0}, {"POST", "b", NULL, 0, 0}};
static const struct route_family families[] = {{.base = "qos", .routes = routes, .count = 2}};
static const struct route_set set = {families, 1};

static const char *written(const struct metrics *m, const struct link_state *state, struct buf *out)
{
    buf_clear(out);
    assert_ok(metrics_write(m, state, 3, out));
    return buf_text(out);
}

static void assert_line(const char *text, const char *line)
{
    size_t n = strlen(line);
    for (const char *at = strstr(text, line); at != NULL; at = strstr(at + 1, line)) {
        if (at[n] == '\n' && (at == text || at[-1] == '\n'))
            return;
    }
    fail_msg("no line \"%s\" in:\n%s", line, text);
}

static void requests_are_counted_by_route_and_code(void **state)
{
    (void)state;
    struct metrics *m;
    struct link_state enclave = {0};
    BUF_AUTO out = {0};
    assert_ok(metrics_new(&set, &m));
    metrics_count(m, 0, 200, 1000);
    metrics_count(m, 0, 200, 1000);
    metrics_count(m, 1, 500, 1000);
    metrics_count(m, 1, 418, 1000);
    metrics_count(m, 2, 404, 1000);
    metrics_count(m, 99, 404, 1000);
    const char *text = written(m, &enclave, &out);
    assert_line(text, "quorate_requests_total{route=\"/qos/a\",code=\"200\"} 2");
    assert_line(text, "quorate_requests_total{route=\"/qos/b\",code=\"500\"} 1");
    assert_line(text, "quorate_requests_total{route=\"/qos/b\",code=\"other\"} 1");
    assert_line(text, "quorate_requests_total{route=\"other\",code=\"404\"} 2");
    assert_line(text, "quorate_http_connections 3");
    metrics_free(&m);
}

static void latencies_fall_into_cumulative_buckets(void **state)
{
    (void)state;
    struct metrics *m;
    struct link_state enclave = {0};
    BUF_AUTO out = {0};
    assert_ok(metrics_new(&set, &m));
    metrics_count(m, 0, 200, 1000000);     // 1 ms: the bucket's upper end belongs to it
    metrics_count(m, 0, 200, 1000001);     // just over
    metrics_count(m, 0, 200, 60000000000); // a minute: only +Inf
    const char *text = written(m, &enclave, &out);
    const char *const name = "quorate_request_duration_seconds";
    char line[128];
    static const struct {
        const char *le;
        unsigned count;
    } expected[] = {{"0.0005", 0}, {"0.001", 1}, {"0.0025", 2}, {"25", 2}, {"+Inf", 3}};
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++) {
        (void)snprintf(line, sizeof line, "%s_bucket{route=\"/qos/a\",le=\"%s\"} %u", name,
                       expected[i].le, expected[i].count);
        assert_line(text, line);
    }
    assert_line(text, "quorate_request_duration_seconds_sum{route=\"/qos/a\"} 60.002000");
    assert_line(text, "quorate_request_duration_seconds_count{route=\"/qos/a\"} 3");
    assert_null(strstr(text, "_count{route=\"/qos/b\"}"));
    metrics_free(&m);
}

static void the_enclave_is_shown_as_last_known(void **state)
{
    (void)state;
    struct metrics *m;
    struct link_state enclave = {0};
    BUF_AUTO out = {0};
    assert_ok(metrics_new(&set, &m));
    const char *text = written(m, &enclave, &out);
    assert_line(text, "quorate_enclave_up 0");
    for (int i = 0; i < PHASE_COUNT; i++) {
        char line[96];
        (void)snprintf(line, sizeof line, "quorate_phase{phase=\"%s\"} 0",
                       phase_name((enum phase)i));
        assert_line(text, line);
    }
    enclave = (struct link_state){.up = true,
                                  .phase_known = true,
                                  .phase = PHASE_GENESIS_BOOTED,
                                  .errors = {[LINK_TIMEOUT] = 7}};
    text = written(m, &enclave, &out);
    assert_line(text, "quorate_enclave_up 1");
    assert_line(text, "quorate_phase{phase=\"GenesisBooted\"} 1");
    assert_line(text, "quorate_phase{phase=\"UnrecoverableError\"} 0");
    assert_line(text, "quorate_errors_total{kind=\"timeout\"} 7");
    assert_line(text, "quorate_errors_total{kind=\"other\"} 0");
    metrics_free(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(requests_are_counted_by_route_and_code),
        cmocka_unit_test(latencies_fall_into_cumulative_buckets),
        cmocka_unit_test(the_enclave_is_shown_as_last_known),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
