// The command line of qos_host: what its options mean and which are refused.
#include "../cmocka_setup.h"

#include "base/log.h"
#include "host/host_options.h"

// Words one space apart. The options point into them.
static enum q_err parse(const char *line, struct host_options *o)
{
    static char text[256];
    char *words[32];
    int n = 0;
    (void)snprintf(text, sizeof text, "%s", line);
    for (char *rest = text, *word; (word = strsep(&rest, " ")) != NULL && n < 32;)
        words[n++] = word;
    return host_options_parse(n, words, o);
}

static void defaults_are_the_originals(void **state)
{
    (void)state;
    struct host_options o;
    assert_ok(parse("--host-ip 127.0.0.1 --host-port 3001 --usock /s", &o));
    assert_int_equal(o.http.kind, ADDRESS_TCP);
    assert_int_equal(o.http.ip, 0x7f000001);
    assert_int_equal(o.http.port, 3001);
    assert_int_equal(o.enclave.kind, ADDRESS_UNIX);
    assert_string_equal(o.enclave.path, "/s");
    assert_string_equal(o.base_path, "qos");
    assert_int_equal(o.timeout_ms, 20000);
    assert_int_equal(o.connections, 4);
    assert_null(o.certificate);
    assert_null(o.audit_log);
    assert_true(o.origin.check_names); // on loopback
    assert_null(o.origin.names);
    assert_ok(parse("--host-ip 127.9.9.9 --host-port 1 --usock /s", &o));
    assert_true(o.origin.check_names);
    assert_ok(parse("--host-ip 128.0.0.1 --host-port 1 --usock /s", &o));
    assert_false(o.origin.check_names);
}

static void all_can_be_set(void **state)
{
    (void)state;
    struct host_options o;
    assert_ok(parse("--cid 16 --port 3 --vsock-to-host true --host-ip 0.0.0.0 --host-port 0 "
                    "--endpoint-base-path x --socket-timeout 5 --socket-connections 1 "
                    "--tls-key k --tls-certificate c --audit-log a --host-name n",
                    &o));
    assert_true(o.origin.check_names);
    assert_string_equal(o.origin.names, "n");
    assert_int_equal(o.enclave.kind, ADDRESS_VSOCK);
    assert_int_equal(o.enclave.cid, 16);
    assert_int_equal(o.enclave.port, 3);
    assert_true(o.enclave.to_host);
    assert_string_equal(o.base_path, "x");
    assert_int_equal(o.timeout_ms, 5);
    assert_int_equal(o.connections, 1);
    assert_string_equal(o.certificate, "c");
    assert_string_equal(o.key, "k");
    assert_string_equal(o.audit_log, "a");
}

static void what_does_not_fit_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *line, *text;
    } bad[] = {
        {"--host-port 1 --usock s", "argument host-ip is required but was not found"},
        {"--host-ip ::1 --host-port 1 --usock s", "--host-ip: IP address: expected four numbers"},
        {"--host-ip 1.2.3.4 --host-port 65536 --usock s", "--host-port"},
        {"--host-ip 1.2.3.4 --host-port 1", "Invalid socket opts"},
        {"--host-ip 1.2.3.4 --host-port 1 --cid 3", "argument port is required"},
        {"--host-ip 1.2.3.4 --host-port 1 --cid 3 --port 3 --usock s", "mutually exclusive"},
        {"--host-ip 1.2.3.4 --host-port 1 --usock s --vsock-to-host true", "mutually exclusive"},
        {"--host-ip 1.2.3.4 --host-port 1 --usock s --tls-key k", "tls-certificate is required"},
        {"--host-ip 1.2.3.4 --host-port 1 --usock s --socket-timeout 0", "--socket-timeout"},
        {"--host-ip 1.2.3.4 --host-port 1 --usock s --socket-connections 65", "1 to 64, found 65"},
        {"--host-ip 1.2.3.4 --host-port 1 --usock s --endpoint-base-path /", "base-path"},
    };
    struct host_options o;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_refused(parse(bad[i].line, &o), Q_BAD_INPUT, bad[i].text);
}

#define GOOD "--host-ip 127.0.0.1 --host-port 1 --usock /s"
static void targets_of_network_tests_are_hosts_with_ports(void **state)
{
    (void)state;
    struct host_options o;
    assert_ok(parse(GOOD, &o));
    assert_int_equal(o.test_targets_n, 0);
    assert_ok(
        parse(GOOD " --network-test-target a.example:443 --network-test-target 192.0.2.1:1", &o));
    assert_int_equal(o.test_targets_n, 2);
    assert_string_equal(o.test_targets[1], "192.0.2.1:1");
    static const char *const bad[] = {"a", "a:", ":1", "a:0", "a:65536", "a:b", "127.1:1", "a/b:1"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char line[128];
        (void)snprintf(line, sizeof line, GOOD " --network-test-target %s", bad[i]);
        assert_refused(parse(line, &o), Q_BAD_INPUT, "--network-test-target");
    }
}

static void help_and_version_win_over_all_else(void **state)
{
    (void)state;
    struct host_options o;
    assert_ok(parse("--nonsense --help", &o));
    assert_true(o.help);
    assert_ok(parse("--version", &o));
    assert_true(o.version);
    BUF_AUTO text = {0};
    assert_ok(host_options_help(&text));
    assert_non_null(strstr(buf_text(&text), "--socket-timeout <socket-timeout>"));
}

static void options_of_older_releases_do_nothing(void **state)
{
    (void)state;
    struct host_options o;
    log_start("test", LOG_ERROR);
    assert_ok(
        parse("--host-ip 1.2.3.4 --host-port 1 --usock s --pool-size 3 --client-timeout 1", &o));
    assert_int_equal(o.timeout_ms, 20000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults_are_the_originals),
        cmocka_unit_test(all_can_be_set),
        cmocka_unit_test(what_does_not_fit_is_refused),
        cmocka_unit_test(targets_of_network_tests_are_hosts_with_ports),
        cmocka_unit_test(help_and_version_win_over_all_else),
        cmocka_unit_test(options_of_older_releases_do_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
