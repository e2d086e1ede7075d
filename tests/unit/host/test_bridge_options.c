// The command line of qos_bridge: what its options mean and which are refused.
#include "../cmocka_setup.h"

#include "host/bridge_options.h"

#include <string.h>

static char words_text[512];

static enum q_err from(const char *line, struct bridge_options *out)
{
    char *words[24];
    int n = 0;
    (void)snprintf(words_text, sizeof words_text, "%s", line);
    for (char *rest = words_text, *word; (word = strsep(&rest, " ")) != NULL && n < 24;)
        words[n++] = word;
    return bridge_options_parse(n, words, out);
}

static void a_cid_needs_no_port_and_goes_to_the_host_unless_told(void **state)
{
    (void)state;
    struct bridge_options o;
    assert_ok(from("--control-url http://127.0.0.1:3001/qos --cid 16", &o));
    assert_int_equal(o.enclave.kind, ADDRESS_VSOCK);
    assert_int_equal(o.enclave.cid, 16);
    assert_true(o.enclave.to_host);
    assert_int_equal(o.port_override, 0);
    assert_int_equal(o.poll_ms, 5000);
    assert_ok(from("--control-url http://h/qos --cid 4294967295 --vsock-to-host false", &o));
    assert_int_equal(o.enclave.cid, UINT32_MAX);
    assert_false(o.enclave.to_host);
}

static void the_route_is_put_behind_the_url(void **state)
{
    (void)state;
    struct bridge_options o;
    assert_ok(from("--control-url http://127.0.0.1:3001/qos --usock /run/e", &o));
    assert_string_equal(o.url, "http://127.0.0.1:3001/qos/enclave-info");
    assert_string_equal(o.enclave.path, "/run/e");
    assert_ok(from("--control-url https://host/base// --usock /run/e --host-port-override 80", &o));
    assert_string_equal(o.url, "https://host/base/enclave-info");
    assert_int_equal(o.port_override, 80);
}

static void a_url_of_another_kind_or_too_long_is_refused(void **state)
{
    (void)state;
    struct bridge_options o;
    char url[4096], *words[] = {(char[]){"--control-url"}, url, (char[]){"--cid"}, (char[]){"3"}};
    assert_refused(from("--control-url file:///etc/passwd --cid 3", &o), Q_BAD_INPUT,
                   "--control-url: expected http://");
    memset(url, 'x', sizeof url);
    memcpy(url, "http://", 7);
    url[sizeof url - 1] = '\0';
    assert_refused(bridge_options_parse(4, words, &o), Q_LIMIT, "--control-url: too long");
    url[2048 - sizeof "/enclave-info"] = '\0';
    assert_ok(bridge_options_parse(4, words, &o));
    url[2048 - sizeof "/enclave-info"] = 'x';
    url[2048 - sizeof "/enclave-info" + 1] = '\0';
    assert_refused(bridge_options_parse(4, words, &o), Q_LIMIT, "--control-url: too long");
}

static void mixed_missing_and_wrong_options_are_refused(void **state)
{
    (void)state;
    struct bridge_options o;
    assert_refused(from("--usock x", &o), Q_BAD_INPUT,
                   "argument control-url is required but was not found");
    assert_refused(from("--control-url http://h", &o), Q_BAD_INPUT, "Invalid socket opts");
    assert_refused(from("--control-url http://h --cid 3 --usock x", &o), Q_BAD_INPUT,
                   "mutually exclusive");
    assert_refused(from("--control-url http://h --cid 3 --host-port-override 65536", &o),
                   Q_BAD_INPUT, "expected a number from 1 to 65535, found 65536");
    assert_refused(from("--control-url http://h --cid 3 --vsock-to-host 1", &o), Q_BAD_INPUT,
                   "expected true or false, found 1");
    assert_refused(from("--control-url http://h --cid 3 --poll-interval 0", &o), Q_BAD_INPUT,
                   "--poll-interval");
}

static void help_wins_over_what_is_missing(void **state)
{
    (void)state;
    struct bridge_options o;
    BUF_AUTO text = {0};
    assert_ok(from("--usock x --help", &o));
    assert_true(o.help);
    assert_ok(bridge_options_help(&text));
    assert_non_null(strstr(buf_text(&text), "--host-port-override"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_cid_needs_no_port_and_goes_to_the_host_unless_told),
        cmocka_unit_test(the_route_is_put_behind_the_url),
        cmocka_unit_test(a_url_of_another_kind_or_too_long_is_refused),
        cmocka_unit_test(mixed_missing_and_wrong_options_are_refused),
        cmocka_unit_test(help_wins_over_what_is_missing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
