// What answers of the REST API look like (renclave 1.1, 3.6; 9, findings 3, 33, 34, 35): one shape of errors with true
// statuses, nothing of a request in them that may be secret, plaintext sealed to whoever asked.
#include "api_client.h"

#include "codec/json.h"
#include "enclave/instance/api_answer.h"
#include "enclave/handlers.h"
#include "tee/provider.h"

#include <sys/mman.h>
#include <unistd.h>

static void every_failure_has_its_status_and_one_shape(void **state)
{
    struct ceremony *c = *state;
    static const struct {
        const char *method, *path, *body;
        unsigned status;
    } rows[] = {
        {"GET", "/nothing", "", 404},
        {"GET", "", "", 404},
        {"DELETE", "/enclave/info", "", 405},
        {"GET", "/generate-seed", "", 405},
        {"POST", "/generate-seed", "", 400},
        {"POST", "/generate-seed", "{", 400},
        {"POST", "/generate-seed", "{\"strength\":256,\"strength\":256}", 400},
        {"POST", "/generate-seed", "[]", 422},
        {"POST", "/generate-seed", "{\"strength\":\"much\"}", 422},
        {"POST", "/generate-seed", "{\"strength\":-1}", 422},
        {"POST", "/generate-seed", "{\"strength\":256}", 503},
        {"POST", "/enclave/encrypt-data", "{\"data\":[256],\"recipient_public\":[]}", 422},
        {"POST", "/enclave/encrypt-data", "{\"data\":[-1],\"recipient_public\":[]}", 422},
        {"POST", "/enclave/encrypt-data", "{\"data\":\"00\",\"recipient_public\":[]}", 422},
        {"POST", "/enclave/inject-key", "{\"encrypted_quorum_key\":[1],\"signature\":[2]}", 409},
        {"GET", "/enclave/get-data", "", 503},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct api_reply r = api_ask(c, rows[i].method, rows[i].path, rows[i].body);
        struct api_error error;
        assert_status(r, rows[i].status);
        assert_ok(json_decode(&type_api_error, r.body, &c->arena, &error));
        assert_int_equal(error.code, rows[i].status);
        assert_true(error.error.n > 0);
        assert_bytes(error.request_id, BYTES_LIT("asked"));
    }
}

static void not_provisioned_is_said_in_the_originals_words(void **state)
{
    struct ceremony *c = *state;
    struct api_reply r = api_ask(c, "POST", "/generate-seed", "{}");
    assert_status(r, 503);
    assert_true(api_says(&r, "Cannot generate seed: Quorum key not provisioned. Please complete "
                             "Genesis Boot and Share Injection first."));
}

static void finding_35_tee_to_tee_errors_have_true_statuses_and_both_shapes(void **state)
{
    struct ceremony *c = *state;
    static const char *const paths[] = {"/enclave/share-manifest", "/enclave/boot-key-forward",
                                        "/enclave/export-key", "/enclave/inject-key",
                                        "/enclave/generate-attestation"};
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        struct api_reply r = api_ask(c, "POST", paths[i], "[]");
        assert_status(r, 422);
        assert_true(api_says(&r, "\"code\":422,\"request_id\":\"asked\",\"id\":\"asked\","
                                 "\"result\":{\"Error\":{\"message\":\""));
        assert_true(api_says(&r, "\",\"code\":422}}}"));
    }
    struct api_reply r =
        api_ask(c, "POST", "/enclave/share-manifest", "{\"manifest_envelope\":{\"manifest\":1}}");
    assert_status(r, 422);
    assert_true(api_says(&r, "Failed to parse manifest envelope: "));
    r = api_ask(c, "POST", "/enclave/export-key", "{\"attestation_doc\":\"text\"}");
    assert_status(r, 422);
    assert_true(api_says(&r, "Attestation document must be an array of bytes"));
    r = api_ask(c, "POST", "/generate-seed", "[]"); // not one of the five
    assert_false(api_says(&r, "result"));
}

static void a_request_without_an_id_gets_one(void **state)
{
    struct ceremony *c = *state;
    struct api_request request = {.method = BYTES_LIT("GET"),
                                  .path = BYTES_LIT("/nothing"),
                                  .query = BYTES_LIT(""),
                                  .authorization = BYTES_LIT(""),
                                  .request_id = BYTES_LIT(""),
                                  .body = BYTES_LIT("")};
    struct api_error first, second;
    struct api_reply r = api_send(c, &request);
    assert_ok(json_decode(&type_api_error, r.body, &c->arena, &first));
    r = api_send(c, &request);
    assert_ok(json_decode(&type_api_error, r.body, &c->arena, &second));
    assert_int_equal(first.request_id.n, UUID_TEXT_SIZE);
    assert_int_equal(first.request_id.p[14], '4');
    assert_false(bytes_equal(first.request_id, second.request_id));
}

// The log's lines while run() runs.
static void listen_to_log(struct ceremony *c, void (*run)(struct ceremony *c), struct buf *heard)
{
    uint8_t piece[4096];
    ssize_t n;
    int own = dup(STDERR_FILENO), file = memfd_create("log", MFD_CLOEXEC);
    assert_true(own >= 0 && file >= 0 && dup2(file, STDERR_FILENO) >= 0);
    run(c);
    assert_true(dup2(own, STDERR_FILENO) >= 0);
    assert_int_equal(lseek(file, 0, SEEK_SET), 0);
    while ((n = read(file, piece, sizeof piece)) > 0)
        assert_ok(buf_append(heard, bytes_of(piece, (size_t)n)));
    (void)close(file);
    (void)close(own);
}

static void send_secrets(struct ceremony *c)
{
    static const struct {
        const char *path, *body;
    } rows[] = {
        {"/validate-seed", "abandon"},
        {"/validate-seed", "{\"seed_phrase\":\"legal winner abandon"},
        {"/validate-seed", "{\"seed_phrase\":abandon}"},
        {"/validate-seed", "{\"seed_phrase\":{\"abandon\":1}}"},
        {"/validate-seed", "{\"abandon\":1,\"abandon\":1}"},
        {"/generate-seed", "{\"strength\":\"abandon\"}"},
        {"/generate-seed", "{\"strength\":7777777777}"},
        {"/generate-seed", "{\"passphrase\":[\"abandon\"]}"},
        {"/derive-key", "{\"encrypted_seed_phrase\":\"abandon\",\"path\":\"abandon\"}"},
        {"/derive-key", "{\"encrypted_seed_phrase\":\"abandon\",\"path\":1,\"curve\":\"abandon\"}"},
        {"/enclave/inject-shares", "{\"namespace_name\":\"n\",\"namespace_nonce\":\"abandon\"}"},
        {"/enclave/inject-shares", "{\"namespace_name\":\"n\",\"namespace_nonce\":1,\"shares\":"
                                   "[{\"member_alias\":\"a\",\"decrypted_share\":[7777777777]}]}"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct api_reply r = api_ask(c, "POST", rows[i].path, rows[i].body);
        assert_in_range(r.status, 400, 503);
        assert_false(api_says(&r, "abandon"));
        assert_false(api_says(&r, "7777777777"));
    }
}

static void finding_03_errors_and_log_repeat_nothing_of_a_request(void **state)
{
    BUF_AUTO heard = {0};
    listen_to_log(*state, send_secrets, &heard);
    assert_non_null(memmem(heard.p, heard.n, "refused: body: expected JSON", 28));
    assert_null(memmem(heard.p, heard.n, "abandon", 7));
    assert_null(memmem(heard.p, heard.n, "7777777777", 10));
}

static void finding_34_bodies_and_values_beyond_the_limits_are_413(void **state)
{
    struct ceremony *c = *state;
    BUF_AUTO body = {0};
    assert_ok(buf_append_str(&body, "{\"recipient_public\":[],\"data\":["));
    for (size_t i = 0; i < API_MAX_VALUES; i++)
        assert_ok(buf_append_str(&body, "0,"));
    assert_ok(buf_append_str(&body, "0]}"));
    struct api_reply r = api_ask(c, "POST", "/enclave/encrypt-data", buf_text(&body));
    assert_status(r, 413);
    while (body.n <= API_BODY_MAX)
        assert_ok(buf_u8(&body, ' '));
    r = api_ask(c, "POST", "/enclave/encrypt-data", buf_text(&body));
    assert_status(r, 413);
    BUF_AUTO deep = {0};
    for (int i = 0; i < 200; i++)
        assert_ok(buf_u8(&deep, '['));
    r = api_ask(c, "POST", "/enclave/encrypt-data", buf_text(&deep));
    assert_status(r, 413);
}

static void a_full_body_fits_into_a_frame_in_every_phase(void **state)
{
    struct ceremony *c = *state;
    BUF_AUTO body = {0}, frame = {0};
    while (body.n < API_BODY_MAX)
        assert_ok(buf_u8(&body, ' '));
    const struct message m = {
        .tag = MSG_QUORATE_API_REQUEST,
        .api_request = {.method = BYTES_LIT("POST"),
                        .path = BYTES_LIT("/generate-seed"),
                        .query = BYTES_LIT(""),
                        .authorization = BYTES_LIT(""),
                        .request_id = BYTES_LIT(""),
                        .body = buf_bytes(&body)},
    };
    assert_ok(message_encode(&m, ENCODING_JSON, &frame, NULL));
    for (int phase = 0; phase < PHASE_COUNT_ALL; phase++) {
        c->enclave->phase = (enum phase)phase;
        assert_true(frame.n + API_BODY_MAX / 64 <= dispatch_frame_limit(c->enclave));
    }
}

static void finding_33_the_emptiest_requests_are_refused(void **state)
{
    struct ceremony *c = *state;
    static const char *const paths[] = {
        "/generate-seed",         "/validate-seed",        "/derive-key",
        "/derive-address",        "/enclave/genesis-boot", "/enclave/inject-shares",
        "/enclave/encrypt-data",  "/enclave/decrypt-data", "/enclave/sign-transaction",
        "/enclave/sign-message",  "/enclave/store-data",   "/enclave/boot-key-forward",
        "/enclave/export-key",    "/enclave/inject-key",   "/enclave/generate-attestation",
        "/enclave/share-manifest"};
    static const char *const bodies[] = {
        "", "null", "0", "[]", "\"\"", "{}", "{\"shares\":[]}", "\xff", "{\"shares\":null}"};
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++)
        for (size_t j = 0; j < sizeof bodies / sizeof *bodies; j++) {
            struct api_reply r = api_ask(c, "POST", paths[i], bodies[j]);
            assert_in_range(r.status, 400, 503);
            assert_int_not_equal(r.status, 500);
            assert_phase(c, PHASE_WAITING_FOR_BOOT_INSTRUCTION);
        }
}

static struct api_call call_of(struct ceremony *c, struct buf *body, enum api_caller_kind kind)
{
    return (struct api_call){.arena = &c->arena,
                             .reply = body,
                             .caller = {.kind = kind},
                             .request_id = BYTES_LIT("asked")};
}

static struct api_success_reply answer_value;

static void plaintext_is_sealed_to_the_reply_key(void **state)
{
    struct ceremony *c = *state;
    BUF_AUTO body = {0}, inner = {0};
    struct api_call call = call_of(c, &body, API_CALLER_CLIENT);
    struct api_sealed_reply reply;
    SECRET_AUTO opened = {0};
    call.caller.has_reply_key = true;
    call.caller.reply_key = *p256_pair_public(c->pairs[0]);
    assert_ok(api_answer_plaintext(c->enclave, &call, &type_api_success_reply, &answer_value));
    assert_int_equal(call.status, 200);
    assert_null(memmem(body.p, body.n, "plain", 5));
    assert_ok(json_decode(&type_api_sealed_reply, buf_bytes(&body), &c->arena, &reply));
    assert_ok(p256_open(c->pairs[0], reply.sealed, &opened));
    assert_ok(json_encode(&type_api_success_reply, &answer_value, JSON_PLAIN, &inner));
    assert_bytes(secret_bytes(&opened), buf_bytes(&inner));
}

static void plaintext_leaves_no_other_way_but_on_the_simulation(void **state)
{
    struct ceremony *c = *state;
    BUF_AUTO body = {0};
    struct api_call call = call_of(c, &body, API_CALLER_CLIENT);
    assert_refused(api_answer_plaintext(c->enclave, &call, &type_api_success_reply, &answer_value),
                   Q_REFUSED, "expected a reply-key");
    assert_int_equal(call.status, 400);
    static const enum api_caller_kind kinds[] = {API_CALLER_NONE, API_CALLER_BEARER};
    for (size_t i = 0; i < 2; i++) {
        call = call_of(c, &body, kinds[i]);
        c->tee->simulated = true;
        assert_ok(api_answer_plaintext(c->enclave, &call, &type_api_success_reply, &answer_value));
        c->tee->simulated = false;
        buf_clear(&body);
        assert_refused(
            api_answer_plaintext(c->enclave, &call, &type_api_success_reply, &answer_value),
            Q_REFUSED, "expected a signed request");
        assert_int_equal(body.n, 0);
    }
}

static void members_that_are_added_stand_at_the_end_once(void **state)
{
    struct ceremony *c = *state;
    BUF_AUTO body = {0};
    struct api_call call = call_of(c, &body, API_CALLER_NONE);
    assert_ok(api_answer(&call, &type_api_success_reply, &answer_value));
    api_add(&call, "warning", "one");
    api_add(&call, "share_mode", "a \"quoted\" one");
    api_add(&call, "warning", "two");
    assert_ok(api_answer_finish(&call));
    assert_bytes(buf_bytes(&body),
                 BYTES_LIT("{\"success\":true,\"message\":\"plain\",\"warning\":\"two\","
                           "\"share_mode\":\"a \\\"quoted\\\" one\"}"));
    assert_ok(api_answer_result(&call, "ShareManifestResponse", &type_api_store_reply,
                                &(struct api_store_reply){.success = true}));
    assert_bytes(buf_bytes(&body), BYTES_LIT("{\"id\":\"asked\",\"result\":{"
                                             "\"ShareManifestResponse\":{\"success\":true}}}"));
}

static void the_status_tells_what_the_manifest_says(void **state)
{
    struct ceremony *c = *state;
    struct api_status_reply s;
    struct api_reply r = api_ask(c, "GET", "/enclave/application-status", "");
    assert_status(r, 200);
    assert_ok(json_decode(&type_api_status_reply, r.body, &c->arena, &s));
    assert_true(s.success && s.simulated && !s.has_quorum_key && s.data_count == 0);
    assert_bytes(s.phase, BYTES_LIT("WaitingForBootInstruction"));
    assert_bytes(s.metadata.name, BYTES_LIT("renclave-v2"));
    assert_bytes(s.metadata.version, BYTES_LIT("1.0.0"));
    assert_int_equal(s.metadata.last_updated, 0);
    assert_int_equal(s.warnings.n, 3);
    assert_null(s.manifest_hash.p);
    assert_int_equal(s.measurements.pcr0.n, 96);
    ceremony_provision(c);
    r = api_ask(c, "GET", "/enclave/application-status", "");
    assert_ok(json_decode(&type_api_status_reply, r.body, &c->arena, &s));
    assert_true(s.has_quorum_key);
    assert_bytes(s.namespace_name, BYTES_LIT("test/namespace"));
    assert_int_equal(*s.namespace_nonce, 1);
    assert_int_equal(s.threshold, 2);
    assert_int_equal(s.members.n, 3);
    assert_bytes(s.members.items[2], BYTES_LIT("carol"));
    assert_int_equal(s.shares_received.n, 2);
    assert_int_equal(s.manifest_approved_by.n, 2);
    assert_int_equal(s.manifest_hash.n, 64);
    assert_true(s.metadata.last_updated > 1600000000);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, ceremony_setup, ceremony_teardown)

int main(void)
{
    if (secret_init(true) != Q_OK)
        return 1;
    answer_value = (struct api_success_reply){.success = true, .message = BYTES_LIT("plain")};
    const struct CMUnitTest tests[] = {
        TEST(every_failure_has_its_status_and_one_shape),
        TEST(not_provisioned_is_said_in_the_originals_words),
        TEST(finding_35_tee_to_tee_errors_have_true_statuses_and_both_shapes),
        TEST(a_request_without_an_id_gets_one),
        TEST(finding_03_errors_and_log_repeat_nothing_of_a_request),
        TEST(finding_34_bodies_and_values_beyond_the_limits_are_413),
        TEST(a_full_body_fits_into_a_frame_in_every_phase),
        TEST(finding_33_the_emptiest_requests_are_refused),
        TEST(plaintext_is_sealed_to_the_reply_key),
        TEST(plaintext_leaves_no_other_way_but_on_the_simulation),
        TEST(members_that_are_added_stand_at_the_end_once),
        TEST(the_status_tells_what_the_manifest_says),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
