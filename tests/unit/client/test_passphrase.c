// Passphrases that come from a file (client/passphrase.h).
#include "../folder.h"

#include "client/passphrase.h"

static const struct option table[] = {{.name = "passphrase-path", .kind = OPTION_VALUE}};

static struct options from(const char *path)
{
    struct options o;
    char name[] = "--passphrase-path", value[512];
    (void)snprintf(value, sizeof value, "%s", path);
    char *words[] = {name, value};
    assert_ok(options_parse(table, 1, 2, words, &o));
    o.value[0] = path;
    return o;
}

static void one_line_with_or_without_its_end_is_a_passphrase(void **state)
{
    (void)state;
    static const char *const good[] = {" two words ", " two words \n", " two words \r\n"};
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        SECRET_AUTO out = {0};
        assert_ok(passphrase_line(bytes_str(good[i]), "p", &out));
        assert_bytes(secret_bytes(&out), BYTES_LIT(" two words "));
    }
}

static void empty_lines_and_second_lines_are_none(void **state)
{
    (void)state;
    static const char *const bad[] = {"\n", "\r\n", "a\n\n", "a\nb", "a\n ", "\na"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        SECRET_AUTO out = {0};
        assert_int_equal(passphrase_line(bytes_str(bad[i]), "p", &out), Q_BAD_INPUT);
        assert_null(out.p);
    }
}

static void a_new_passphrase_that_is_short_is_refused_and_an_old_one_is_not(void **state)
{
    struct folder *f = *state;
    SECRET_AUTO old = {0}, new = {0}, long_enough = {0};
    folder_file(f, "p", "elevenchars\n");
    const struct options o = from(folder_path(f, "p"));
    assert_ok(passphrase_ask(&o, "me.secret", &old));
    assert_refused(passphrase_choose(&o, "me.secret", &new), Q_REFUSED, "at least 12 bytes");
    assert_null(strstr(err_text(), "eleven"));
    folder_file(f, "p", "twelve chars");
    assert_ok(passphrase_choose(&o, "me.secret", &long_enough));
    assert_bytes(secret_bytes(&long_enough), BYTES_LIT("twelve chars"));
}

static void a_file_that_is_too_large_or_missing_is_named(void **state)
{
    struct folder *f = *state;
    char large[PASSPHRASE_MAX + 2];
    SECRET_AUTO out = {0};
    memset(large, 'x', sizeof large - 1);
    large[sizeof large - 1] = '\0';
    folder_file(f, "large", large);
    const struct options too_large = from(folder_path(f, "large"));
    assert_refused(passphrase_ask(&too_large, "me.secret", &out), Q_LIMIT, "large");
    const struct options missing = from(folder_path(f, "none"));
    assert_refused(passphrase_ask(&missing, "me.secret", &out), Q_IO, "none");
}

#define WITH_FOLDER(test) cmocka_unit_test_setup_teardown(test, folder_make, folder_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_line_with_or_without_its_end_is_a_passphrase),
        cmocka_unit_test(empty_lines_and_second_lines_are_none),
        WITH_FOLDER(a_new_passphrase_that_is_short_is_refused_and_an_old_one_is_not),
        WITH_FOLDER(a_file_that_is_too_large_or_missing_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
