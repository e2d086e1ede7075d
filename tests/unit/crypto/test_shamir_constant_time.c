// Shamir sharing takes no branch and no address from a secret: valgrind is told that secret and
// coefficients are undefined, and reports every jump or access that depends on them. Run by
// "valgrind --error-exitcode=1".
#include "../vector_file.h"

#include "base/random.h"
#include "crypto/shamir.h"

#include <valgrind/memcheck.h>

static enum q_err undefined_source(uint8_t *out, size_t n)
{
    memset(out, 0xa5, n);
    (void)VALGRIND_MAKE_MEM_UNDEFINED(out, n);
    return Q_OK;
}

static void only_under_valgrind(void)
{
    if (RUNNING_ON_VALGRIND)
        return;
    print_message("skipped: not run by valgrind\n");
    skip();
}

static void splitting_and_combining_do_not_depend_on_secrets(void **state)
{
    (void)state;
    only_under_valgrind();
    uint8_t secret[32], expected[32];
    struct bytes quorum[3];
    SECRET_AUTO shares = {0};
    SECRET_AUTO rebuilt = {0};
    memset(expected, 0x5a, sizeof expected);
    memcpy(secret, expected, sizeof secret);
    (void)VALGRIND_MAKE_MEM_UNDEFINED(secret, sizeof secret);
    random_set_source(undefined_source);
    enum q_err err = shamir_split(BYTES_OF(secret), 5, 3, &shares);
    random_set_source(NULL);
    assert_ok(err);
    for (size_t i = 0; i < 3; i++)
        quorum[i] = bytes_of(shares.p + (i + 2) * 33, 33);
    assert_ok(shamir_combine(quorum, 3, &rebuilt));
    // The secret must have reached the result still marked, or the test would prove nothing.
    uint8_t undefined_bits = 0;
    assert_int_equal(VALGRIND_GET_VBITS(rebuilt.p, &undefined_bits, 1), 1);
    assert_int_equal(undefined_bits, 0xff);
    (void)VALGRIND_MAKE_MEM_DEFINED(rebuilt.p, rebuilt.n);
    assert_bytes(secret_bytes(&rebuilt), BYTES_OF(expected));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(splitting_and_combining_do_not_depend_on_secrets),
    };
    return cmocka_run_group_tests_name("crypto/shamir_constant_time", tests, NULL, NULL);
}
