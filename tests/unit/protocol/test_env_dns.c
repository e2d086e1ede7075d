// The environment map and the resolvers of a manifest of version 2.
#include "protocol_vectors.h"

typedef LIST_OF(struct env_var) env_list;

static enum q_err read_env(struct arena *a, const char *text, env_list *out)
{
    return json_decode(&type_env, bytes_str(text), a, out);
}

static void env_is_sorted_and_survives_in_every_form(void **state)
{
    (void)state;
    ARENA_AUTO a = {0};
    BUF_AUTO json = {0};
    BUF_AUTO borsh = {0};
    env_list env, again;
    static const char sorted[] = "{\"A\":{\"plain\":{\"value\":\"1\\n\"}},\"_b\":{\"plain\":"
                                 "{\"value\":\"\"}},\"a9\":{\"plain\":{\"value\":\"2\"}}}";
    assert_ok(read_env(&a,
                       "{\"a9\":{\"plain\":{\"value\":\"2\"}},\"_b\":{\"plain\":{\"value\":\"\"}},"
                       "\"A\":{\"plain\":{\"value\":\"1\\n\"}}}",
                       &env));
    assert_int_equal(env.n, 3);
    assert_bytes(env.items[0].name, BYTES_LIT("A"));
    assert_bytes(env.items[2].value, BYTES_LIT("2"));
    assert_ok(json_encode(&type_env, &env, JSON_CANONICAL, &json));
    assert_bytes(buf_bytes(&json), bytes_str(sorted));
    buf_clear(&json);
    assert_ok(borsh_encode(&type_env, &env, &borsh));
    assert_bytes(buf_bytes(&borsh), BYTES_LIT("\3\0\0\0"
                                              "\1\0\0\0A\0\2\0\0\0"
                                              "1\n"
                                              "\2\0\0\0_b\0\0\0\0\0"
                                              "\2\0\0\0a9\0\1\0\0\0"
                                              "2"));
    assert_ok(borsh_decode(&type_env, buf_bytes(&borsh), &a, &again));
    assert_ok(json_encode(&type_env, &again, JSON_PLAIN, &json));
    assert_bytes(buf_bytes(&json), bytes_str(sorted));
}

static void env_in_borsh_is_sorted_when_read_and_refuses_a_name_twice(void **state)
{
    (void)state;
    ARENA_AUTO a = {0};
    env_list env;
    assert_ok(borsh_decode(&type_env, BYTES_LIT("\2\0\0\0\1\0\0\0b\0\0\0\0\0\1\0\0\0a\0\0\0\0\0"),
                           &a, &env));
    assert_bytes(env.items[0].name, BYTES_LIT("a"));
    assert_refused(borsh_decode(&type_env,
                                BYTES_LIT("\2\0\0\0\1\0\0\0a\0\0\0\0\0\1\0\0\0a\0\0\0\0\0"), &a,
                                &env),
                   Q_BAD_INPUT, "env: a: expected each name once");
    assert_int_not_equal(
        borsh_decode(&type_env, BYTES_LIT("\1\0\0\0\1\0\0\0a\1\0\0\0\0"), &a, &env), Q_OK);
    assert_refused(borsh_decode(&type_env, BYTES_LIT("\xff\xff\xff\xff"), &a, &env), Q_LIMIT,
                   "at most 512");
}

static void env_refuses_names_that_are_none(void **state)
{
    (void)state;
    static const char *const wrong[] = {"", "1A", "A-B", "A B", "A=", "Ä", "A.B"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        ARENA_AUTO a = {0};
        env_list env;
        char text[128];
        (void)snprintf(text, sizeof text, "{\"%s\":{\"plain\":{\"value\":\"x\"}}}", wrong[i]);
        assert_refused(read_env(&a, text, &env), Q_BAD_INPUT, "env: expected a name");
    }
}

static void env_refuses_values_of_another_shape(void **state)
{
    (void)state;
    static const char *const wrong[] = {
        "[]",
        "\"A\"",
        "null",
        "{\"A\":\"x\"}",
        "{\"A\":{}}",
        "{\"A\":{\"plain\":\"x\"}}",
        "{\"A\":{\"plain\":{}}}",
        "{\"A\":{\"plain\":{\"value\":1}}}",
        "{\"A\":{\"secret\":{\"value\":\"x\"}}}",
        "{\"A\":{\"plain\":{\"value\":\"x\"},\"more\":1}}",
        "{\"A\":{\"plain\":{\"value\":\"x\"}},\"A\":{\"plain\":{\"value\":\"x\"}}}",
        "{\"A\":{\"plain\":{\"value\":\"a\\u0000b\"}}}",
    };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        ARENA_AUTO a = {0};
        env_list env;
        assert_int_not_equal(read_env(&a, wrong[i], &env), Q_OK);
    }
}

// {"A": value} with a name and a value of these lengths.
static enum q_err read_sizes(size_t name, size_t value)
{
    ARENA_AUTO a = {0};
    BUF_AUTO text = {0};
    env_list env;
    assert_ok(buf_append_str(&text, "{\""));
    for (size_t i = 0; i < name; i++)
        assert_ok(buf_u8(&text, 'N'));
    assert_ok(buf_append_str(&text, "\":{\"plain\":{\"value\":\""));
    for (size_t i = 0; i < value; i++)
        assert_ok(buf_u8(&text, 'v'));
    assert_ok(buf_append_str(&text, "\"}}}"));
    return json_decode(&type_env, buf_bytes(&text), &a, &env);
}

static enum q_err read_count(size_t n)
{
    ARENA_AUTO a = {0};
    BUF_AUTO text = {0};
    env_list env;
    for (size_t i = 0; i < n; i++)
        assert_ok(
            buf_printf(&text, "%s\"N%zu\":{\"plain\":{\"value\":\"\"}}", i == 0 ? "{" : ",", i));
    assert_ok(buf_append_str(&text, "}"));
    return json_decode(&type_env, buf_bytes(&text), &a, &env);
}

static void env_has_limits(void **state)
{
    (void)state;
    assert_ok(read_sizes(ENV_MAX_NAME, ENV_MAX_VALUE));
    assert_refused(read_sizes(ENV_MAX_NAME + 1, 0), Q_BAD_INPUT, "1 to 1024");
    assert_refused(read_sizes(1, ENV_MAX_VALUE + 1), Q_LIMIT, "at most 65536 bytes, got 65537");
    assert_ok(read_count(ENV_MAX_VARS));
    assert_refused(read_count(ENV_MAX_VARS + 1), Q_LIMIT, "at most 512 variables, got 513");
}

static void an_empty_env_is_left_out_of_the_manifest(void **state)
{
    (void)state;
    ARENA_AUTO a = {0};
    BUF_AUTO out = {0};
    VECTOR_FILE_AUTO f;
    struct pivot_config pivot = {0};
    vector_file_own(&f, "protocol/manifests.json");
    json_t *json = stored_json(&f, 2, "manifest");
    json_t *part = json_object_get(json, "pivot");
    assert_ok(json_decode(&type_pivot_config_v2, dumped(&f, part), &a, &pivot));
    assert_int_equal(pivot.env.n, 3);
    json_object_del(part, "env");
    assert_ok(json_decode(&type_pivot_config_v2, dumped(&f, part), &a, &pivot));
    assert_int_equal(pivot.env.n, 0);
    assert_ok(json_encode(&type_pivot_config_v2, &pivot, JSON_CANONICAL, &out));
    assert_null(strstr(buf_text(&out), "env"));
    json_object_set_new(part, "env", json_object());
    assert_ok(json_decode(&type_pivot_config_v2, dumped(&f, part), &a, &pivot));
    assert_int_equal(pivot.env.n, 0);
    json_decref(json);
}

static void resolvers_are_printed_as_rust_prints_them(void **state)
{
    (void)state;
    static const char *const rows[][2] = {
        {"1.1.1.1", "1.1.1.1"},
        {"255.255.255.255", "255.255.255.255"},
        {"0.0.0.0", "0.0.0.0"},
        {"::", "::"},
        {"::1", "::1"},
        {"1::", "1::"},
        {"2606:4700:4700::1111", "2606:4700:4700::1111"},
        {"2606:4700:4700:0:0:0:0:1111", "2606:4700:4700::1111"},
        {"2001:DB8:0:0:1:0:0:1", "2001:db8::1:0:0:1"},
        {"2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"},
        {"1:0:0:2:0:0:0:3", "1:0:0:2::3"},
        {"0:0:1:0:0:0:0:0", "0:0:1::"},
        {"::1.2.3.4", "::102:304"},
        {"::ffff:1.2.3.4", "::ffff:1.2.3.4"},
        {"::ffff:102:304", "::ffff:1.2.3.4"},
        {"::ffff:0:1.2.3.4", "::ffff:0:102:304"},
        {"64:ff9b::8.8.8.8", "64:ff9b::808:808"},
        {"0001:0002:3:4:5:6:7:8", "1:2:3:4:5:6:7:8"},
        {"1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"},
        {"fe80::ABCD", "fe80::abcd"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        ARENA_AUTO a = {0};
        struct dns_config dns;
        char text[128];
        (void)snprintf(text, sizeof text, "{\"resolvers\":[\"%s\"]}", rows[i][0]);
        assert_ok(json_decode(&type_dns_config, bytes_str(text), &a, &dns));
        assert_int_equal(dns.resolvers.n, 1);
        assert_bytes(dns.resolvers.items[0], bytes_str(rows[i][1]));
    }
}

static void what_rust_does_not_read_as_an_address_is_refused(void **state)
{
    (void)state;
    static const char *const wrong[] = {
        "",
        "1.1.1",
        "1.1.1.1.1",
        "01.1.1.1",
        "1.1.1.00",
        "1.1.1.256",
        "1.1.1.1 ",
        " 1.1.1.1",
        "0x1.1.1.1",
        "+1.1.1.1",
        "1.1.1.1:53",
        ":::",
        "1::2::3",
        "12345::",
        "00001::",
        "g::",
        "fe80::1%eth0",
        "fe80::1%1",
        "[::1]",
        "1:2:3:4:5:6:7",
        "1:2:3:4:5:6:7:8:9",
        "1:2:3:4:5:6:7::8",
        ":1:2:3:4:5:6:7",
        "1:2:3:4:5:6:7:",
        "::1.2.3.04",
        "1.2.3.4::",
        "::1.2.3",
        "localhost",
        "::1.2.3.4:5",
        "1.1.1.1\\u0000",
        "\\u0661.1.1.1",
        "0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000",
    };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        ARENA_AUTO a = {0};
        struct dns_config dns;
        char text[128];
        (void)snprintf(text, sizeof text, "{\"resolvers\":[\"%s\"]}", wrong[i]);
        if (json_decode(&type_dns_config, bytes_str(text), &a, &dns) == Q_OK)
            fail_msg("%s was read as an address", wrong[i]);
    }
}

static void shared_env_with_a_bad_name_is_refused(void **state)
{
    (void)state;
    ARENA_AUTO a = {0};
    BUF_AUTO file = {0};
    env_list env;
    shared_bytes("protocol/pivot_env_invalid_name_MUST_FAIL.borsh", &file);
    assert_refused(borsh_decode(&type_env, buf_bytes(&file), &a, &env), Q_BAD_INPUT,
                   "env: expected a name");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(env_is_sorted_and_survives_in_every_form),
        cmocka_unit_test(env_in_borsh_is_sorted_when_read_and_refuses_a_name_twice),
        cmocka_unit_test(env_refuses_names_that_are_none),
        cmocka_unit_test(env_refuses_values_of_another_shape),
        cmocka_unit_test(env_has_limits),
        cmocka_unit_test(an_empty_env_is_left_out_of_the_manifest),
        cmocka_unit_test(resolvers_are_printed_as_rust_prints_them),
        cmocka_unit_test(what_rust_does_not_read_as_an_address_is_refused),
        cmocka_unit_test(shared_env_with_a_bad_name_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
