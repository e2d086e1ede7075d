// The root of test machines: this program is linked with the other definition, as
// qos_core_unsafe_test_root is, and says so. Released programs have none of it.
#include "../cmocka_setup.h"

#include "base/file.h"
#include "tee/nitro.h"

#include <stdlib.h>
#include <unistd.h>

static void a_test_programs_root_is_a_file_and_counts_as_simulated(void **state)
{
    (void)state;
    BUF_AUTO root = {0};
    bool simulated = false;
    if (access(NITRO_UNSAFE_ROOT, F_OK) == 0)
        skip(); // somebody else's
    assert_refused(nitro_root(&root, &simulated), Q_IO, NITRO_UNSAFE_ROOT);
    assert_true(simulated);
}

static void the_released_enclave_does_not_know_that_file(void **state)
{
    (void)state;
    const char *program = getenv("QOS_CORE");
    assert_non_null(program);
    BUF_AUTO binary = {0};
    assert_ok(file_read(program, (size_t)64 << 20, &binary));
    static const char name[] = "unsafe-test-root";
    assert_null(memmem(binary.p, binary.n, name, sizeof name - 1));
    static const char known[] = "/dev/nsm"; // so the search does find what is there
    assert_non_null(memmem(binary.p, binary.n, known, sizeof known - 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_test_programs_root_is_a_file_and_counts_as_simulated),
        cmocka_unit_test(the_released_enclave_does_not_know_that_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
