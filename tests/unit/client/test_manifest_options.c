// Options of generate-manifest with a form of their own (client/manifest/manifest_parts.h,
// qos-behaviour 1.6).
#include "../cmocka_setup.h"

#include "client/manifest/manifest_parts.h"

static void pivot_args_are_split_at_every_comma_and_never_trimmed(void **state)
{
    (void)state;
    ARENA_AUTO a = {0};
    struct pivot_config p = {0};
    assert_ok(pivot_args_parse("[]", &a, &p));
    assert_int_equal(p.args.n, 0);
    assert_ok(pivot_args_parse("[a,]", &a, &p));
    assert_int_equal(p.args.n, 2);
    assert_true(bytes_is(p.args.items[0], "a"));
    assert_true(bytes_is(p.args.items[1], ""));
    assert_non_null(p.args.items[1].p); // present, and empty
    assert_ok(pivot_args_parse("[--msg, [x] \"y\"]", &a, &p));
    assert_int_equal(p.args.n, 2);
    assert_true(bytes_is(p.args.items[0], "--msg"));
    assert_true(bytes_is(p.args.items[1], " [x] \"y\""));
    static const char *const bad[] = {"", "[", "a", "[a", "a]", "[\xff]"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_refused(pivot_args_parse(bad[i], &a, &p), Q_BAD_INPUT, "--pivot-args");
}

static void bridges_are_json_and_no_port_comes_twice(void **state)
{
    (void)state;
    ARENA_AUTO a = {0};
    struct pivot_config p = {0};
    assert_ok(bridge_config_parse("[{\"type\":\"server\",\"port\":3000,\"host\":\"0.0.0.0\"},"
                                  "{\"type\":\"client\",\"port\":443,\"host\":\"x\"},"
                                  "{\"type\":\"client\",\"port\":\"80\"}]",
                                  &a, &p));
    assert_int_equal(p.bridges.n, 3);
    assert_int_equal(p.bridges.items[0].tag, BRIDGE_SERVER);
    assert_true(bytes_is(p.bridges.items[1].client.host, "x"));
    assert_null(p.bridges.items[2].client.host.p);
    assert_refused(bridge_config_parse("[{\"type\":\"server\",\"port\":443,\"host\":\"h\"},"
                                       "{\"type\":\"client\",\"port\":443}]",
                                       &a, &p),
                   Q_REFUSED, "443 twice");
    assert_ok(bridge_config_parse("[{\"type\":\"client\",\"port\":443,\"host\":\"a\"},"
                                  "{\"type\":\"client\",\"port\":443,\"host\":\"b\"}]",
                                  &a, &p));
    static const char *const bad[] = {"",
                                      "{}",
                                      "[{}]",
                                      "[{\"type\":\"other\",\"port\":1}]",
                                      "[{\"type\":\"client\"}]",
                                      "[{\"type\":\"client\",\"port\":65536}]",
                                      "[{\"type\":\"server\",\"port\":0,\"host\":\"h\"}]",
                                      "[] x"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_int_not_equal(bridge_config_parse(bad[i], &a, &p), Q_OK);
        assert_non_null(strstr(err_text(), "--bridge-config"));
    }
}

static void resolvers_are_addresses(void **state)
{
    (void)state;
    ARENA_AUTO a = {0};
    struct dns_config dns = {0};
    assert_ok(dns_resolvers_parse("[]", &a, &dns));
    assert_int_equal(dns.resolvers.n, 0);
    assert_ok(dns_resolvers_parse("[1.1.1.1,2606:4700:4700:0:0::1111]", &a, &dns));
    assert_int_equal(dns.resolvers.n, 2);
    assert_true(bytes_is(dns.resolvers.items[0], "1.1.1.1"));
    assert_true(bytes_is(dns.resolvers.items[1], "2606:4700:4700::1111"));
    static const char *const bad[] = {"1.1.1.1", "[example.com]", "[1.1.1.1,]", "[1.1.1.256]",
                                      "[1.1.1.1, 2.2.2.2]"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_int_not_equal(dns_resolvers_parse(bad[i], &a, &dns), Q_OK);
        assert_non_null(strstr(err_text(), "--dns-resolvers"));
    }
}

static void words_with_few_values_refuse_all_others(void **state)
{
    (void)state;
    struct restart r;
    bool debug;
    assert_ok(restart_policy_parse("NeVer", &r));
    assert_int_equal(r.tag, RESTART_NEVER);
    assert_ok(restart_policy_parse("always", &r));
    assert_int_equal(r.tag, RESTART_ALWAYS);
    assert_refused(restart_policy_parse("sometimes", &r), Q_BAD_INPUT, "never or always");
    assert_ok(debug_mode_parse("true", &debug));
    assert_true(debug);
    assert_ok(debug_mode_parse("false", &debug));
    assert_false(debug);
    assert_refused(debug_mode_parse("True", &debug), Q_BAD_INPUT, "true or false");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pivot_args_are_split_at_every_comma_and_never_trimmed),
        cmocka_unit_test(bridges_are_json_and_no_port_comes_twice),
        cmocka_unit_test(resolvers_are_addresses),
        cmocka_unit_test(words_with_few_values_refuse_all_others),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
