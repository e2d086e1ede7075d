// GET /network/status and POST /network/test: this host's network as the kernel has it, and one TCP connection
// to a target that the operator allowed (see rest.h; renclave 1.3). Nothing is pinged or configured, and a
// caller cannot choose where the host connects to: that would open the host's network to everybody.
#include "codec/json.h"
#include "host/probe.h"
#include "host/rest.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#define PROBES_MAX 16
#define TIMEOUT_DEFAULT_S 5
#define TIMEOUT_MAX_S 30
#define STOPS "network test: the program stops"

struct test_request {
    struct bytes target_host;
    uint32_t *target_port, *timeout_seconds;
};
static const struct field test_fields[] = {
    FIELD_MAYBE(struct test_request, target_host, "target_host", &type_text),
    FIELD_MAYBE(struct test_request, target_port, "target_port", &type_u32),
    FIELD_MAYBE(struct test_request, timeout_seconds, "timeout_seconds", &type_u32),
};
static const struct type type_test_request = {
    STRUCT(struct test_request, "network test", test_fields)};

// A probe under way, and who waits for it.
struct test {
    struct rest *rest;
    struct http_request *request;
    struct probe *probe;
    struct buf name; // "host:port", and what target points into
    struct test *next;
};

static const char *yes_no(bool b)
{
    return b ? "true" : "false";
}

static enum q_err write_ip(struct buf *out, const struct ip *ip, bool there)
{
    TRY(buf_u8(out, '"'));
    if (there)
        TRY(ip_display(ip, out));
    return buf_u8(out, '"');
}

static enum q_err write_configuration(const struct rest *rest, const struct network_state *s,
                                      struct buf *out)
{
    bool there = s->interface[0] != '\0';
    struct bytes interface = bytes_str(s->interface);
    TRY(buf_append_str(out, ",\"configuration\":{\"interface\":"));
    TRY(json_encode(&type_text, &interface, JSON_PLAIN, out));
    TRY(buf_append_str(out, ",\"address\":"));
    TRY(write_ip(out, &s->address, there));
    TRY(buf_append_str(out, ",\"gateway\":"));
    TRY(write_ip(out, &s->via, s->gateway));
    TRY(buf_append_str(out, ",\"resolvers\":["));
    for (size_t i = 0; i < s->resolvers_n; i++) {
        TRY(buf_append_str(out, i == 0 ? "" : ","));
        TRY(write_ip(out, &s->resolvers[i], true));
    }
    TRY(buf_append_str(out, "],\"listening\":\""));
    TRY(address_display(&rest->listening, out));
    return buf_printf(out, "\",\"tls\":%s}", yes_no(rest->tls));
}

// tap_interface is a name that clients of the original expect; it has no such interface here.
static enum q_err write_status(struct rest *rest, struct buf *out)
{
    const struct network_state *s = network_now(&rest->network);
    TRY(buf_printf(out, "{\"status\":\"%s\",\"tap_interface\":\"tap0\",\"guest_ip\":",
                   network_status_name(s)));
    TRY(write_ip(out, &s->address, s->interface[0] != '\0'));
    TRY(buf_append_str(out, ",\"gateway_ip\":"));
    TRY(write_ip(out, &s->via, s->gateway));
    TRY(buf_printf(
        out, ",\"connectivity\":{\"loopback\":%s,\"gateway\":%s,\"external\":%s,\"dns\":%s}",
        yes_no(s->loopback), yes_no(s->gateway), yes_no(s->external), yes_no(s->resolvers_n > 0)));
    TRY(write_configuration(rest, s, out));
    return buf_u8(out, '}');
}

void rest_network_status(void *context, struct http_request *r)
{
    BUF_AUTO body = {0};
    rest_answer_made(r, write_status(context, &body), &body);
}

static enum q_err write_ping(struct buf *out, const char *name, bool success,
                             const struct ip *target, bool there)
{
    TRY(buf_printf(out, "\"%s\":{\"success\":%s,\"target\":", name, yes_no(success)));
    TRY(write_ip(out, target, there));
    return buf_append_str(out, ",\"packets_sent\":0,\"packets_received\":0,\"avg_time_ms\":0},");
}

// Without a target: what is known without sending anything. This host answers, or nobody would read this.
static enum q_err write_own_checks(struct rest *rest, struct buf *out)
{
    const struct network_state *s = network_now(&rest->network);
    TRY(buf_printf(out, "{\"success\":%s,", yes_no(s->loopback)));
    TRY(write_ping(out, "gateway_ping", s->gateway, &s->via, s->gateway));
    TRY(write_ping(out, "external_ping", s->external, &s->via, false));
    TRY(buf_printf(out,
                   "\"dns_test\":{\"success\":%s,\"hostname\":\"\",\"duration_ms\":0},"
                   "\"http_test\":{\"success\":true,\"url\":\"%s://",
                   yes_no(s->resolvers_n > 0), rest->tls ? "https" : "http"));
    TRY(address_display(&rest->listening, out));
    return buf_append_str(out, "/health\",\"duration_ms\":0},\"total_duration_ms\":0,"
                               "\"response_time_ms\":0}");
}

static void answer(const struct test *t, enum q_err result, int64_t microseconds)
{
    BUF_AUTO body = {0};
    struct bytes name = buf_bytes(&t->name), why = bytes_str(result == Q_OK ? "" : err_text());
    enum q_err made = buf_printf(
        &body,
        "{\"success\":%s,\"response_time_ms\":%lld.%03lld,\"target\":", yes_no(result == Q_OK),
        (long long)microseconds / 1000, (long long)microseconds % 1000);
    if (made == Q_OK)
        made = json_encode(&type_text, &name, JSON_PLAIN, &body);
    if (made == Q_OK && result != Q_OK) {
        made = buf_append_str(&body, ",\"error\":");
        if (made == Q_OK)
            made = json_encode(&type_text, &why, JSON_PLAIN, &body);
    }
    if (made == Q_OK)
        made = buf_u8(&body, '}');
    rest_answer_made(t->request, made, &body);
}

static void forget(struct test *t)
{
    struct test **at = &t->rest->tests;
    while (*at != t)
        at = &(*at)->next;
    *at = t->next;
    t->rest->tests_n--;
    probe_cancel(&t->probe);
    buf_free(&t->name);
    free(t);
}

static void probed(void *context, enum q_err result, int64_t microseconds)
{
    struct test *t = context;
    t->probe = NULL;
    answer(t, result, microseconds);
    forget(t);
}

void rest_network_end(struct rest *rest)
{
    while (rest->tests != NULL) {
        struct test *t = rest->tests;
        answer(t, fail(Q_CLOSED, STOPS), 0);
        forget(t);
    }
}

static bool allowed(const struct rest *rest, struct bytes name)
{
    for (size_t i = 0; i < rest->probe_targets_n; i++) {
        if (bytes_is(name, rest->probe_targets[i]))
            return true;
    }
    return false;
}

static enum q_err check_target(struct test *t, const struct test_request *q,
                               struct egress_target *target)
{
    if (q->target_port == NULL || *q->target_port > UINT16_MAX)
        return fail(Q_BAD_INPUT, "target_port: expected 1 to 65535, found %s",
                    q->target_port == NULL ? "none" : "more");
    TRY(buf_append(&t->name, q->target_host));
    TRY(buf_printf(&t->name, ":%u", *q->target_port));
    struct bytes host = bytes_of(t->name.p, q->target_host.n);
    TRY(err_context(egress_target_of(host, (uint16_t)*q->target_port, target), "target_host"));
    if (!allowed(t->rest, buf_bytes(&t->name)))
        return fail(Q_REFUSED, "target: expected one that qos_host was started with "
                               "(--network-test-target), found another");
    return Q_OK;
}

static enum q_err start_test(struct test *t, const struct test_request *q)
{
    struct egress_target target;
    uint32_t seconds = q->timeout_seconds == NULL ? TIMEOUT_DEFAULT_S : *q->timeout_seconds;
    if (seconds == 0 || seconds > TIMEOUT_MAX_S)
        return fail(Q_BAD_INPUT, "timeout_seconds: expected 1 to %d, found %u", TIMEOUT_MAX_S,
                    seconds);
    TRY(check_target(t, q, &target));
    return probe_start(t->rest->host->loop, &target, (int64_t)seconds * 1000, probed, t, &t->probe);
}

static enum q_err test_target(struct rest *rest, struct http_request *r,
                              const struct test_request *q)
{
    if (rest->host->stopping)
        return fail(Q_CLOSED, STOPS);
    if (rest->tests_n == PROBES_MAX)
        return fail(Q_LIMIT, "network test: expected at most %d at a time, found more", PROBES_MAX);
    struct test *t = calloc(1, sizeof *t);
    if (t == NULL)
        return fail(Q_NOMEM, "network test: no memory");
    *t = (struct test){.rest = rest, .request = r, .next = rest->tests};
    rest->tests = t;
    rest->tests_n++;
    enum q_err result = start_test(t, q);
    if (result != Q_OK)
        forget(t);
    return result;
}

static unsigned status_of(enum q_err result)
{
    if (result == Q_BAD_INPUT)
        return 400;
    return result == Q_REFUSED ? 403 : 503;
}

// 400 for what is no JSON, 422 for JSON of another shape.
static unsigned read_test(struct bytes body, struct arena *a, struct test_request *out)
{
    json_t *json = NULL;
    *out = (struct test_request){0};
    if (body.n == 0)
        return 0;
    if (json_parse(body, &json) != Q_OK)
        return 400;
    enum q_err result = json_is_object(json)
                            ? json_read(&type_test_request, json, a, out)
                            : fail(Q_BAD_INPUT, "network test: expected an object");
    json_decref(json);
    return result == Q_OK ? 0 : 422;
}

void rest_network_test(void *context, struct http_request *r)
{
    struct rest *rest = context;
    char id[REQUEST_ID_SIZE];
    struct bytes body;
    ARENA_AUTO arena = {0};
    BUF_AUTO out = {0};
    struct test_request q;
    if (!rest_request_id(r, id) ||
        !rest_body(r, &(struct rest_rules){.request_id = id, .json = true}, &body))
        return;
    unsigned status = read_test(body, &arena, &q);
    if (status == 0 && q.target_host.p == NULL) {
        rest_answer_made(r, write_own_checks(rest, &out), &out);
        return;
    }
    enum q_err result = status == 0 ? test_target(rest, r, &q) : Q_OK;
    if (result != Q_OK)
        status = status_of(result);
    if (status != 0)
        rest_answer_error(
            r, &(struct rest_error){.status = status, .request_id = id, .text = err_text()});
}
