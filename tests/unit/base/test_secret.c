// Locked memory and what secret_init switches off.
#include "../cmocka_setup.h"

#include "base/secret.h"

#include <sys/prctl.h>
#include <sys/resource.h>

static void a_program_with_secrets_leaves_no_core(void **state)
{
    (void)state;
    struct rlimit core;
    assert_int_equal(getrlimit(RLIMIT_CORE, &core), 0);
    assert_int_equal(core.rlim_cur, 0);
    assert_int_equal(core.rlim_max, 0);
    assert_int_equal(prctl(PR_GET_DUMPABLE), 0);
}

static void a_secret_starts_zeroed_and_is_released_by_scope(void **state)
{
    (void)state;
    SECRET_AUTO s = {0};
    assert_ok(secret_new(&s, 32));
    assert_true(bytes_is_zero(secret_bytes(&s)));
    SECRET_AUTO copy = {0};
    assert_ok(secret_copy(&copy, BYTES_LIT("abc")));
    assert_true(secret_equal(secret_bytes(&copy), BYTES_LIT("abc")));
    assert_false(secret_equal(secret_bytes(&copy), BYTES_LIT("abd")));
    assert_false(secret_equal(secret_bytes(&copy), BYTES_LIT("ab")));
    secret_free(&copy);
    assert_null(copy.p);
    secret_free(&copy);
    assert_refused(secret_new(&copy, 0), Q_INTERNAL, "0 bytes");
}

static int start(void **state)
{
    (void)state;
    return secret_init(true) == Q_OK ? 0 : -1;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_program_with_secrets_leaves_no_core),
        cmocka_unit_test(a_secret_starts_zeroed_and_is_released_by_scope),
    };
    return cmocka_run_group_tests(tests, start, NULL);
}
