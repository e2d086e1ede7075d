// The built-in application when memory runs out, OpenSSL fails or files do: a request is answered or refused, nothing
// leaks, and what was stored before is still there.
#include "instance.h"

#include "../failing/failing_calls.h"

#include "enclave/instance/api_application.h"
#include "base/file.h"
#include "codec/json.h"

#include <sys/stat.h>

#define PHRASE                                                                                     \
    "abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon "     \
    "about"

static struct {
    struct ceremony *c;
    api_handler handle;
    const void *body;
    const char *answer; // that it must have when it succeeds
} scene;

static bool ask(void *context)
{
    (void)context;
    ARENA_AUTO arena = {0};
    BUF_AUTO reply = {.wipe = true};
    const struct api_request request = {.query = BYTES_LIT("key=k")};
    struct api_call call = {
        .request = &request, .body = scene.body, .arena = &arena, .reply = &reply};
    if (scene.handle(scene.c->enclave, &call) != Q_OK)
        return false;
    assert_int_equal(call.status, 200);
    assert_non_null(buf_text(&reply));
    if (strstr((const char *)reply.p, scene.answer) == NULL)
        return false;
    return true;
}

static void ask_while_calls_fail(api_handler handle, const void *body, const char *answer)
{
    scene.handle = handle;
    scene.body = body;
    scene.answer = answer;
    assert_true(failing_each(FAILING_MEMORY, ask, NULL) > 0);
    (void)failing_each(FAILING_CRYPTO, ask,
                       NULL); // judging a phrase needs nothing of it that fails
    assert_true(ask(NULL));
}

static void every_route_is_answered_or_refused(void **state)
{
    scene.c = *state;
    struct bytes phrase = BYTES_LIT(PHRASE);
    static const uint32_t strength = 128;
    const struct api_generate_seed_request generate = {.strength = (uint32_t *)(uintptr_t)&strength,
                                                       .passphrase = BYTES_LIT("p\xc3\xa4ss")};
    const struct api_validate_seed_request validate = {.seed_phrase = phrase};
    const struct api_derive_request derive = {phrase, BYTES_LIT("m/1'"), BYTES_LIT("ed25519")};
    const struct api_encrypt_request encrypt = {BYTES_LIT("x"), BYTES_LIT("")};
    const struct api_sign_message_request message = {.message = BYTES_LIT("x")};
    struct api_signer signer = {phrase, BYTES_LIT("m/1'"), BYTES_LIT("secp256k1")};
    const struct api_sign_transaction_request transaction = {BYTES_LIT("x"), &signer};
    ask_while_calls_fail(api_generate_seed, &generate, "\"word_count\":12");
    ask_while_calls_fail(api_validate_seed, &validate, "\"valid\":true");
    ask_while_calls_fail(api_derive_key, &derive, "\"effective_path\":\"m/1'\"");
    ask_while_calls_fail(api_derive_address, &derive, "\"address\":");
    ask_while_calls_fail(api_encrypt_data, &encrypt, "\"success\":true");
    ask_while_calls_fail(api_sign_message, &message, "\"success\":true");
    ask_while_calls_fail(api_sign_transaction, &transaction, "\"success\":true");
}

static void a_sealed_seed_and_data_are_opened_or_refused(void **state)
{
    scene.c = *state;
    struct ceremony *c = *state;
    SECRET_AUTO seed = {0};
    SECRET_AUTO data = {0};
    assert_ok(custody_use_for(c->enclave->keyring, KEY_QUORUM, USE_SEAL,
                              BYTES_LIT(API_PURPOSE_SEED), BYTES_LIT(PHRASE " word"), &seed));
    assert_ok(custody_use_for(c->enclave->keyring, KEY_QUORUM, USE_SEAL,
                              BYTES_LIT(API_PURPOSE_DATA), BYTES_LIT("\1\2"), &data));
    const struct api_derive_request derive = {bytes_str(as_hex(c, secret_bytes(&seed))),
                                              BYTES_LIT("m"), BYTES_LIT("p256")};
    const struct api_decrypt_request decrypt = {secret_bytes(&data)};
    ask_while_calls_fail(api_derive_address, &derive, "\"address\":");
    ask_while_calls_fail(api_decrypt_data, &decrypt, "\"decrypted_data\":[1,2]");
}

static char state_dir[128];

static void what_was_stored_stays_when_storing_fails(void **state)
{
    struct ceremony *c = scene.c = *state;
    (void)snprintf(state_dir, sizeof state_dir, "%s/state", c->folder);
    assert_int_equal(mkdir(state_dir, 0700), 0);
    c->enclave->policy.state_dir = state_dir;
    const struct api_store_request first = {BYTES_LIT("k"), BYTES_LIT("\1")};
    const struct api_store_request again = {BYTES_LIT("k"), BYTES_LIT("\2")};
    struct file_list files;
    for (int kind = FAILING_MEMORY; kind <= FAILING_FILES; kind++) {
        for (unsigned n = 1;; n++) {
            scene.handle = api_store_data;
            scene.body = &first;
            scene.answer = "true";
            assert_true(ask(NULL));
            scene.body = &again;
            failing_at((enum failing_kind)kind, n);
            bool stored = ask(NULL);
            bool failed = failing_stop();
            scene.handle = api_get_data;
            scene.answer = stored ? "\"data\":[2]" : "\"data\":[1]";
            assert_true(ask(NULL));
            if (!failed)
                break;
        }
    }
    assert_ok(file_list(state_dir, &c->arena, &files));
    assert_int_equal(files.n, 1);
}

// Whatever fails, and however the request is answered. It has a new id, or stands where nothing can be booted.
static void finding_21_a_reset_wipes_the_key_whatever_fails(void **state)
{
    struct ceremony *c = scene.c = *state;
    char id[UUID_TEXT_SIZE + 1];
    (void)snprintf(state_dir, sizeof state_dir, "%s/state", c->folder);
    assert_int_equal(mkdir(state_dir, 0700), 0);
    c->enclave->policy.state_dir = state_dir;
    scene.handle = api_reset;
    scene.body = NULL;
    scene.answer = "true";
    unsigned unrenewed = 0;
    for (int kind = FAILING_MEMORY; kind <= FAILING_FILES; kind++) {
        for (unsigned n = 1;; n++) {
            memcpy(id, c->enclave->id_text, sizeof id);
            failing_at((enum failing_kind)kind, n);
            (void)ask(NULL);
            bool failed = failing_stop();
            assert_null(keyring_describe(c->enclave->keyring, KEY_QUORUM));
            if (strcmp(id, c->enclave->id_text) == 0) {
                assert_int_equal(c->enclave->phase, PHASE_UNRECOVERABLE_ERROR);
                unrenewed++;
            }
            instance_ready(c, SUITE_RENCLAVE_P256);
            if (!failed)
                break;
        }
    }
    assert_true(unrenewed > 0);
}

int main(void)
{
    if (secret_init(true) != Q_OK || json_start() != Q_OK)
        return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(every_route_is_answered_or_refused, instance_setup_renclave,
                                        ceremony_teardown),
        cmocka_unit_test_setup_teardown(a_sealed_seed_and_data_are_opened_or_refused,
                                        instance_setup_qos, ceremony_teardown),
        cmocka_unit_test_setup_teardown(what_was_stored_stays_when_storing_fails,
                                        instance_setup_renclave, ceremony_teardown),
        cmocka_unit_test_setup_teardown(finding_21_a_reset_wipes_the_key_whatever_fails,
                                        instance_setup_renclave, ceremony_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
