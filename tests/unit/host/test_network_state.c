// What is read of the kernel's tables about the network (host/network_state.h).
#include "../folder.h"

#include "host/network_state.h"

#define HEADER                                                                                     \
    "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n"

static struct network_state read_of(struct folder *f, const char *routes, const char *routes6,
                                    const char *resolvers)
{
    const char *const texts[] = {routes, routes6, resolvers};
    static const char *const names[] = {"routes", "routes6", "resolvers"};
    char paths[3][512];
    struct network_state s;
    for (int i = 0; i < 3; i++) {
        (void)snprintf(paths[i], sizeof paths[i], "%s", folder_path(f, names[i]));
        if (texts[i] != NULL)
            assert_ok(file_write(paths[i], bytes_str(texts[i]), 0600, FILE_REPLACE));
    }
    const struct network_files files = {paths[0], paths[1], paths[2]};
    network_state_read(&files, &s);
    return s;
}

static void assert_ip(const struct ip *ip, const char *expected)
{
    BUF_AUTO text = {0};
    assert_ok(ip_display(ip, &text));
    assert_string_equal(buf_text(&text), expected);
}

static void the_default_route_of_the_lowest_metric_counts(void **state)
{
    struct network_state s =
        read_of(*state,
                HEADER "eth1\t00000000\t0102000A\t0003\t0\t0\t200\t00000000\t0\t0\t0\n"
                       "eth0\t00000000\t0101A8C0\t0003\t0\t0\t100\t00000000\t0\t0\t0\n"
                       "eth0\t0001A8C0\t00000000\t0001\t0\t0\t100\t00FFFFFF\t0\t0\t0\n",
                "", "");
    assert_string_equal(s.interface, "eth0");
    assert_true(s.gateway && s.external);
    assert_ip(&s.via, "192.168.1.1");
    assert_string_equal(network_status_name(&s), "connected");
}

static void a_route_that_is_down_or_for_a_part_is_no_way_out(void **state)
{
    struct network_state s =
        read_of(*state,
                HEADER "eth0\t00000000\t0101A8C0\t0002\t0\t0\t1\t00000000\t0\t0\t0\n"
                       "tun0\t00000000\t0101A8C0\t0003\t0\t0\t1\t00000080\t0\t0\t0\n"
                       "eth0\t0001A8C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0\n",
                "", "");
    assert_string_equal(s.interface, "");
    assert_false(s.gateway || s.external);
}

static void a_default_route_without_a_gateway_goes_out(void **state)
{
    struct network_state s = read_of(
        *state, HEADER "ppp0\t00000000\t00000000\t0001\t0\t0\t0\t00000000\t0\t0\t0\n", "", "");
    assert_string_equal(s.interface, "ppp0");
    assert_false(s.gateway);
    assert_true(s.external);
}

#define ZERO "00000000000000000000000000000000"
static void ipv6_alone_goes_out_but_not_over_the_loopback(void **state)
{
    static const char lo[] =
        ZERO " 00 " ZERO " 00 " ZERO " ffffffff 00000001 00000000 00200200 lo\n";
    static const char out[] =
        ZERO " 00 " ZERO " 00 fe800000000000000000000000000001 00000400 1 0 00450003 eth0\n";
    struct network_state s = read_of(*state, HEADER, lo, "");
    assert_false(s.external);
    s = read_of(*state, HEADER, out, "");
    assert_true(s.external);
    assert_false(s.gateway);
}

static void resolvers_are_those_that_are_addresses(void **state)
{
    struct network_state s =
        read_of(*state, "", "",
                "# nameserver 9.9.9.9\nsearch example.com\nnameserver 192.0.2.1\n"
                "nameserver\nnameserver no-address\n  nameserver\t2001:db8::1 # x\n");
    assert_int_equal(s.resolvers_n, 2);
    assert_ip(&s.resolvers[0], "192.0.2.1");
    assert_ip(&s.resolvers[1], "2001:db8::1");
    BUF_AUTO many = {0};
    for (int i = 0; i < 2 * NETWORK_RESOLVERS_MAX; i++)
        assert_ok(buf_append_str(&many, "nameserver 192.0.2.1\n"));
    s = read_of(*state, "", "", buf_text(&many));
    assert_int_equal(s.resolvers_n, NETWORK_RESOLVERS_MAX);
}

static void what_is_not_there_or_makes_no_sense_is_nothing(void **state)
{
    static const char *const odd[] = {
        NULL,
        "",
        "\n\n",
        "eth0",
        HEADER "eth0\t00000000\n",
        "a b c d e f g h i j k l m n o p\n",
        "averyverylonginterface 00000000 0101A8C0 0003 0 0 100 00000000\n",
        "eth0 00000000 zz 0003 0 0 zz 00000000\n\x01\x02\xff"};
    for (size_t i = 0; i < sizeof odd / sizeof *odd; i++) {
        struct network_state s = read_of(*state, odd[i], odd[i], odd[i]);
        assert_true(strlen(s.interface) < sizeof s.interface);
        assert_int_equal(s.resolvers_n, 0);
    }
}

static void this_machine_has_a_loopback_and_is_read_at_most_every_few_seconds(void **state)
{
    (void)state;
    struct loop *loop;
    assert_ok(loop_new(&loop));
    struct network_watch w = {.loop = loop};
    const struct network_state *s = network_now(&w);
    assert_true(w.known);
    assert_true(s->loopback);
    w.state.loopback = false;
    assert_false(network_now(&w)->loopback); // not read again
    w.read_ms -= NETWORK_AGE_MS;
    assert_true(network_now(&w)->loopback);
    loop_free(&loop);
}

static void names_of_the_states(void **state)
{
    (void)state;
    struct network_state s = {.loopback = true};
    assert_string_equal(network_status_name(&s), "disconnected");
    s.interfaces = true;
    assert_string_equal(network_status_name(&s), "limited");
    s.external = true;
    assert_string_equal(network_status_name(&s), "connected");
}

#define IN_FOLDER(t) cmocka_unit_test_setup_teardown(t, folder_make, folder_remove)
int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_FOLDER(the_default_route_of_the_lowest_metric_counts),
        IN_FOLDER(a_route_that_is_down_or_for_a_part_is_no_way_out),
        IN_FOLDER(a_default_route_without_a_gateway_goes_out),
        IN_FOLDER(ipv6_alone_goes_out_but_not_over_the_loopback),
        IN_FOLDER(resolvers_are_those_that_are_addresses),
        IN_FOLDER(what_is_not_there_or_makes_no_sense_is_nothing),
        cmocka_unit_test(this_machine_has_a_loopback_and_is_read_at_most_every_few_seconds),
        cmocka_unit_test(names_of_the_states),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
