// POST /enclave/reset (renclave 9, finding 21): for whoever holds an admin key alone, and nothing of the key stays in
// any room.
#include "api_client.h"

#include "base/file.h"
#include "enclave/instance/instance_state.h"
#include "tee/provider.h"

#include <sys/stat.h>
#include <unistd.h>

static struct p256_pair *admin;
static struct api_request reset;

static int setup(void **state)
{
    assert_int_equal(ceremony_setup(state), 0);
    struct ceremony *c = *state;
    assert_ok(p256_pair_generate(&admin));
    c->policy.keys.admin_keys = api_key_file(c, "admins", api_key_text(c, admin));
    ceremony_reopen(c);
    reset = (struct api_request){.method = BYTES_LIT("POST"),
                                 .path = BYTES_LIT("/enclave/reset"),
                                 .query = BYTES_LIT(""),
                                 .authorization = BYTES_LIT(""),
                                 .request_id = BYTES_LIT(""),
                                 .body = BYTES_LIT("ignored")};
    return 0;
}

static int teardown(void **state)
{
    p256_pair_free(&admin);
    return ceremony_teardown(state);
}

static void assert_wiped(struct ceremony *c)
{
    for (uint32_t id = 0; id < KEYRING_SIZE; id++)
        assert_null(keyring_describe(c->enclave->keyring, id));
    assert_null(c->enclave->booted);
    assert_null(c->enclave->reshare);
    assert_int_equal(c->enclave->shares.n, 0);
    assert_int_equal(c->enclave->birth, BIRTH_KEY_DROPPED);
    for (int which = 0; which < PUBLISHED_COUNT; which++)
        assert_false(ceremony_file_exists(c, (enum published_file)which));
}

static void finding_21_nothing_of_the_key_is_left(void **state)
{
    struct ceremony *c = *state;
    char before[UUID_TEXT_SIZE + 1];
    ceremony_provision(c);
    memcpy(before, c->enclave->id_text, sizeof before);
    struct api_reply r = api_send_signed(c, reset, admin, 1);
    assert_status(r, 200);
    assert_bytes(r.body,
                 BYTES_LIT("{\"success\":true,\"message\":\"Enclave state reset successfully\"}"));
    assert_phase(c, PHASE_WAITING_FOR_BOOT_INSTRUCTION);
    assert_wiped(c);
    assert_string_not_equal(before, c->enclave->id_text);
    r = api_ask(c, "GET", "/enclave/application-status", "");
    assert_true(api_says(&r, "\"has_quorum_key\":false"));
    assert_true(api_says(&r, "\"last_updated\":0,\"operation_count\":0"));
    ceremony_provision(c); // the machine is as new: its registers take commitments again
    assert_phase(c, PHASE_QUORUM_KEY_PROVISIONED);
}

static void finding_21_only_an_admin_resets(void **state)
{
    struct ceremony *c = *state;
    ceremony_provision(c);
    BUF_AUTO before = {0}, after = {0};
    ceremony_snapshot(c, &before);
    assert_status(api_send(c, &reset), 401);
    assert_status(api_send_signed(c, reset, c->pairs[0], 1), 401);
    struct api_request token = reset;
    token.authorization = BYTES_LIT("Bearer a-token-of-some-length");
    assert_status(api_send(c, &token), 401);
    ceremony_snapshot(c, &after);
    assert_bytes(buf_bytes(&after), buf_bytes(&before));
    assert_phase(c, PHASE_QUORUM_KEY_PROVISIONED);
    c->policy.keys.admin_keys = NULL;
    ceremony_reopen(c);
    assert_status(api_send(c, &reset), 403);
}

static void a_reset_request_is_no_good_for_the_next_life(void **state)
{
    struct ceremony *c = *state;
    struct api_request r = reset;
    r.authorization = api_sign(c, &r, admin, 1, BYTES_NONE);
    assert_status(api_send(c, &r), 200);
    assert_status(api_send(c, &r), 401);
    assert_status(api_send_signed(c, reset, admin, 1), 200); // its nonces begin anew
}

static void every_phase_is_reset_to_the_first(void **state)
{
    struct ceremony *c = *state;
    for (int phase = 0; phase < PHASE_COUNT_ALL; phase++) {
        c->enclave->phase = (enum phase)phase;
        assert_status(api_send_signed(c, reset, admin, 1), 200);
        assert_phase(c, PHASE_WAITING_FOR_BOOT_INSTRUCTION);
        assert_wiped(c);
    }
}

static void on_hardware_everything_is_wiped_and_the_machine_must_start_anew(void **state)
{
    struct ceremony *c = *state;
    ceremony_provision(c);
    const struct tee_ops *own = c->tee->ops;
    struct tee_ops ops = *own;
    ops.restart = NULL;
    c->tee->ops = &ops;
    c->tee->simulated = false;
    struct api_reply r = api_send_signed(c, reset, admin, 1);
    assert_status(r, 200);
    assert_true(
        api_says(&r, "\"warning\":\"everything is wiped, but this machine must be started"));
    assert_phase(c, PHASE_UNRECOVERABLE_ERROR);
    assert_wiped(c);
    assert_status(api_ask(c, "GET", "/enclave/info", ""), 200);
    assert_status(api_ask(c, "POST", "/enclave/genesis-boot", "{}"), 401);
    c->tee->ops = own;
}

// A folder of a file's name: what unlink() refuses, whoever asks.
static void put_in_the_way(struct ceremony *c, const char *name)
{
    const char *path;
    assert_ok(file_join(&c->arena, c->policy.state_dir, name, &path));
    assert_int_equal(mkdir(path, 0700), 0);
}

static void take_away(struct ceremony *c, const char *name)
{
    const char *path;
    assert_ok(file_join(&c->arena, c->policy.state_dir, name, &path));
    assert_int_equal(rmdir(path), 0);
}

#define DATA_NAME(digit) "data-" digit "0000000000000000000000000000000"

static void finding_21_files_that_cannot_be_removed_keep_no_key(void **state)
{
    static const char *const in_the_way[] = {DATA_NAME("1"), INSTANCE_STATE_NAME};
    struct ceremony *c = *state;
    const char *other;
    assert_ok(file_join(&c->arena, c->folder, "state", &c->policy.state_dir));
    ceremony_reopen(c);
    assert_ok(file_join(&c->arena, c->policy.state_dir, DATA_NAME("2"), &other));
    for (size_t i = 0; i < 2; i++) {
        ceremony_provision(c);
        put_in_the_way(c, in_the_way[i]);
        assert_ok(file_write(other, BYTES_LIT("x"), 0600, FILE_NEW));
        struct api_reply r = api_send_signed(c, reset, admin, 1);
        assert_status(r, 500);
        assert_true(api_says(&r, "the memory is wiped, but not the state folder"));
        assert_phase(c, PHASE_UNRECOVERABLE_ERROR);
        assert_wiped(c);
        assert_false(file_exists(other));
        assert_status(api_send_signed(c, reset, admin, 1), 500);
        take_away(c, in_the_way[i]);
        assert_status(api_send_signed(c, reset, admin, 1), 200);
        assert_phase(c, PHASE_WAITING_FOR_BOOT_INSTRUCTION);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    if (secret_init(true) != Q_OK)
        return 1;
    const struct CMUnitTest tests[] = {
        TEST(finding_21_nothing_of_the_key_is_left),
        TEST(finding_21_only_an_admin_resets),
        TEST(a_reset_request_is_no_good_for_the_next_life),
        TEST(every_phase_is_reset_to_the_first),
        TEST(on_hardware_everything_is_wiped_and_the_machine_must_start_anew),
        TEST(finding_21_files_that_cannot_be_removed_keep_no_key),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
