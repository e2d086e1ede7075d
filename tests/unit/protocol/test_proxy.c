// The proxy's messages against vectors of an independent model: read, written again, and what is not one.
#include "protocol_vectors.h"

#include "protocol/proxy.h"

static void the_description_is_sound(void **state)
{
    (void)state;
    assert_ok(type_check(&type_proxy_message));
}

static void assert_error(const struct net_error *e, const json_t *row)
{
    assert_int_equal(e->tag, vector_number(row, "error"));
    assert_string_equal(net_error_name((enum net_error_kind)e->tag), vector_text(row, "name"));
    if (json_object_get(row, "text") != NULL)
        assert_bytes(e->text, text_field(row, "text"));
    if (json_object_get(row, "first") != NULL) {
        assert_int_equal(e->overflow.first, vector_number(row, "first"));
        assert_int_equal(e->overflow.second, vector_number(row, "second"));
    }
    if (json_object_get(row, "number") != NULL)
        assert_int_equal(e->connections_max, vector_number(row, "number"));
}

static void assert_by_name(const struct proxy_by_name *m, const json_t *row)
{
    const json_t *resolvers = vector_field(row, "resolvers");
    assert_bytes(m->hostname, text_field(row, "host"));
    assert_int_equal(m->port, vector_number(row, "port"));
    assert_int_equal(m->dns_port, vector_number(row, "dns_port"));
    assert_int_equal(m->dns_resolvers.n, json_array_size(resolvers));
    for (size_t i = 0; i < m->dns_resolvers.n; i++)
        assert_bytes(m->dns_resolvers.items[i],
                     bytes_str(json_string_value(json_array_get(resolvers, i))));
}

static void assert_says(const struct proxy_message *m, const json_t *row)
{
    assert_int_equal(m->tag, vector_number(row, "kind"));
    switch ((enum proxy_kind)m->tag) {
    case PROXY_ERROR:
        assert_error(&m->error, row);
        break;
    case PROXY_STATUS_REQUEST:
        break;
    case PROXY_STATUS_RESPONSE:
        assert_int_equal(m->status, vector_number(row, "number"));
        break;
    case PROXY_CONNECT_BY_NAME_REQUEST:
        assert_by_name(&m->by_name, row);
        break;
    case PROXY_CONNECT_BY_IP_REQUEST:
        assert_bytes(m->by_ip.ip, text_field(row, "host"));
        assert_int_equal(m->by_ip.port, vector_number(row, "port"));
        break;
    case PROXY_CONNECT_RESPONSE:
        assert_bytes(m->connected.remote_ip, text_field(row, "host"));
        break;
    }
}

static void every_message_is_read_and_written_as_the_model_says(void **state)
{
    (void)state;
    VECTOR_FILE_AUTO f;
    vector_file_own(&f, "protocol/proxy.json");
    size_t i;
    const json_t *row;
    unsigned kinds = 0;
    json_array_foreach(vector_field(f.root, "good"), i, row)
    {
        struct proxy_message m;
        BUF_AUTO again = {0};
        struct bytes borsh = vector_hex(&f, row, "borsh");
        assert_ok(borsh_decode(&type_proxy_message, borsh, &f.arena, &m));
        assert_says(&m, row);
        assert_ok(borsh_encode(&type_proxy_message, &m, &again));
        assert_bytes(buf_bytes(&again), borsh);
        kinds |= 1u << m.tag;
    }
    assert_int_equal(kinds, (1u << type_proxy_message.count) - 1);
}

static void what_is_not_a_message_is_refused(void **state)
{
    (void)state;
    VECTOR_FILE_AUTO f;
    vector_file_own(&f, "protocol/proxy.json");
    size_t i;
    const json_t *row;
    json_array_foreach(vector_field(f.root, "bad"), i, row)
    {
        struct proxy_message m;
        if (borsh_decode(&type_proxy_message, vector_hex(&f, row, "borsh"), &f.arena, &m) == Q_OK)
            fail_msg("%s was read", vector_text(row, "name"));
    }
    assert_true(i > 0);
}

static void every_truncation_of_a_message_is_refused(void **state)
{
    (void)state;
    VECTOR_FILE_AUTO f;
    vector_file_own(&f, "protocol/proxy.json");
    size_t i;
    const json_t *row;
    json_array_foreach(vector_field(f.root, "good"), i, row)
    {
        struct bytes borsh = vector_hex(&f, row, "borsh");
        for (size_t n = 0; n < borsh.n; n++) {
            struct proxy_message m;
            assert_int_not_equal(
                borsh_decode(&type_proxy_message, bytes_of(borsh.p, n), &f.arena, &m), Q_OK);
        }
    }
}

static void unknown_errors_have_a_name_too(void **state)
{
    (void)state;
    assert_string_equal(net_error_name((enum net_error_kind)8), "unknown error");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_description_is_sound),
        cmocka_unit_test(every_message_is_read_and_written_as_the_model_says),
        cmocka_unit_test(what_is_not_a_message_is_refused),
        cmocka_unit_test(every_truncation_of_a_message_is_refused),
        cmocka_unit_test(unknown_errors_have_a_name_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
