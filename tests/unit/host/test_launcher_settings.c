// The environment and options of qos_enclave, and what it makes of nitro-cli's answers (host/launcher_settings.h,
// host/nitro_cli.h).
#include "../cmocka_setup.h"

#include "host/launcher_settings.h"
#include "host/nitro_cli.h"

#include <string.h>

static const char *variable, *value;

static char *one_variable(const char *name)
{
    return variable != NULL && strcmp(name, variable) == 0 ? (char *)(uintptr_t)value : NULL;
}

static enum q_err read_with(const char *name, const char *text, struct launcher_settings *out)
{
    variable = name;
    value = text;
    return launcher_settings_read(0, NULL, one_variable, out);
}

static void the_defaults_are_the_originals(void **state)
{
    struct launcher_settings s;
    (void)state;
    assert_int_equal(read_with(NULL, NULL, &s), Q_OK);
    assert_string_equal(s.eif_path, "/aws-x86_64.eif");
    assert_string_equal(s.name, "nitro");
    assert_string_equal(s.run_folder, "/run/nitro_enclaves");
    assert_int_equal(s.cid, 16);
    assert_int_equal(s.memory_mib, 1024);
    assert_int_equal(s.cpu_count, 2);
    assert_false(s.debug || s.logs);
    assert_int_equal(s.health.ip, 0);
    assert_int_equal(s.health.port, 8080);
    assert_int_equal(s.machine, MACHINE_NITRO);
    assert_int_equal(s.log_level, LOG_INFO);
}

static void numbers_are_taken_to_their_bounds(void **state)
{
    struct launcher_settings s;
    (void)state;
    assert_int_equal(read_with("ENCLAVE_CID", "4", &s), Q_OK);
    assert_int_equal(read_with("ENCLAVE_CID", "4294967294", &s), Q_OK);
    assert_int_equal(s.cid, 4294967294u);
    assert_int_equal(read_with("ENCLAVE_CID", "3", &s), Q_BAD_INPUT);
    assert_int_equal(read_with("ENCLAVE_CID", "4294967295", &s), Q_BAD_INPUT);
    assert_int_equal(read_with("ENCLAVE_CID", "4294967312", &s), Q_BAD_INPUT); // 16, one turn later
    assert_int_equal(read_with("MEMORY_MIB", "16777216", &s), Q_OK);
    assert_int_equal(read_with("MEMORY_MIB", "16777217", &s), Q_BAD_INPUT);
    assert_int_equal(read_with("CPU_COUNT", "4096", &s), Q_OK);
    assert_int_equal(read_with("CPU_COUNT", "0", &s), Q_BAD_INPUT);
}

static void only_true_and_false_are_words_of_debug(void **state)
{
    static const char *const refused[] = {"", "1", "True", "yes", " true", "true\n", "falsey"};
    struct launcher_settings s;
    (void)state;
    assert_int_equal(read_with("DEBUG", "true", &s), Q_OK);
    assert_true(s.debug);
    assert_int_equal(read_with("DEBUG", "false", &s), Q_OK);
    assert_false(s.debug);
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        assert_int_equal(read_with("DEBUG", refused[i], &s), Q_BAD_INPUT);
        assert_non_null(strstr(err_text(), "DEBUG: expected true or false, found"));
    }
}

static void what_would_be_an_option_of_nitro_cli_is_refused(void **state)
{
    struct launcher_settings s;
    (void)state;
    assert_int_equal(read_with("ENCLAVE_NAME", "--debug-mode", &s), Q_BAD_INPUT);
    assert_int_equal(read_with("EIF_PATH", "-x", &s), Q_BAD_INPUT);
}

static void an_id_becomes_a_word_only_when_it_looks_like_one(void **state)
{
    static const char *const refused[] = {"",
                                          "{",
                                          "{}",
                                          "[]",
                                          "null",
                                          "{\"EnclaveID\":\"\"}",
                                          "{\"EnclaveID\":\"--all\"}",
                                          "{\"EnclaveID\":\"a b\"}",
                                          "{\"EnclaveID\":\"a\\u0000b\"}",
                                          "{\"EnclaveID\":7}",
                                          "text {\"EnclaveID\":\"i-1-enc2\"}",
                                          "{\"EnclaveID\":\"i-1\"} more"};
    char id[ENCLAVE_ID_SIZE];
    (void)state;
    assert_int_equal(
        nitro_read_started(BYTES_LIT("Started [1, 3]\n{\n \"EnclaveID\": \"i-1-enc2\"\n}\n"), id),
        Q_OK);
    assert_string_equal(id, "i-1-enc2");
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++)
        assert_int_not_equal(nitro_read_started(bytes_str(refused[i]), id), Q_OK);
}

static void an_id_that_is_too_long_is_refused(void **state)
{
    char id[ENCLAVE_ID_SIZE];
    (void)state;
    for (size_t n = ENCLAVE_ID_SIZE - 1; n <= ENCLAVE_ID_SIZE; n++) {
        BUF_AUTO text = {0};
        assert_int_equal(buf_append_str(&text, "{\"EnclaveID\":\""), Q_OK);
        for (size_t i = 0; i < n; i++)
            assert_int_equal(buf_u8(&text, 'a'), Q_OK);
        assert_int_equal(buf_append_str(&text, "\"}"), Q_OK);
        assert_int_equal(nitro_read_started(buf_bytes(&text), id) == Q_OK, n < ENCLAVE_ID_SIZE);
    }
}

static void only_this_enclave_in_the_state_running_runs(void **state)
{
    bool running;
    (void)state;
    assert_int_equal(
        nitro_read_running(BYTES_LIT("[{\"EnclaveID\":\"b\",\"State\":\"TERMINATING\"},"
                                     "{\"EnclaveID\":\"a\",\"State\":\"RUNNING\"}]"),
                           "a", &running),
        Q_OK);
    assert_true(running);
    assert_int_equal(nitro_read_running(BYTES_LIT("[{\"EnclaveID\":\"a\",\"State\":\"RUNNING\"}]"),
                                        "b", &running),
                     Q_OK);
    assert_false(running);
    assert_int_equal(nitro_read_running(BYTES_LIT("{}"), "a", &running), Q_BAD_INPUT);
    assert_false(running);
}

static void an_error_keeps_its_text_and_gets_a_remedy(void **state)
{
    BUF_AUTO known = {0};
    BUF_AUTO unknown = {0};
    BUF_AUTO silent = {0};
    (void)state;
    assert_int_equal(nitro_error_text(BYTES_LIT("[ E26 ] Insufficient\nmore\n"), &known), Q_OK);
    assert_non_null(strstr(buf_text(&known), "[ E26 ] Insufficient more (raise MEMORY_MIB"));
    assert_int_equal(nitro_error_text(BYTES_LIT("[ E99 ] x"), &unknown), Q_OK);
    assert_string_equal(buf_text(&unknown), "[ E99 ] x");
    assert_int_equal(nitro_error_text(BYTES_LIT(" \n"), &silent), Q_OK);
    assert_string_equal(buf_text(&silent), "it gave no reason");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_defaults_are_the_originals),
        cmocka_unit_test(numbers_are_taken_to_their_bounds),
        cmocka_unit_test(only_true_and_false_are_words_of_debug),
        cmocka_unit_test(what_would_be_an_option_of_nitro_cli_is_refused),
        cmocka_unit_test(an_id_becomes_a_word_only_when_it_looks_like_one),
        cmocka_unit_test(an_id_that_is_too_long_is_refused),
        cmocka_unit_test(only_this_enclave_in_the_state_running_runs),
        cmocka_unit_test(an_error_keeps_its_text_and_gets_a_remedy),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
