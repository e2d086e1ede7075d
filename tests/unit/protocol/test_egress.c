// The rule of outgoing connections: which targets a manifest's client entries allow, and the tricks that must
// not widen them.
#include "protocol_vectors.h"

#include "protocol/egress.h"

#define HOST(text) .host = {(const uint8_t *)(text), sizeof(text) - 1}

static const struct bridge entries[] = {
    {.tag = BRIDGE_CLIENT, .client = {.port = 443, HOST("api.example.com")}},
    {.tag = BRIDGE_CLIENT, .client = {.port = 80, HOST("127.0.0.1")}},
    {.tag = BRIDGE_CLIENT, .client = {.port = 81, HOST("::1")}},
    {.tag = BRIDGE_CLIENT, .client = {.port = 8443}}, // any host
    {.tag = BRIDGE_SERVER, .server = {.port = 3000, HOST("0.0.0.0")}},
    {.tag = BRIDGE_CLIENT, .client = {.port = 444, HOST("ends.with.dot.")}},
    {.tag = BRIDGE_CLIENT, .client = {.port = 445, HOST("")}},
    {.tag = BRIDGE_CLIENT, .client = {.port = 446, HOST("xn--bcher-kva.example")}},
    {.tag = BRIDGE_CLIENT, .client = {.port = 0, HOST("zero.example")}},
    {.tag = BRIDGE_CLIENT, .client = {.port = 447, HOST("::ffff:192.0.2.1")}},
};
static const struct egress_rules rules = {.bridges = entries,
                                          .bridges_n = sizeof entries / sizeof *entries};

// Text that is no target at all is refused like one that no entry allows.
static enum egress_verdict judge(struct bytes host, uint16_t port)
{
    struct egress_target t;
    if (egress_target_of(host, port, &t) != Q_OK)
        return EGRESS_REFUSED;
    return egress_judge(&rules, &t);
}

#define assert_judged(host, port, verdict)                                                         \
    do {                                                                                           \
        enum egress_verdict got_ = judge(BYTES_LIT(host), port);                                   \
        if (got_ != (verdict))                                                                     \
            fail_msg("%s:%d: expected verdict %d, got %d", host, port, verdict, got_);             \
    } while (0)

static void exactly_the_named_host_and_port_are_allowed(void **state)
{
    (void)state;
    assert_judged("api.example.com", 443, EGRESS_ALLOWED);
    assert_judged("api.example.com", 444, EGRESS_REFUSED);
    assert_judged("api.example.com", 80, EGRESS_REFUSED);
    assert_judged("example.com", 443, EGRESS_REFUSED);
    assert_judged("www.api.example.com", 443, EGRESS_REFUSED);
    assert_judged("api.example.comx", 443, EGRESS_REFUSED);
    assert_judged("xapi.example.com", 443, EGRESS_REFUSED);
    assert_judged("api.example.co", 443, EGRESS_REFUSED);
    assert_judged("", 443, EGRESS_REFUSED);
}

static void names_are_compared_without_regard_to_ascii_case(void **state)
{
    (void)state;
    assert_judged("API.Example.COM", 443, EGRESS_ALLOWED);
    assert_judged("XN--BCHER-KVA.example", 446, EGRESS_ALLOWED);
    assert_judged("b\xc3\xbc\x63her.example", 446, EGRESS_REFUSED);
    // 'K' and 'i' with relatives beyond ASCII (U+212A, U+0131).
    assert_judged("ap\xc4\xb1.example.com", 443, EGRESS_REFUSED);
    // '_' and DEL, '[' and '{' differ in the bit that tells the cases apart.
    assert_judged("api\x0e"
                  "example.com",
                  443, EGRESS_REFUSED);
}

static void tricks_with_text_do_not_widen_an_entry(void **state)
{
    (void)state;
    assert_judged("api.example.com.", 443, EGRESS_REFUSED);
    assert_judged(".api.example.com", 443, EGRESS_REFUSED);
    assert_judged("api..example.com", 443, EGRESS_REFUSED);
    assert_judged("api.example.com\0", 443, EGRESS_REFUSED);
    assert_judged("api.example.com\0.evil.example", 443, EGRESS_REFUSED);
    assert_judged("\0", 443, EGRESS_REFUSED);
    assert_judged(" api.example.com", 443, EGRESS_REFUSED);
    assert_judged("api.example.com\n", 443, EGRESS_REFUSED);
    assert_judged("api.example.com:443", 443, EGRESS_REFUSED);
    assert_judged("user@api.example.com", 443, EGRESS_REFUSED);
    assert_judged("api.example.com/", 443, EGRESS_REFUSED);
    assert_judged("*.example.com", 443, EGRESS_REFUSED);
    assert_judged("api\xe3\x80\x82"
                  "example.com",
                  443, EGRESS_REFUSED);
}

static void entries_that_say_no_host_that_exists_allow_nothing(void **state)
{
    (void)state;
    assert_judged("ends.with.dot", 444, EGRESS_REFUSED);
    assert_judged("ends.with.dot.", 444, EGRESS_REFUSED);
    assert_judged("", 445, EGRESS_REFUSED);
    assert_judged("any.example", 445, EGRESS_REFUSED);
    assert_judged("8.8.8.8", 445, EGRESS_REFUSED);
    assert_judged("zero.example", 0, EGRESS_REFUSED);
}

static void server_entries_allow_nothing(void **state)
{
    (void)state;
    assert_judged("0.0.0.0", 3000, EGRESS_REFUSED);
    assert_judged("any.example", 3000, EGRESS_REFUSED);
}

static void addresses_are_compared_by_value(void **state)
{
    (void)state;
    assert_judged("127.0.0.1", 80, EGRESS_ALLOWED);
    assert_judged("::ffff:127.0.0.1", 80, EGRESS_ALLOWED);
    assert_judged("::ffff:7f00:1", 80, EGRESS_ALLOWED);
    assert_judged("0:0:0:0:0:FFFF:7F00:0001", 80, EGRESS_ALLOWED);
    assert_judged("0:0::1", 81, EGRESS_ALLOWED);
    assert_judged("192.0.2.1", 447, EGRESS_ALLOWED);
    assert_judged("127.0.0.2", 80, EGRESS_REFUSED);
    assert_judged("::127.0.0.1", 80, EGRESS_REFUSED);
    assert_judged("::1", 80, EGRESS_REFUSED);
    assert_judged("127.0.0.1", 81, EGRESS_REFUSED);
}

static void other_spellings_of_addresses_are_neither_address_nor_name(void **state)
{
    (void)state;
    const struct bytes spellings[] = {
        BYTES_LIT("127.1"),      BYTES_LIT("0x7f.0.0.1"),  BYTES_LIT("2130706433"),
        BYTES_LIT("0x7f000001"), BYTES_LIT("0177.0.0.01"), BYTES_LIT("127.0.0.01"),
        BYTES_LIT("[::1]"),      BYTES_LIT("::1%lo"),      BYTES_LIT("127.0.0.1."),
        BYTES_LIT("1.2.3.0X4"),  BYTES_LIT("name.0x"),     BYTES_LIT("127.0.0.1\0"),
    };
    for (size_t i = 0; i < sizeof spellings / sizeof *spellings; i++) {
        struct egress_target t;
        assert_refused(egress_target_of(spellings[i], 8443, &t), Q_BAD_INPUT,
                       "expected a name or an address");
    }
}

static void a_name_does_not_stand_for_an_address_nor_the_other_way_round(void **state)
{
    (void)state;
    assert_judged("localhost", 80, EGRESS_REFUSED);
    assert_judged("93.184.216.34", 443, EGRESS_REFUSED);
}

static void an_entry_without_a_host_stands_for_the_public_internet(void **state)
{
    (void)state;
    assert_judged("anything.example", 8443, EGRESS_IF_PUBLIC);
    assert_judged("localhost", 8443, EGRESS_IF_PUBLIC);
    assert_judged("anything.example", 8442, EGRESS_REFUSED);
    assert_judged("8.8.8.8", 8443, EGRESS_ALLOWED);
    assert_judged("2606:4700:4700::1111", 8443, EGRESS_ALLOWED);
    assert_judged("127.0.0.1", 8443, EGRESS_REFUSED);
    assert_judged("::ffff:127.0.0.1", 8443, EGRESS_REFUSED);
    assert_judged("169.254.169.254", 8443, EGRESS_REFUSED);
    assert_judged("fd00:ec2::254", 8443, EGRESS_REFUSED);
}

static void public_addresses_are_told_from_all_others(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool is_public;
    } rows[] = {
        {"0.0.0.0", false},
        {"0.255.255.255", false},
        {"1.0.0.0", true},
        {"9.255.255.255", true},
        {"10.0.0.0", false},
        {"10.255.255.255", false},
        {"11.0.0.0", true},
        {"100.63.255.255", true},
        {"100.64.0.0", false},
        {"100.127.255.255", false},
        {"100.128.0.0", true},
        {"126.255.255.255", true},
        {"127.0.0.0", false},
        {"127.255.255.255", false},
        {"128.0.0.0", true},
        {"169.253.255.255", true},
        {"169.254.0.0", false},
        {"169.255.0.0", true},
        {"172.15.255.255", true},
        {"172.16.0.0", false},
        {"172.31.255.255", false},
        {"172.32.0.0", true},
        {"192.0.0.1", false},
        {"192.0.1.0", true},
        {"192.0.2.255", false},
        {"192.88.99.1", false},
        {"192.167.255.255", true},
        {"192.168.0.0", false},
        {"192.169.0.0", true},
        {"198.17.255.255", true},
        {"198.18.0.0", false},
        {"198.19.255.255", false},
        {"198.20.0.0", true},
        {"198.51.100.9", false},
        {"203.0.113.9", false},
        {"223.255.255.255", true},
        {"224.0.0.1", false},
        {"239.255.255.255", false},
        {"240.0.0.1", false},
        {"255.255.255.255", false},
        {"::", false},
        {"::1", false},
        {"::8.8.8.8", false},
        {"64:ff9b::8.8.8.8", false},
        {"100::1", false},
        {"1fff::1", false},
        {"2000::1", true},
        {"2001::1", false},
        {"2001:1ff::1", false},
        {"2001:200::1", true},
        {"2001:db8::1", false},
        {"2001:db9::1", true},
        {"2002:808:808::1", false},
        {"2606:4700::1111", true},
        {"3ffe::1", true},
        {"3fff::1", false},
        {"3fff:fff::1", false},
        {"3fff:1000::1", true},
        {"4000::1", false},
        {"fc00::1", false},
        {"fe80::1", false},
        {"fec0::1", false},
        {"ff02::1", false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct ip ip;
        assert_true(ip_parse(bytes_str(rows[i].text), &ip));
        if (ip_is_public(&ip) != rows[i].is_public)
            fail_msg("%s: expected %d", rows[i].text, rows[i].is_public);
    }
}

static void names_have_the_lengths_of_rfc_1035(void **state)
{
    (void)state;
    uint8_t name[255];
    struct egress_target t;
    memset(name, 'a', sizeof name);
    for (size_t at = 63; at < sizeof name; at += 64)
        name[at] = '.';
    assert_ok(egress_target_of(bytes_of(name, 253), 1, &t));
    assert_int_equal(t.name.n, 253);
    assert_refused(egress_target_of(bytes_of(name, 254), 1, &t), Q_BAD_INPUT, "254 bytes");
    assert_refused(egress_target_of(BYTES_OF(name), 1, &t), Q_BAD_INPUT, "255 bytes");
    assert_ok(egress_target_of(bytes_of(name, 63), 1, &t));
    name[63] = 'a';
    assert_refused(egress_target_of(bytes_of(name, 64), 1, &t), Q_BAD_INPUT, "64 bytes");
    assert_ok(egress_target_of(BYTES_LIT("_tcp.under_score-1.x1"), 1, &t));
}

static void port_0_is_refused(void **state)
{
    (void)state;
    struct egress_target t;
    assert_refused(egress_target_of(BYTES_LIT("a.example"), 0, &t), Q_BAD_INPUT, "port");
}

static void targets_are_shown_as_hosts_and_ports(void **state)
{
    (void)state;
    static const char *const rows[][2] = {{"a.example", "a.example:443"},
                                          {"::ffff:192.0.2.1", "192.0.2.1:443"},
                                          {"0::1", "[::1]:443"}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct egress_target t;
        BUF_AUTO shown = {0};
        assert_ok(egress_target_of(bytes_str(rows[i][0]), 443, &t));
        assert_ok(egress_target_display(&t, &shown));
        assert_string_equal(buf_text(&shown), rows[i][1]);
    }
}

static void only_client_entries_make_a_proxy_wanted(void **state)
{
    (void)state;
    assert_true(egress_wanted(&rules));
    struct egress_rules servers = {.bridges = &entries[4], .bridges_n = 1};
    assert_false(egress_wanted(&servers));
    struct egress_rules none = {0};
    struct egress_target t;
    assert_false(egress_wanted(&none));
    assert_ok(egress_target_of(BYTES_LIT("8.8.8.8"), 443, &t));
    assert_int_equal(egress_judge(&none, &t), EGRESS_REFUSED);
}

static void only_resolvers_of_the_manifest_are_asked(void **state)
{
    (void)state;
    struct bytes resolvers[] = {BYTES_LIT("10.0.0.53"), BYTES_LIT("2001:db8::35")};
    struct bridge client = {.tag = BRIDGE_CLIENT, .client = {.port = 1}};
    struct dns_config dns = {.resolvers = {.items = resolvers, .n = 2}};
    struct manifest m = {.dns = &dns, .pivot = {.bridges = {.items = &client, .n = 1}}};
    struct egress_rules r = egress_rules_of(&m);
    struct ip ip;
    assert_true(egress_wanted(&r));
    assert_true(ip_parse(BYTES_LIT("::ffff:10.0.0.53"), &ip) && egress_may_ask(&r, &ip));
    assert_true(ip_parse(BYTES_LIT("2001:DB8:0::35"), &ip) && egress_may_ask(&r, &ip));
    assert_true(ip_parse(BYTES_LIT("10.0.0.54"), &ip) && !egress_may_ask(&r, &ip));
    m.dns = NULL;
    r = egress_rules_of(&m);
    assert_true(ip_parse(BYTES_LIT("10.0.0.53"), &ip) && !egress_may_ask(&r, &ip));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(exactly_the_named_host_and_port_are_allowed),
        cmocka_unit_test(names_are_compared_without_regard_to_ascii_case),
        cmocka_unit_test(tricks_with_text_do_not_widen_an_entry),
        cmocka_unit_test(entries_that_say_no_host_that_exists_allow_nothing),
        cmocka_unit_test(server_entries_allow_nothing),
        cmocka_unit_test(addresses_are_compared_by_value),
        cmocka_unit_test(other_spellings_of_addresses_are_neither_address_nor_name),
        cmocka_unit_test(a_name_does_not_stand_for_an_address_nor_the_other_way_round),
        cmocka_unit_test(an_entry_without_a_host_stands_for_the_public_internet),
        cmocka_unit_test(public_addresses_are_told_from_all_others),
        cmocka_unit_test(names_have_the_lengths_of_rfc_1035),
        cmocka_unit_test(port_0_is_refused),
        cmocka_unit_test(targets_are_shown_as_hosts_and_ports),
        cmocka_unit_test(only_client_entries_make_a_proxy_wanted),
        cmocka_unit_test(only_resolvers_of_the_manifest_are_asked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
