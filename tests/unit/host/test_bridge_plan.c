// What qos_bridge takes from an answer to enclave-info: every version of the manifest, every kind of lie.
#include "../cmocka_setup.h"

#include "../failing/failing_calls.h"
#include "codec/json.h"
#include "host/bridge_plan.h"

#include <string.h>

#define SET "{\"threshold\":1,\"members\":[]}"
#define BEFORE                                                                                     \
    "{\"phase\":\"QuorumKeyProvisioned\",\"manifestEnvelope\":{\"manifest\":{%s"                   \
    "\"namespace\":{\"name\":\"n\",\"nonce\":1,\"quorumKey\":\"\"},"                               \
    "\"pivot\":{\"hash\":\"%064d\",\"restart\":\"Never\","
#define AFTER                                                                                      \
    "\"args\":[]},\"manifestSet\":" SET ",\"shareSet\":" SET ",\"enclave\":{\"pcr0\":\"\","        \
    "\"pcr1\":\"\",\"pcr2\":\"\",\"pcr3\":\"\",\"awsRootCertificate\":\"\",\"qosCommit\":\"\"}%s}" \
    ","
#define APPROVALS "\"manifestSetApprovals\":[],\"shareSetApprovals\":[]"
#define APPROVALS_V0 "\"manifest_set_approvals\":[],\"share_set_approvals\":[]"
#define PATCH ",\"patchSet\":" SET

static struct bytes info(int version, const char *bridges, struct buf *out)
{
    buf_clear(out);
    assert_ok(buf_printf(out, BEFORE, version == 2 ? "\"version\":\"v2\"," : "", 0));
    if (version > 0)
        assert_ok(buf_printf(out, "\"bridgeConfig\":[%s],\"debugMode\":false,", bridges));
    assert_ok(buf_printf(out, AFTER, version == 2 ? "" : PATCH));
    assert_ok(buf_append_str(out, version == 0 ? APPROVALS_V0 : APPROVALS));
    assert_ok(buf_append_str(out, "},\"ephemeralKey\":null}"));
    return buf_bytes(out);
}

#define ENTRY(port, host) "{\"type\":\"server\",\"port\":" port ",\"host\":\"" host "\"}"
#define CLIENT "{\"type\":\"client\",\"port\":443}"

static void versions_1_and_2_name_servers_and_version_0_none(void **state)
{
    (void)state;
    BUF_AUTO text = {0};
    for (int version = 0; version <= 2; version++) {
        BRIDGE_PLAN_AUTO p = {0};
        struct bytes body = info(version, ENTRY("3000", "10.1.2.3") "," CLIENT, &text);
        assert_ok(bridge_plan_read(body, 0, &p));
        assert_true(p.booted);
        assert_int_equal(p.notes.n, 0);
        assert_int_equal(p.n, version == 0 ? 0 : 1);
        if (version == 0)
            continue;
        assert_int_equal(p.entries[0].ip, 0x0a010203);
        assert_int_equal(p.entries[0].port, 3000);
        assert_int_equal(p.entries[0].listen_port, 3000);
    }
}

static void an_override_is_listened_on_and_the_port_kept(void **state)
{
    (void)state;
    BUF_AUTO text = {0};
    BRIDGE_PLAN_AUTO p = {0};
    struct bytes body = info(1, ENTRY("1", "0.0.0.0") "," ENTRY("2", "0.0.0.0"), &text);
    assert_ok(bridge_plan_read(body, 80, &p));
    assert_int_equal(p.n, 1);
    assert_int_equal(p.entries[0].port, 1);
    assert_int_equal(p.entries[0].listen_port, 80);
    assert_non_null(strstr(buf_text(&p.notes), "port 2 of the manifest is not served: another"));
}

static void hosts_that_are_no_ipv4_address_are_left_out(void **state)
{
    (void)state;
    static const char *const hosts[] = {"localhost",  "::1",           "",          "1.2.3",
                                        "1.2.3.4 ",   "01.2.3.4",      "256.1.1.1", "1.2.3.4.5",
                                        "0x7f.0.0.1", "1.2.3.4\\u0000"};
    for (size_t i = 0; i < sizeof hosts / sizeof *hosts; i++) {
        BUF_AUTO text = {0};
        BUF_AUTO entry = {0};
        BRIDGE_PLAN_AUTO p = {0};
        assert_ok(buf_printf(&entry, ENTRY("7", "%s"), hosts[i]));
        assert_ok(bridge_plan_read(info(1, buf_text(&entry), &text), 0, &p));
        assert_int_equal(p.n, 0);
        assert_non_null(strstr(buf_text(&p.notes), "port 7 of the manifest is not served"));
    }
}

static void no_manifest_is_a_plan_and_nonsense_is_none(void **state)
{
    (void)state;
    BRIDGE_PLAN_AUTO p = {0};
    assert_ok(bridge_plan_read(BYTES_LIT("{\"manifestEnvelope\":null}"), 0, &p));
    assert_false(p.booted);
    assert_refused(bridge_plan_read(BYTES_LIT("{\"phase\":\"x\"}"), 0, &p), Q_BAD_INPUT,
                   "expected a JSON object with manifestEnvelope");
    assert_refused(bridge_plan_read(BYTES_LIT("<html>"), 0, &p), Q_BAD_INPUT, "enclave-info");
    static uint8_t large[ENCLAVE_INFO_LIMIT + 1];
    assert_refused(bridge_plan_read(BYTES_OF(large), 0, &p), Q_LIMIT, "at most 8388608 bytes");
}

static void plans_are_equal_when_nothing_changed(void **state)
{
    (void)state;
    static const char *const lists[] = {"", ENTRY("1", "1.1.1.1"), ENTRY("1", "1.1.1.2"),
                                        ENTRY("2", "1.1.1.1"),
                                        ENTRY("1", "1.1.1.1") "," ENTRY("0", "1.1.1.1")};
    for (size_t i = 0; i < 25; i++) {
        BUF_AUTO text = {0};
        BRIDGE_PLAN_AUTO a = {0};
        BRIDGE_PLAN_AUTO b = {0};
        assert_ok(bridge_plan_read(info(1, lists[i / 5], &text), 0, &a));
        assert_ok(bridge_plan_read(info(2, lists[i % 5], &text), 0, &b));
        assert_int_equal(bridge_plan_equal(&a, &b), i / 5 == i % 5);
    }
}

static bool read_once(void *context)
{
    const struct bytes *body = context;
    BRIDGE_PLAN_AUTO p = {0};
    return bridge_plan_read(*body, 0, &p) == Q_OK && p.n == 1;
}

static void without_memory_there_is_no_half_a_plan(void **state)
{
    (void)state;
    BUF_AUTO text = {0};
    struct bytes body = info(2, ENTRY("1", "1.1.1.1"), &text);
    assert_true(failing_each(FAILING_MEMORY, read_once, &body) > 3);
}

static int start(void **state)
{
    (void)state;
    return json_start() == Q_OK ? 0 : -1;
}

static bool same_outgoing(const char *a, const char *b)
{
    BUF_AUTO text = {0};
    BRIDGE_PLAN_AUTO p = {0};
    BRIDGE_PLAN_AUTO q = {0};
    assert_ok(bridge_plan_read(info(1, a, &text), 0, &p));
    assert_ok(bridge_plan_read(info(1, b, &text), 0, &q));
    assert_true(bridge_plan_equal(&p, &q) == bridge_plan_same_outgoing(&p, &q));
    return bridge_plan_same_outgoing(&p, &q);
}

#define TO(port, host) "{\"type\":\"client\",\"port\":" port ",\"host\":\"" host "\"}"

static void client_entries_become_the_rules_of_outgoing_connections(void **state)
{
    (void)state;
    BUF_AUTO text = {0};
    BRIDGE_PLAN_AUTO p = {0};
    struct egress_target t;
    assert_ok(
        bridge_plan_read(info(2, ENTRY("1", "0.0.0.0") "," TO("443", "a.test"), &text), 0, &p));
    buf_clear(&text); // the plan has its own copies
    assert_int_equal(p.outgoing.bridges_n, 1);
    assert_ok(egress_target_of(BYTES_LIT("a.test"), 443, &t));
    assert_int_equal(egress_judge(&p.outgoing, &t), EGRESS_ALLOWED);
    assert_ok(egress_target_of(BYTES_LIT("b.test"), 443, &t));
    assert_int_equal(egress_judge(&p.outgoing, &t), EGRESS_REFUSED);
}

static void a_changed_client_entry_is_a_changed_plan(void **state)
{
    (void)state;
    assert_true(same_outgoing(CLIENT, CLIENT));
    assert_true(same_outgoing("", ""));
    assert_false(same_outgoing(CLIENT, ""));
    assert_false(same_outgoing(CLIENT, TO("443", "")));
    assert_false(same_outgoing(TO("443", "a.test"), TO("443", "b.test")));
    assert_false(same_outgoing(TO("443", "a.test"), TO("444", "a.test")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(client_entries_become_the_rules_of_outgoing_connections),
        cmocka_unit_test(a_changed_client_entry_is_a_changed_plan),
        cmocka_unit_test(versions_1_and_2_name_servers_and_version_0_none),
        cmocka_unit_test(an_override_is_listened_on_and_the_port_kept),
        cmocka_unit_test(hosts_that_are_no_ipv4_address_are_left_out),
        cmocka_unit_test(no_manifest_is_a_plan_and_nonsense_is_none),
        cmocka_unit_test(plans_are_equal_when_nothing_changed),
        cmocka_unit_test(without_memory_there_is_no_half_a_plan),
    };
    return cmocka_run_group_tests(tests, start, NULL);
}
