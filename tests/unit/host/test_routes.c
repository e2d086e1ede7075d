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
static const struct route third[] = {{"GET", "", handler, 0, 0},
                                     {"POST", "deep/message", handler, 0, 0}};
static const struct route_family families[] = {
    {.base = "qos", .routes = first, .count = 4, .context = &one},
    {.base = "", .routes = second, .count = 1, .context = &two},
    {.base = "", .routes = third, .count = 2, .context = &two, .refuse = handler},
};
static const struct route_set set = {families, 3};

static void a_path_and_its_method_find_their_route_and_context(void **state)
{
    (void)state;
    struct route_match m = route_find(&set, "GET", "/qos/health");
    assert_int_equal(m.result, ROUTE_FOUND);
    assert_ptr_equal(m.route, &first[0]);
    assert_ptr_equal(m.family->context, &one);
    assert_int_equal(m.number, 0);
    m = route_find(&set, "POST", "/qos/both");
    assert_ptr_equal(m.route, &first[3]);
    assert_int_equal(m.number, 2); // one path is counted once
    assert_string_equal(m.allow, "");
    m = route_find(&set, "GET", "/metrics");
    assert_ptr_equal(m.route, &second[0]);
    assert_ptr_equal(m.family->context, &two);
    assert_int_equal(m.number, 4);
    assert_int_equal(route_count(&set), 7);
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
    assert_int_equal(m.number, 7);
    assert_string_equal(m.allow, "GET,HEAD,POST");
    assert_string_equal(route_find(&set, "GET", "/qos/message").allow, "POST");
    assert_string_equal(route_find(&set, "get", "/qos/health").allow, "GET,HEAD");
}

static void anything_else_is_unknown(void **state)
{
    (void)state;
    static const char *const urls[] = {"",
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
        if (m.result != ROUTE_UNKNOWN || m.number != 7 || m.route != NULL)
            fail_msg("%s was found", urls[i]);
    }
}

static void what_nobody_serves_is_refused_by_whose_path_it_is(void **state)
{
    (void)state;
    assert_ptr_equal(route_find(&set, "GET", "/qos/nothing").family, &families[0]);
    assert_ptr_equal(route_find(&set, "PUT", "/qos/both").family, &families[0]);
    assert_ptr_equal(route_find(&set, "PUT", "/metrics").family, &families[1]);
    assert_ptr_equal(route_find(&set, "PUT", "/deep/message").family, &families[2]);
    assert_ptr_equal(route_find(&set, "GET", "/nothing").family, &families[2]);
    assert_ptr_equal(route_find(&set, "OPTIONS", "*").family, &families[2]);
    assert_ptr_equal(route_find(&set, "GET", "/qos").family, &families[2]);
    static const struct route_set without = {families, 2};
    assert_null(route_find(&without, "GET", "/nothing").family);
}

static void a_base_above_routes_of_others_is_refused(void **state)
{
    (void)state;
    struct route_family some[] = {families[0], families[1], families[2]};
    const struct route_set all = {some, 3};
    static const char *const good[] = {"qos", "deep/message", "deep/messag", "dee", "metrics"};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        some[0].base = good[i];
        assert_ok(route_check_set(&all));
    }
    some[0].base = "deep";
    assert_refused(route_check_set(&all), Q_BAD_INPUT, "found deep, which has /deep/message");
}

static void names_for_metrics(void **state)
{
    (void)state;
    static const char *const names[] = {"/qos/health",   "/qos/message", "/qos/both",
                                        "/qos/both",     "/metrics",     "/",
                                        "/deep/message", "other"};
    for (size_t i = 0; i < 8; i++) {
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
        cmocka_unit_test(what_nobody_serves_is_refused_by_whose_path_it_is),
        cmocka_unit_test(a_base_above_routes_of_others_is_refused),
        cmocka_unit_test(names_for_metrics),
        cmocka_unit_test(base_paths_are_checked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
