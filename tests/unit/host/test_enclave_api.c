// Requests of the REST API to the enclave and its answers (host/enclave_api.h), with an enclave in the same loop.
#include "../cmocka_setup.h"

#include "../failing/failing_calls.h"
#include "../net/loop_until.h"
#include "base/random.h"
#include "codec/json.h"
#include "host/enclave_api.h"

#include <stdlib.h>
#include <unistd.h>

struct scene {
    struct loop *loop;
    struct frame_server *server;
    struct enclave_link *link;
    const char *reply; // whole frame; NULL: the connection is closed
    struct api_request seen;
    struct arena memory; // of seen
    unsigned ends;
    enum q_err result;
    unsigned status;
    char body[64];
    char folder[40], path[64];
};

static size_t most(void *context)
{
    (void)context;
    return (size_t)8 << 20;
}

static enum q_err handle(void *context, struct bytes frame, struct buf *reply)
{
    struct scene *s = context;
    struct message m;
    enum encoding was;
    struct protocol_error why;
    TRY(message_decode(frame, &s->memory, &m, &was, &why));
    if (m.tag == MSG_QUORATE_API_REQUEST)
        s->seen = m.api_request;
    if (s->reply == NULL)
        return fail(Q_CLOSED, "enclave: hangs up");
    return buf_append_str(reply, s->reply);
}

static void answered(void *context, enum q_err result, unsigned status, struct bytes body)
{
    struct scene *s = context;
    s->ends++;
    s->result = result;
    s->status = status;
    (void)snprintf(s->body, sizeof s->body, "%.*s", (int)body.n, (const char *)body.p);
}

static bool has_ended(void *context)
{
    const struct scene *s = context;
    return s->ends > 0;
}

static bool ready(struct scene *s)
{
    (void)snprintf(s->folder, sizeof s->folder, "/tmp/quorate-host-XXXXXX");
    if (mkdtemp(s->folder) == NULL)
        return false;
    (void)snprintf(s->path, sizeof s->path, "%s/s", s->folder);
    const struct address address = {.kind = ADDRESS_UNIX, .path = s->path};
    const struct frame_server_options o = {.address = address,
                                           .connections_max = 4,
                                           .idle_ms = 5000,
                                           .frame_ms = 5000,
                                           .frame_limit = most,
                                           .handle = handle,
                                           .context = s};
    return loop_new(&s->loop) == Q_OK && frame_server_start(s->loop, &o, &s->server) == Q_OK &&
           link_new(s->loop, &address, 2, 5000, &s->link) == Q_OK;
}

static void tidy_up(struct scene *s)
{
    link_free(&s->link);
    frame_server_stop(&s->server);
    loop_free(&s->loop);
    arena_free(&s->memory);
    (void)rmdir(s->folder);
}

static bool ask(struct scene *s, const struct api_question *q)
{
    enclave_api_ask(s->link, NULL, q, answered, s);
    return s->ends > 0 || loop_until(s->loop, has_ended, s);
}

static const struct api_question question = {.method = "POST",
                                             .path = "/enclave/export-key",
                                             .request_id = "6f0d2c3e-8a54-4c0e-9d67-2f1b7f3f9a10",
                                             .query = {(const uint8_t *)"a=%20&\"", 7},
                                             .authorization = {(const uint8_t *)"Quorate x", 9},
                                             .body = {(const uint8_t *)"\0{\xff", 3}};

static void a_request_arrives_whole_and_its_answer_comes_back(void **state)
{
    (void)state;
    struct scene s = {
        .reply = "{\"quorateApiResponse\":{\"body\":\"{\\\"a\\\":1}\",\"status\":\"409\"}}"};
    assert_true(ready(&s));
    assert_true(ask(&s, &question));
    assert_ok(s.result);
    assert_int_equal(s.status, 409);
    assert_string_equal(s.body, "{\"a\":1}");
    assert_bytes(s.seen.method, bytes_str(question.method));
    assert_bytes(s.seen.path, bytes_str(question.path));
    assert_bytes(s.seen.request_id, bytes_str(question.request_id));
    assert_bytes(s.seen.query, question.query);
    assert_bytes(s.seen.authorization, question.authorization);
    assert_bytes(s.seen.body, question.body);
    tidy_up(&s);
}

static void what_is_not_given_is_empty(void **state)
{
    (void)state;
    struct scene s = {.reply = "{\"quorateApiResponse\":{\"body\":\"\",\"status\":\"200\"}}"};
    const struct api_question q = {.method = "GET", .path = "/enclave/info", .request_id = "x"};
    assert_true(ready(&s));
    assert_true(ask(&s, &q));
    assert_ok(s.result);
    assert_int_equal(s.seen.query.n + s.seen.authorization.n + s.seen.body.n, 0);
    tidy_up(&s);
}

static void whatever_is_no_answer_is_an_error(void **state)
{
    (void)state;
    static const char *const replies[] = {
        NULL,
        "",
        "{",
        "\"statusRequest\"",
        "{\"statusResponse\":\"GenesisBooted\"}",
        "{\"protocolErrorResponse\":\"ProtocolMsgDeserialization\"}",
        "{\"quorateApiResponse\":{\"body\":\"\"}}",
        "{\"quorateApiResponse\":{\"body\":\"\",\"status\":\"199\"}}",
        "{\"quorateApiResponse\":{\"body\":\"\",\"status\":\"600\"}}",
        "{\"quorateApiResponse\":{\"body\":[],\"status\":\"200\"}}",
    };
    for (size_t i = 0; i < sizeof replies / sizeof *replies; i++) {
        struct scene s = {.reply = replies[i]};
        assert_true(ready(&s));
        assert_true(ask(&s, &question));
        assert_int_not_equal(s.result, Q_OK);
        assert_int_equal(s.ends, 1);
        assert_int_not_equal(strlen(err_text()), 0);
        tidy_up(&s);
    }
}

static bool whole(void *context)
{
    (void)context;
    struct scene s = {.reply = "{\"quorateApiResponse\":{\"body\":\"x\",\"status\":\"200\"}}"};
    bool good = ready(&s) && ask(&s, &question) && s.result == Q_OK && s.ends == 1;
    tidy_up(&s);
    return good;
}

static void without_memory_it_ends_once_too(void **state)
{
    (void)state;
    assert_true(failing_each(FAILING_MEMORY, whole, NULL) > 10);
    assert_true(whole(NULL));
}

static void request_ids_are_random_uuids(void **state)
{
    (void)state;
    char before[REQUEST_ID_SIZE] = "", id[REQUEST_ID_SIZE];
    for (int n = 0; n < 100; n++) {
        assert_ok(request_id_new(id));
        assert_int_equal(strlen(id), REQUEST_ID_SIZE - 1);
        assert_string_not_equal(id, before);
        for (size_t i = 0; i < REQUEST_ID_SIZE - 1; i++) {
            bool dash = i == 8 || i == 13 || i == 18 || i == 23;
            assert_true(dash ? id[i] == '-' : strchr("0123456789abcdef", id[i]) != NULL);
        }
        assert_int_equal(id[14], '4');
        assert_non_null(strchr("89ab", id[19]));
        memcpy(before, id, sizeof id);
    }
}

static enum q_err no_random(uint8_t *out, size_t n)
{
    (void)out;
    (void)n;
    return fail(Q_IO, "random bytes: none");
}

static void without_randomness_there_is_no_id(void **state)
{
    (void)state;
    char id[REQUEST_ID_SIZE];
    random_set_source(no_random);
    assert_refused(request_id_new(id), Q_IO, "random bytes");
    random_set_source(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request_arrives_whole_and_its_answer_comes_back),
        cmocka_unit_test(what_is_not_given_is_empty),
        cmocka_unit_test(whatever_is_no_answer_is_an_error),
        cmocka_unit_test(without_memory_it_ends_once_too),
        cmocka_unit_test(request_ids_are_random_uuids),
        cmocka_unit_test(without_randomness_there_is_no_id),
    };
    if (json_start() != Q_OK)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
