// Routes: what a method and a path lead to.
#include "../cmocka_setup.h"

#include "host/routes.h"

static void handler(void *context, struct http_request *request)
{
    (void)context;
    (void)request;
}

static int one, two;
static const struct route first[] = {
    {"GET", "health", handler, 0, 0},
    {"POST", "message", handler, 10, 20},
    {"GET", "both", handler, 0, 0},
    {"POST", "both", handler, 10, 20},
};
static const struct route second[] = {{"GET", "metrics", handler, 0, 0}};
static const struct route_family families[] = {{"qos", first, 4, &one}, {"", second, 1, &two}};
static const struct route_set set = {families, 2};

static void a_path_and_its_method_find_their_route_and_context(void **state)
{
    (void)state;
    struct route_match m = route_find(&set, "GET", "/qos/health");
    assert_int_equal(m.result, ROUTE_FOUND);
    assert_ptr_equal(m.route, &first[0]);
    assert_ptr_equal(m.context, &one);
    assert_int_equal(m.number, 0);
    m = route_find(&set, "POST", "/qos/both");
    assert_ptr_equal(m.route, &first[3]);
    assert_string_equal(m.allow, "");
    m = route_find(&set, "GET", "/metrics");
    assert_ptr_equal(m.route, &second[0]);
    assert_ptr_equal(m.context, &two);
    assert_int_equal(m.number, 4);
    assert_int_equal(route_count(&set), 5);
}

static void head_finds_what_get_finds(void **state)
{
    (void)state;
    assert_ptr_equal(route_find(&set, "HEAD", "/qos/both").route, &first[2]);
    assert_int_equal(route_find(&set, "HEAD", "/qos/message").result, ROUTE_OTHER_METHOD);
}

static void another_method_is_told_what_is_allowed(void **state)
{
    (void)state;
    struct route_match m = route_find(&set, "DELETE", "/qos/both");
    assert_int_equal(m.result, ROUTE_OTHER_METHOD);
    assert_null(m.route);
    assert_int_equal(m.number, 5);
    assert_string_equal(m.allow, "GET,HEAD,POST");
    assert_string_equal(route_find(&set, "GET", "/qos/message").allow, "POST");
    assert_string_equal(route_find(&set, "get", "/qos/health").allow, "GET,HEAD");
}

static void anything_else_is_unknown(void **state)
{
    (void)state;
    static const char *const urls[] = {"",
                                       "/",
                                       "qos/health",
                                       "/qos",
                                       "/qos/",
                                       "/qos/health/",
                                       "/qos//health",
                                       "//qos/health",
                                       "/qosx/health",
                                       "/health",
                                       "/qos/metrics",
                                       "/qos/healt",
                                       "/qos/h%65alth",
                                       "*"};
    for (size_t i = 0; i < sizeof urls / sizeof *urls; i++) {
        struct route_match m = route_find(&set, "GET", urls[i]);
        if (m.result != ROUTE_UNKNOWN || m.number != 5 || m.route != NULL)
            fail_msg("%s was found", urls[i]);
    }
}

static void names_for_metrics(void **state)
{
    (void)state;
    static const char *const names[] = {"/qos/health", "/qos/message", "/qos/both",
                                        "/qos/both",   "/metrics",     "other"};
    for (size_t i = 0; i < 6; i++) {
        BUF_AUTO name = {0};
        assert_ok(route_name(&set, i, &name));
        assert_string_equal(buf_text(&name), names[i]);
    }
}

static void base_paths_are_checked(void **state)
{
    (void)state;
    assert_ok(route_check_base("qos"));
    assert_ok(route_check_base("a/b-c_d.~9"));
    static const char *const bad[] = {"", "/qos", "qos/", "a b", "a?b", "a%20", "\"", "\xc3\xa4"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_refused(route_check_base(bad[i]), Q_BAD_INPUT, "--endpoint-base-path");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_path_and_its_method_find_their_route_and_context),
        cmocka_unit_test(head_finds_what_get_finds),
        cmocka_unit_test(another_method_is_told_what_is_allowed),
        cmocka_unit_test(anything_else_is_unknown),
        cmocka_unit_test(names_for_metrics),
        cmocka_unit_test(base_paths_are_checked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
