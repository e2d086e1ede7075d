// Bridges that can be had together: each port once, no server on port 0, not too many.
#include "protocol_vectors.h"

static const struct bridge good[] = {
    {.tag = BRIDGE_SERVER, .server = {.port = 3000}},
    {.tag = BRIDGE_CLIENT, .client = {.port = 443}},
    {.tag = BRIDGE_SERVER, .server = {.port = 65535}},
    {.tag = BRIDGE_CLIENT, .client = {.port = 0}},
};
static const struct bridge repeated[] = {
    {.tag = BRIDGE_SERVER, .server = {.port = 443}},
    {.tag = BRIDGE_SERVER, .server = {.port = 1}},
    {.tag = BRIDGE_CLIENT, .client = {.port = 443}},
};
static const struct bridge zero[] = {{.tag = BRIDGE_SERVER, .server = {.port = 0}}};

static enum q_err check(const struct bridge *bridges, size_t n, struct protocol_error *why)
{
    struct bridge copy[8];
    struct pivot_config c = {0};
    memcpy(copy, bridges, n * sizeof *bridges);
    c.bridges.items = copy;
    c.bridges.n = n;
    return pivot_check_bridges(&c, why);
}

static void different_ports_are_accepted(void **state)
{
    (void)state;
    struct protocol_error why = {0};
    for (size_t n = 0; n <= sizeof good / sizeof *good; n++)
        assert_ok(check(good, n, &why));
}

static void a_repeated_port_is_refused_whoever_has_it(void **state)
{
    (void)state;
    struct protocol_error why = {0};
    assert_ok(check(repeated, 2, &why));
    assert_refused(check(repeated, 3, &why), Q_REFUSED, "each port once, got 443 twice");
    assert_int_equal(why.tag, PE_INVALID_MSG);
}

static void a_server_on_port_0_is_refused(void **state)
{
    (void)state;
    struct protocol_error why = {0};
    assert_refused(check(zero, 1, &why), Q_REFUSED, "server port from 1 to 65535, got 0");
    assert_int_equal(why.tag, PE_INVALID_MSG);
}

#define TO(text) .port = 443, .host = {(const uint8_t *)(text), sizeof(text) - 1}

static void clients_may_share_a_port_for_different_hosts(void **state)
{
    (void)state;
    struct protocol_error why = {0};
    const struct bridge clients[] = {{.tag = BRIDGE_CLIENT, .client = {TO("a.test")}},
                                     {.tag = BRIDGE_CLIENT, .client = {TO("b.test")}},
                                     {.tag = BRIDGE_CLIENT, .client = {.port = 443}},
                                     {.tag = BRIDGE_CLIENT, .client = {TO("a.test")}}};
    assert_ok(check(clients, 3, &why));
    assert_refused(check(clients, 4, &why), Q_REFUSED, "443 twice");
    const struct bridge server[] = {clients[0], {.tag = BRIDGE_SERVER, .server = {TO("b.test")}}};
    assert_refused(check(server, 2, &why), Q_REFUSED, "443 twice");
}

static void more_than_can_be_served_are_refused(void **state)
{
    (void)state;
    struct protocol_error why = {0};
    struct bridge many[PIVOT_BRIDGES_MAX + 1] = {0};
    for (size_t i = 0; i < PIVOT_BRIDGES_MAX + 1; i++)
        many[i] = (struct bridge){.tag = BRIDGE_SERVER, .server.port = (uint16_t)(i + 1)};
    struct pivot_config c = {.bridges = {many, PIVOT_BRIDGES_MAX}};
    assert_ok(pivot_check_bridges(&c, &why));
    c.bridges.n++;
    assert_refused(pivot_check_bridges(&c, &why), Q_REFUSED, "at most 256 entries, got 257");
    assert_int_equal(why.tag, PE_INVALID_MSG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(different_ports_are_accepted),
        cmocka_unit_test(a_repeated_port_is_refused_whoever_has_it),
        cmocka_unit_test(a_server_on_port_0_is_refused),
        cmocka_unit_test(clients_may_share_a_port_for_different_hosts),
        cmocka_unit_test(more_than_can_be_served_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
