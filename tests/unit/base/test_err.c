// The error record: sentence, context, operating system text, detail.
#include "../cmocka_setup.h"

#include <errno.h>

static void the_sentence_is_kept(void **state)
{
    (void)state;
    assert_int_equal(fail(Q_REFUSED, "share set: %s", "too small"), Q_REFUSED);
    assert_string_equal(err_text(), "share set: too small");
    assert_int_equal(err_detail(), -1);
}

static void context_is_put_in_front_and_keeps_the_detail(void **state)
{
    (void)state;
    enum q_err err = fail_detail(Q_CRYPTO, 11, "FailedSignatureVerification");
    assert_int_equal(err_context(err, "member %s", "a"), Q_CRYPTO);
    assert_string_equal(err_text(), "member a: FailedSignatureVerification");
    assert_int_equal(err_detail(), 11);
    assert_int_equal(err_context(Q_OK, "unused"), Q_OK);
    assert_string_equal(err_text(), "member a: FailedSignatureVerification");
}

static void the_operating_system_is_quoted(void **state)
{
    (void)state;
    assert_int_equal(fail_os(ENOENT, "x.pub"), Q_IO);
    assert_string_equal(err_text(), "x.pub: No such file or directory");
}

static void control_characters_are_not_repeated(void **state)
{
    (void)state;
    (void)fail(Q_BAD_INPUT, "alias: %s", "a\nb\x1b[2J");
    assert_string_equal(err_text(), "alias: a?b?[2J");
}

static void characters_that_steer_a_terminal_or_hide_are_not_repeated(void **state)
{
    (void)state;
    (void)fail(Q_BAD_INPUT, "%s: bad",
               "x\xe2\x80\xaegnp\xc2\x9b"
               "2J\xff\xc3\xb6.pub");
    assert_string_equal(err_text(), "x???gnp??2J?\xc3\xb6.pub: bad");
}

static void a_long_sentence_is_cut(void **state)
{
    (void)state;
    char longer[2 * Q_ERR_TEXT_SIZE];
    memset(longer, 'x', sizeof longer);
    longer[sizeof longer - 1] = '\0';
    (void)fail(Q_BAD_INPUT, "%s", longer);
    assert_int_equal(strlen(err_text()), Q_ERR_TEXT_SIZE - 1);
    (void)err_context(Q_BAD_INPUT, "file");
    assert_int_equal(strlen(err_text()), Q_ERR_TEXT_SIZE - 1);
    assert_memory_equal(err_text(), "file: xxx", 9);
}

static enum q_err passes_up(enum q_err err)
{
    TRY(err);
    return fail(Q_INTERNAL, "went on");
}

static void try_returns_the_failure(void **state)
{
    (void)state;
    assert_int_equal(passes_up(fail(Q_TEE, "x")), Q_TEE);
    assert_int_equal(passes_up(Q_OK), Q_INTERNAL);
    err_clear();
    assert_string_equal(err_text(), "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_sentence_is_kept),
        cmocka_unit_test(context_is_put_in_front_and_keeps_the_detail),
        cmocka_unit_test(the_operating_system_is_quoted),
        cmocka_unit_test(control_characters_are_not_repeated),
        cmocka_unit_test(characters_that_steer_a_terminal_or_hide_are_not_repeated),
        cmocka_unit_test(a_long_sentence_is_cut),
        cmocka_unit_test(try_returns_the_failure),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
