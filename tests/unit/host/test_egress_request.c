// What a request to the host's proxy may have: the manifest's rule once more, and the resolvers.
#include "../cmocka_setup.h"

#include "host/egress_request.h"

static struct bytes resolvers[] = {{(const uint8_t *)"10.0.0.53", 9}};
static const struct bridge entries[] = {
    {.tag = BRIDGE_CLIENT, .client = {.port = 443, .host = {(const uint8_t *)"a.test", 6}}},
    {.tag = BRIDGE_CLIENT, .client = {.port = 80, .host = {(const uint8_t *)"127.0.0.1", 9}}},
    {.tag = BRIDGE_CLIENT, .client = {.port = 8443}},
};
static const struct egress_rules rules = {
    .bridges = entries, .bridges_n = 3, .resolvers = resolvers, .resolvers_n = 1};

static struct proxy_message by_name(struct bytes name, uint16_t port, struct bytes *servers,
                                    size_t n, uint16_t dns_port)
{
    struct proxy_message m = {.tag = PROXY_CONNECT_BY_NAME_REQUEST,
                              .by_name = {.hostname = name, .port = port, .dns_port = dns_port}};
    m.by_name.dns_resolvers.items = servers;
    m.by_name.dns_resolvers.n = n;
    return m;
}

static struct proxy_message by_ip(struct bytes ip, uint16_t port)
{
    return (struct proxy_message){.tag = PROXY_CONNECT_BY_IP_REQUEST,
                                  .by_ip = {.ip = ip, .port = port}};
}

static void assert_allowed(struct proxy_message m, bool public_only)
{
    struct egress_request r;
    enum net_error_kind why;
    assert_ok(egress_request_of(&rules, &m, &r, &why));
    assert_int_equal(r.public_only, public_only);
}

static void assert_not(struct proxy_message m, const struct egress_rules *by,
                       enum net_error_kind kind, const char *words)
{
    struct egress_request r;
    enum net_error_kind why;
    assert_refused(egress_request_of(by, &m, &r, &why), Q_REFUSED, words);
    assert_int_equal(why, kind);
}

static void what_the_manifest_says_is_allowed(void **state)
{
    (void)state;
    assert_allowed(by_name(BYTES_LIT("A.test"), 443, resolvers, 1, 53), false);
    assert_allowed(by_name(BYTES_LIT("A.test"), 443, NULL, 0, 53), false);
    assert_allowed(by_name(BYTES_LIT("b.test"), 8443, resolvers, 1, 53), true);
    assert_allowed(by_ip(BYTES_LIT("127.0.0.1"), 80), false);
    assert_allowed(by_ip(BYTES_LIT("8.8.8.8"), 8443), false);
}

static void nothing_else_is(void **state)
{
    (void)state;
    assert_not(by_name(BYTES_LIT("b.test"), 443, NULL, 0, 53), &rules, NET_ERROR_IO, "not allowed");
    assert_not(by_ip(BYTES_LIT("127.0.0.1"), 443), &rules, NET_ERROR_IO, "not allowed");
    assert_not(by_ip(BYTES_LIT("127.0.0.1"), 8443), &rules, NET_ERROR_IO, "not allowed");
    const struct egress_rules none = {0};
    assert_not(by_ip(BYTES_LIT("8.8.8.8"), 8443), &none, NET_ERROR_IO, "not allowed");
}

static void only_the_manifests_resolvers_are_asked_at_their_port(void **state)
{
    (void)state;
    struct bytes other[] = {BYTES_LIT("10.0.0.53"), BYTES_LIT("10.0.0.54")};
    assert_not(by_name(BYTES_LIT("a.test"), 443, other, 2, 53), &rules, NET_ERROR_IO, "resolver");
    assert_not(by_name(BYTES_LIT("a.test"), 443, other, 1, 54), &rules, NET_ERROR_IO, "resolver");
    struct proxy_message m = by_name(BYTES_LIT("a.test"), 443, other, 2, 5353);
    struct egress_request r;
    enum net_error_kind why;
    assert_ok(egress_request_of(NULL, &m, &r, &why));
    assert_int_equal(r.resolvers_n, 2);
    assert_int_equal(r.dns_port, 5353);
    assert_false(r.public_only);
}

static void what_is_malformed_is_a_parse_error(void **state)
{
    (void)state;
    struct bytes names[] = {BYTES_LIT("dns.test")};
    struct bytes many[LOOKUP_RESOLVERS_MAX + 1];
    for (size_t i = 0; i < sizeof many / sizeof *many; i++)
        many[i] = BYTES_LIT("10.0.0.53");
    assert_not(by_ip(BYTES_LIT("a.test"), 443), NULL, NET_ERROR_PARSE, "got a name");
    assert_not(by_ip(BYTES_LIT("127.1"), 443), NULL, NET_ERROR_PARSE, "name or an address");
    assert_not(by_ip(BYTES_LIT("127.0.0.1"), 0), NULL, NET_ERROR_PARSE, "port");
    assert_not(by_name(BYTES_LIT("a\0b"), 443, NULL, 0, 53), NULL, NET_ERROR_PARSE, "name");
    assert_not(by_name(BYTES_LIT("a.test"), 443, names, 1, 53), NULL, NET_ERROR_PARSE,
               "resolver 1");
    assert_not(by_name(BYTES_LIT("a.test"), 443, many, LOOKUP_RESOLVERS_MAX + 1, 53), NULL,
               NET_ERROR_PARSE, "at most 8, got 9");
}

static void what_a_name_leads_to_is_kept_when_it_may_be_connected_to(void **state)
{
    (void)state;
    struct ip found[3];
    assert_true(ip_parse(BYTES_LIT("10.0.0.1"), &found[0]) &&
                ip_parse(BYTES_LIT("8.8.8.8"), &found[1]) && ip_parse(BYTES_LIT("::1"), &found[2]));
    struct egress_request any = {0}, only_public = {.public_only = true};
    assert_int_equal(egress_request_keep(&any, found, 3), 3);
    struct ip wanted = found[1];
    assert_int_equal(egress_request_keep(&only_public, found, 3), 1);
    assert_true(ip_equal(&found[0], &wanted));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_the_manifest_says_is_allowed),
        cmocka_unit_test(nothing_else_is),
        cmocka_unit_test(only_the_manifests_resolvers_are_asked_at_their_port),
        cmocka_unit_test(what_is_malformed_is_a_parse_error),
        cmocka_unit_test(what_a_name_leads_to_is_kept_when_it_may_be_connected_to),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
