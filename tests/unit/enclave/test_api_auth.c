// Who may use the REST API (renclave 9, finding 13): signed requests, each once, for this enclave and nothing else;
// tokens on the simulated TEE; and what goes without either.
#include "api_client.h"
#include "instance.h"

#include "enclave/instance/api_credentials.h"
#include "tee/provider.h"

#include <unistd.h>

enum { CLIENT, ADMIN, STRANGER, SHORT, KEYS };

struct scene {
    struct ceremony c;
    struct p256_pair *keys[KEYS];
    struct api_request request; // of an application route
};

static struct scene scene;

static struct bytes joined(struct bytes a, struct bytes b)
{
    struct bytes out;
    assert_ok(arena_printf(&scene.c.arena, &out, "%.*s\n\r\n %.*s\r\n", (int)a.n, (const char *)a.p,
                           (int)b.n, (const char *)b.p));
    return out;
}

static int setup(void **state)
{
    struct ceremony *c = &scene.c;
    ceremony_open(c);
    for (int i = 0; i < SHORT; i++)
        assert_ok(p256_pair_generate(&scene.keys[i]));
    assert_ok(p256_pair_generate_suite(P256_SUITE_RENCLAVE, &scene.keys[SHORT]));
    c->policy.keys.client_keys = api_key_file(
        c, "clients",
        joined(api_key_text(c, scene.keys[CLIENT]), api_key_text(c, scene.keys[SHORT])));
    c->policy.keys.admin_keys = api_key_file(c, "admins", api_key_text(c, scene.keys[ADMIN]));
    ceremony_reopen(c);
    scene.request =
        (struct api_request){.method = BYTES_LIT("POST"),
                             .path = BYTES_LIT("/enclave/encrypt-data"),
                             .query = BYTES_LIT("a=b"),
                             .authorization = BYTES_LIT(""),
                             .request_id = BYTES_LIT("id"),
                             .body = BYTES_LIT("{\"data\":[1],\"recipient_public\":[]}")};
    *state = c;
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    for (int i = 0; i < KEYS; i++)
        p256_pair_free(&scene.keys[i]);
    ceremony_close(&scene.c);
    scene = (struct scene){0};
    return 0;
}

// Passed by: what stands behind it has no key yet.
#define assert_let_in(reply) assert_status(reply, 503)

static void on_hardware(struct ceremony *c)
{
    c->tee->simulated = false;
}

static void without_keys(struct ceremony *c)
{
    c->policy.keys = (struct api_auth_files){0};
    ceremony_reopen(c);
}

static void finding_13_only_configured_keys_are_let_in(void **state)
{
    struct ceremony *c = *state;
    struct api_reply r = api_send(c, &scene.request);
    assert_status(r, 401);
    r = api_send_signed(c, scene.request, scene.keys[STRANGER], 1);
    assert_status(r, 401);
    r = api_send_signed(c, scene.request, scene.keys[CLIENT], 1);
    assert_let_in(r);
    r = api_send_signed(c, scene.request, scene.keys[SHORT], 1);
    assert_let_in(r);
    r = api_send_signed(c, scene.request, scene.keys[ADMIN], 1); // another role
    assert_status(r, 403);
}

static void finding_13_administration_needs_the_admin_key(void **state)
{
    struct ceremony *c = *state;
    static const char *const paths[] = {
        "/enclave/genesis-boot",     "/enclave/inject-shares",  "/enclave/export-key",
        "/enclave/inject-key",       "/enclave/share-manifest", "/enclave/reset",
        "/enclave/boot-key-forward",
    };
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        struct api_request r = scene.request;
        r.path = bytes_str(paths[i]);
        struct api_reply reply = api_send(c, &r);
        assert_status(reply, 401);
        reply = api_send_signed(c, r, scene.keys[CLIENT], 10 + i);
        assert_status(reply, 403);
        r.body = BYTES_LIT("no JSON");
        reply = api_send_signed(c, r, scene.keys[ADMIN], 10 + i);
        assert_status(reply, bytes_is(r.path, "/enclave/reset") ? 200 : 400);
    }
}

static void whoever_asks_only_what_it_is_needs_no_key(void **state)
{
    struct ceremony *c = *state;
    static const char *const paths[] = {"/enclave/info", "/enclave/application-status"};
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        struct api_reply r = api_ask(c, "GET", paths[i], "");
        assert_status(r, 200);
    }
}

static void every_changed_bit_of_the_header_is_refused(void **state)
{
    struct ceremony *c = *state;
    struct api_request r = scene.request;
    struct bytes reply_key = p256_public_bytes(p256_pair_public(scene.keys[STRANGER]));
    struct bytes good = api_sign(c, &r, scene.keys[CLIENT], 7, reply_key);
    uint8_t *text = (uint8_t *)(uintptr_t)good.p; // the arena's
    r.authorization = good;
    for (size_t i = 0; i < good.n * 8; i++) {
        struct api_credentials read;
        text[i / 8] ^= (uint8_t)(1 << i % 8);
        if (i % 8 == 7) // no text that a message can carry
            assert_int_equal(api_credentials_read(good, &read), Q_BAD_INPUT);
        else
            assert_status(api_send(c, &r), 401);
        text[i / 8] ^= (uint8_t)(1 << i % 8);
    }
    struct api_reply reply = api_send(c, &r); // none of them used the nonce up
    assert_let_in(reply);
}

static void every_changed_bit_of_the_request_is_refused(void **state)
{
    struct ceremony *c = *state;
    struct api_request r = scene.request;
    r.authorization = api_sign(c, &r, scene.keys[CLIENT], 7, BYTES_NONE);
    struct bytes *const parts[] = {&r.query, &r.body};
    for (size_t p = 0; p < 2; p++) {
        struct bytes good = *parts[p], changed;
        for (size_t i = 0; i < good.n * 8; i++) {
            assert_ok(arena_copy(&c->arena, good, &changed));
            ((uint8_t *)(uintptr_t)changed.p)[i / 8] ^= (uint8_t)(1 << i % (p == 0 ? 7 : 8));
            *parts[p] = changed;
            struct api_reply reply = api_send(c, &r);
            assert_status(reply, 401);
        }
        *parts[p] = good;
    }
    struct api_request other = r;
    other.path = BYTES_LIT("/enclave/decrypt-data");
    struct api_reply reply = api_send(c, &other);
    assert_status(reply, 401);
    other = r;
    other.method = BYTES_LIT("GET"); // of a path that has both
    other.path = BYTES_LIT("/enclave/get-data");
    reply = api_send(c, &other);
    assert_status(reply, 401);
    reply = api_send(c, &r);
    assert_let_in(reply);
}

static void a_request_counts_once_and_for_one_enclave(void **state)
{
    struct ceremony *c = *state;
    struct api_request r = scene.request;
    r.authorization = api_sign(c, &r, scene.keys[CLIENT], 5000, BYTES_NONE);
    struct api_reply reply = api_send(c, &r);
    assert_let_in(reply);
    reply = api_send(c, &r);
    assert_status(reply, 401);
    assert_true(api_says(&reply, "nonce"));
    reply = api_send_signed(c, scene.request, scene.keys[CLIENT], 904);
    assert_let_in(reply);
    reply = api_send_signed(c, scene.request, scene.keys[CLIENT], 903);
    assert_status(reply, 401);
    reply = api_send_signed(c, scene.request, scene.keys[SHORT], 903); // each key has its own
    assert_let_in(reply);
    ceremony_reopen(c); // another life, another id
    reply = api_send(c, &r);
    assert_status(reply, 401);
    assert_true(api_says(&reply, "signature"));
}

// What is signed names no key: whoever sees a request could name the other form of the same.
static void a_key_in_two_forms_is_one_key(void **state)
{
    struct ceremony *c = *state;
    struct bytes own = api_key_text(c, scene.keys[CLIENT]);
    struct bytes half = bytes_of(own.p + (size_t)2 * P256_POINT_SIZE, (size_t)2 * P256_POINT_SIZE);
    c->policy.keys.client_keys = api_key_file(c, "both", joined(own, half));
    ceremony_reopen(c);
    struct api_request r = scene.request;
    struct bytes header = api_sign(c, &r, scene.keys[CLIENT], 7, BYTES_NONE);
    size_t before = strlen("Quorate key=");
    r.authorization = header;
    struct api_reply reply = api_send(c, &r);
    assert_let_in(reply);
    struct bytes rest = bytes_of(header.p + before + own.n, header.n - before - own.n);
    assert_ok(arena_printf(&c->arena, &r.authorization, "Quorate key=%.*s%.*s", (int)half.n,
                           (const char *)half.p, (int)rest.n, (const char *)rest.p));
    reply = api_send(c, &r);
    assert_status(reply, 401);
    assert_true(api_says(&reply, "nonce"));
}

// That it holds is shown from outside: tests/e2e/test_instance_auth.py.
static void finding_13_an_answer_to_a_signed_request_is_signed_for_it_alone(void **state)
{
    struct ceremony *c = *state;
    struct api_reply before = api_send_signed(c, scene.request, scene.keys[CLIENT], 1);
    assert_let_in(before);
    assert_false(api_says(&before, "answer_signature")); // by what?
    instance_ready(c, SUITE_QOS_P256);
    for (int round = 0; round < 2; round++) {
        struct api_request r = scene.request;
        if (round == 1)
            r.body = BYTES_LIT("no JSON"); // a refusal too
        struct api_reply reply = api_send_signed(c, r, scene.keys[CLIENT], 2 + (uint64_t)round);
        assert_status(reply, round == 0 ? 200 : 400);
        assert_true(api_says(&reply, ",\"answer_signature\":\""));
    }
    struct api_reply nobody = api_ask(c, "GET", "/enclave/info", "");
    assert_false(api_says(&nobody, "answer_signature"));
    nobody = api_send_signed(c, scene.request, scene.keys[STRANGER], 1);
    assert_false(api_says(&nobody, "answer_signature"));
    c->enclave->birth = BIRTH_KEY_DROPPED; // QuorumOS's keys sign nothing of this API
    nobody = api_send_signed(c, scene.request, scene.keys[CLIENT], 9);
    assert_false(api_says(&nobody, "answer_signature"));
}

static void headers_of_another_form_are_refused(void **state)
{
    struct ceremony *c = *state;
    struct api_request r = scene.request;
    struct bytes good = api_sign(c, &r, scene.keys[CLIENT], 1, BYTES_NONE);
    const char *text = (const char *)good.p;
    int n = (int)good.n;
    static const char *const forms[] = {
        " %.*s",
        "%.*s ",
        "%.*s,",
        "%.*s, x=1",
        "q%.*s",
        "%.*s00",
        "Quorate %.*s",
        "Bearer %.*s",
        "Basic %.*s",
        "%.*s\n",
        "Quorate",
        "Quorate ",
        "Bearer ",
        "Bearer",
        "Quorate key=",
        "Quorate key=04, nonce=1, signature=00",
        "Quorate nonce=1, key=04, signature=00",
        "\"%.*s\"",
    };
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
        assert_ok(arena_printf(&c->arena, &r.authorization, forms[i], n, text));
#pragma GCC diagnostic pop
        struct api_reply reply = api_send(c, &r);
        if (reply.status != 401)
            fail_msg("form %zu: status %u", i, reply.status);
    }
    static const char *const nonces[] = {
        "01", "+1", "-1", "", " 1", "1 ", "0x1", "18446744073709551616", "1.0", "1e1"};
    for (size_t i = 0; i < sizeof nonces / sizeof *nonces; i++) {
        struct bytes key = api_key_text(c, scene.keys[CLIENT]);
        assert_ok(arena_printf(&c->arena, &r.authorization,
                               "Quorate key=%.*s, nonce=%s, signature=%.*s", (int)key.n,
                               (const char *)key.p, nonces[i], 128, text + n - 128));
        struct api_reply reply = api_send(c, &r);
        assert_status(reply, 401);
        assert_true(api_says(&reply, "nonce"));
    }
    for (size_t cut = 0; cut < good.n; cut++) {
        struct api_credentials read;
        assert_int_equal(api_credentials_read(bytes_of(good.p, cut), &read), Q_BAD_INPUT);
    }
}

static void the_largest_nonce_is_one(void **state)
{
    struct ceremony *c = *state;
    struct api_reply reply = api_send_signed(c, scene.request, scene.keys[CLIENT], UINT64_MAX);
    assert_let_in(reply);
    reply = api_send_signed(c, scene.request, scene.keys[CLIENT], UINT64_MAX);
    assert_status(reply, 401);
    reply = api_send_signed(c, scene.request, scene.keys[CLIENT], 0);
    assert_status(reply, 401);
}

static void without_a_client_key_hardware_is_closed_and_the_simulation_warns(void **state)
{
    struct ceremony *c = *state;
    without_keys(c);
    struct api_reply reply = api_send(c, &scene.request);
    assert_let_in(reply);
    assert_true(api_says(&reply, "\"warning\":\"no client key is configured"));
    on_hardware(c);
    reply = api_send(c, &scene.request);
    assert_status(reply, 403);
    assert_true(api_says(&reply, "--client-key FILE"));
    assert_true(api_says(&reply, "client-key=<hex>"));
    reply = api_send_signed(c, scene.request, scene.keys[CLIENT], 1); // nobody is known
    assert_status(reply, 401);
    reply = api_ask(c, "GET", "/enclave/info", "");
    assert_status(reply, 200);
}

static void without_an_admin_key_all_is_open_but_reset(void **state)
{
    struct ceremony *c = *state;
    without_keys(c);
    struct api_reply reply = api_ask(c, "POST", "/enclave/genesis-boot", "no JSON");
    assert_status(reply, 400);
    reply = api_ask(c, "POST", "/enclave/reset", "");
    assert_status(reply, 403);
    assert_true(api_says(&reply, "--admin-key FILE"));
}

// An administrator signs what brings the manifest that names him, too.
static void a_signature_where_nobody_is_admin_is_worth_what_none_is(void **state)
{
    struct ceremony *c = *state;
    without_keys(c);
    on_hardware(c);
    struct api_request r = scene.request;
    r.path = BYTES_LIT("/enclave/genesis-boot");
    r.body = BYTES_LIT("no JSON");
    struct api_reply reply = api_send_signed(c, r, scene.keys[ADMIN], 1);
    assert_status(reply, 400);
    r.authorization = api_sign(c, &r, scene.keys[ADMIN], 2, BYTES_NONE);
    r.body = BYTES_LIT("no json");
    reply = api_send(c, &r);
    assert_status(reply, 401);
    r.path = BYTES_LIT("/enclave/reset");
    reply = api_send_signed(c, r, scene.keys[ADMIN], 3);
    assert_status(reply, 403);
    reply = api_send_signed(c, scene.request, scene.keys[ADMIN], 4); // clients are another matter
    assert_status(reply, 401);
}

static void a_bearer_token_opens_the_application_alone(void **state)
{
    struct ceremony *c = *state;
    c->policy.keys = (struct api_auth_files){
        .bearer_token = api_key_file(c, "token", BYTES_LIT("a-token-of-some-length\n"))};
    ceremony_reopen(c);
    struct api_request r = scene.request;
    struct api_reply reply = api_send(c, &r);
    assert_status(reply, 401);
    r.authorization = BYTES_LIT("Bearer a-token-of-some-length");
    reply = api_send(c, &r);
    assert_let_in(reply);
    assert_false(api_says(&reply, "warning"));
    static const char *const wrong[] = {
        "Bearer a-token-of-some-lengtg", "Bearer a-token-of-some-lengthh", "Bearer a",
        "bearer a-token-of-some-length", "Bearer  a-token-of-some-length"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        r.authorization = bytes_str(wrong[i]);
        reply = api_send(c, &r);
        assert_status(reply, 401);
        assert_false(api_says(&reply, "a-token")); // what was given is not repeated
    }
    r.authorization = BYTES_LIT("Bearer a-token-of-some-length");
    r.path = BYTES_LIT("/enclave/reset");
    reply = api_send(c, &r);
    assert_status(reply, 401);
    on_hardware(c);
    r.path = scene.request.path;
    reply = api_send(c, &r);
    assert_status(reply, 401);
}

// One that could never be shown is not taken.
static void tokens_that_cannot_be_sent_are_refused_at_start(void **state)
{
    struct ceremony *c = *state;
    struct api_auth *a = NULL;
    static const char *const bad[] = {"a token of some length", "a-token,of-some-length",
                                      "a-token\"of-some-length", "a-token-of-some-l\xc3\xa4ngth",
                                      "a-token-of\na-few-lines"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        const struct api_auth_files files = {.bearer_token =
                                                 api_key_file(c, "token", bytes_str(bad[i]))};
        assert_refused(api_auth_open(&files, true, &a), Q_BAD_INPUT, "printable ASCII");
        assert_null(a);
    }
}

static void bearer_tokens_are_refused_at_start_on_hardware(void **state)
{
    struct ceremony *c = *state;
    struct api_auth *a = NULL;
    const struct api_auth_files files = {
        .bearer_token = api_key_file(c, "token", BYTES_LIT("a-token-of-some-length"))};
    assert_refused(api_auth_open(&files, false, &a), Q_REFUSED, "expected a simulated TEE");
    assert_ok(api_auth_open(&files, true, &a));
    api_auth_free(&a);
    const struct api_auth_files little = {.bearer_token =
                                              api_key_file(c, "little", BYTES_LIT("short\n"))};
    assert_refused(api_auth_open(&little, true, &a), Q_BAD_INPUT, "16 to 512");
}

static void key_files_that_are_none_are_refused_at_start(void **state)
{
    struct ceremony *c = *state;
    struct api_auth *a = NULL;
    static const struct {
        const char *contents, *says;
    } bad[] = {
        {"", "found none"},
        {"\n \n", "found none"},
        {"0x04\n", "line 1: expected a public key"},
        {"\nzz\n", "line 2: expected a public key"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        const struct api_auth_files files = {
            .admin_keys = api_key_file(c, "bad", bytes_str(bad[i].contents))};
        assert_refused(api_auth_open(&files, true, &a), Q_BAD_INPUT, bad[i].says);
    }
    BUF_AUTO many = {0};
    struct bytes key = api_key_text(c, scene.keys[CLIENT]);
    for (int i = 0; i <= API_ROLE_KEYS_MAX; i++) {
        assert_ok(buf_append(&many, key));
        assert_ok(buf_u8(&many, '\n'));
    }
    const struct api_auth_files files = {.client_keys = api_key_file(c, "many", buf_bytes(&many))};
    assert_refused(api_auth_open(&files, true, &a), Q_LIMIT, "at most 64 keys");
    const struct api_auth_files missing = {.client_keys = "/nothing/here"};
    assert_refused(api_auth_open(&missing, true, &a), Q_IO, "/nothing/here");
}

static struct bytes argument(const char *prefix, int key)
{
    struct bytes out, text = api_key_text(&scene.c, scene.keys[key]);
    assert_ok(
        arena_printf(&scene.c.arena, &out, "%s%.*s", prefix, (int)text.n, (const char *)text.p));
    return out;
}

static void boot_with_arguments(struct ceremony *c, struct bytes *args, size_t n)
{
    c->envelope.manifest.pivot.args.items = args;
    c->envelope.manifest.pivot.args.n = n;
    ceremony_approve(c, 2);
    ceremony_boot(c);
}

static void keys_of_the_manifest_count_beside_those_of_the_start(void **state)
{
    struct ceremony *c = *state;
    struct bytes args[] = {BYTES_LIT("--verbose"), argument("client-key=", STRANGER),
                           argument("admin-key=", STRANGER)};
    struct api_reply reply = api_send_signed(c, scene.request, scene.keys[STRANGER], 1);
    assert_status(reply, 401);
    boot_with_arguments(c, args, 3);
    reply = api_send_signed(c, scene.request, scene.keys[STRANGER], 1);
    assert_let_in(reply);
    reply = api_send_signed(c, scene.request, scene.keys[STRANGER], 1);
    assert_status(reply, 401);
    reply = api_send_signed(c, scene.request, scene.keys[CLIENT], 1);
    assert_let_in(reply);
    struct api_request reset = scene.request;
    reset.path = BYTES_LIT("/enclave/reset");
    reply = api_send_signed(c, reset, scene.keys[STRANGER], 2);
    assert_status(reply, 200);
    reply = api_send_signed(c, scene.request, scene.keys[STRANGER], 3); // gone with the manifest
    assert_status(reply, 401);
}

static void a_malformed_key_of_the_manifest_lets_nobody_in(void **state)
{
    struct ceremony *c = *state;
    without_keys(c);
    struct bytes args[] = {BYTES_LIT("client-key=04"), BYTES_LIT("admin-key=")};
    boot_with_arguments(c, args, 2);
    struct api_reply reply = api_send(c, &scene.request);
    assert_status(reply, 401);
    reply = api_ask(c, "POST", "/enclave/inject-shares", "{}");
    assert_status(reply, 401);
}

static void malformed_keys_of_a_manifest_are_found(void **state)
{
    (void)state;
    struct bytes good[] = {argument("client-key=", CLIENT), argument("admin-key=", SHORT),
                           BYTES_LIT("client-keys"), BYTES_LIT("x=client-key=1")};
    struct pivot_config pivot = {.args = {good, 4}};
    assert_ok(api_auth_check_pivot(&pivot));
    struct bytes bad[] = {BYTES_LIT("client-key="), BYTES_LIT("admin-key=zz"),
                          argument("client-key=0x", CLIENT), argument("client-key= ", CLIENT),
                          argument("admin-key=00", SHORT)};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        good[1] = bad[i];
        assert_refused(api_auth_check_pivot(&pivot), Q_BAD_INPUT, "pivot args: 2: ");
    }
    struct bytes many[API_ROLE_KEYS_MAX + 1];
    for (size_t i = 0; i <= API_ROLE_KEYS_MAX; i++)
        many[i] = argument("client-key=", CLIENT);
    pivot.args.items = many;
    pivot.args.n = API_ROLE_KEYS_MAX + 1;
    assert_refused(api_auth_check_pivot(&pivot), Q_BAD_INPUT, "at most 64");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    if (secret_init(true) != Q_OK)
        return 1;
    const struct CMUnitTest tests[] = {
        TEST(finding_13_only_configured_keys_are_let_in),
        TEST(finding_13_administration_needs_the_admin_key),
        TEST(whoever_asks_only_what_it_is_needs_no_key),
        TEST(every_changed_bit_of_the_header_is_refused),
        TEST(every_changed_bit_of_the_request_is_refused),
        TEST(a_request_counts_once_and_for_one_enclave),
        TEST(a_key_in_two_forms_is_one_key),
        TEST(finding_13_an_answer_to_a_signed_request_is_signed_for_it_alone),
        TEST(headers_of_another_form_are_refused),
        TEST(the_largest_nonce_is_one),
        TEST(without_a_client_key_hardware_is_closed_and_the_simulation_warns),
        TEST(without_an_admin_key_all_is_open_but_reset),
        TEST(a_signature_where_nobody_is_admin_is_worth_what_none_is),
        TEST(a_bearer_token_opens_the_application_alone),
        TEST(tokens_that_cannot_be_sent_are_refused_at_start),
        TEST(bearer_tokens_are_refused_at_start_on_hardware),
        TEST(key_files_that_are_none_are_refused_at_start),
        TEST(keys_of_the_manifest_count_beside_those_of_the_start),
        TEST(a_malformed_key_of_the_manifest_lets_nobody_in),
        TEST(malformed_keys_of_a_manifest_are_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
