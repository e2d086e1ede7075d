// Each nonce once: the window, its edges, and every order in which nonces can come.
#include "../cmocka_setup.h"

#include "enclave/instance/api_replay.h"

#include <stdlib.h>

static void a_nonce_is_taken_once(void **state)
{
    (void)state;
    struct api_replay r = {0};
    static const uint64_t nonces[] = {0, 1, 5, 3, 4, 2, UINT64_MAX, UINT64_MAX - 1, 4096, 4095};
    for (size_t i = 0; i < 8; i++) {
        assert_true(api_replay_take(&r, nonces[i]));
        assert_false(api_replay_take(&r, nonces[i]));
    }
    for (size_t i = 0; i < sizeof nonces / sizeof *nonces; i++)
        assert_false(api_replay_take(&r, nonces[i])); // used, or far below
}

static void the_window_ends_4096_below_the_highest(void **state)
{
    (void)state;
    struct api_replay r = {0};
    assert_true(api_replay_take(&r, 10000));
    assert_true(api_replay_take(&r, 10000 - 4096));
    assert_false(api_replay_take(&r, 10000 - 4096));
    assert_false(api_replay_take(&r, 10000 - 4097));
    assert_true(api_replay_take(&r, 10001)); // and moves with it
    assert_false(api_replay_take(&r, 10000 - 4096));
    assert_true(api_replay_take(&r, 10001 - 4096));
    assert_false(api_replay_take(&r, 10000));
}

static void a_jump_forgets_nothing_that_is_still_in_the_window(void **state)
{
    (void)state;
    static const uint64_t jumps[] = {1, 63, 64, 65, 4095, 4096, 4097, 8192, 1000000};
    for (size_t i = 0; i < sizeof jumps / sizeof *jumps; i++) {
        struct api_replay r = {0};
        uint64_t first = 50000, second = first + jumps[i];
        assert_true(api_replay_take(&r, first));
        assert_true(api_replay_take(&r, second));
        assert_false(api_replay_take(&r, first));
        assert_false(api_replay_take(&r, second));
        for (uint64_t n = second - 4096; n < second; n++)
            assert_int_equal(api_replay_take(&r, n), n != first);
    }
}

// Against a plain list of everything that was ever taken.
static void random_orders_are_judged_like_by_a_list(void **state)
{
    (void)state;
    enum { RANGE = 20000 };
    static bool used[RANGE];
    struct api_replay r = {0};
    uint64_t highest = 0;
    srandom(7);
    for (int i = 0; i < 60000; i++) {
        uint64_t n = (uint64_t)i / 4 + (uint64_t)random() % 5000;
        bool expected = !used[n] && (n > highest || highest - n <= 4096 || i == 0);
        assert_int_equal(api_replay_take(&r, n), expected);
        used[n] = used[n] || expected;
        highest = n > highest ? n : highest;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_nonce_is_taken_once),
        cmocka_unit_test(the_window_ends_4096_below_the_highest),
        cmocka_unit_test(a_jump_forgets_nothing_that_is_still_in_the_window),
        cmocka_unit_test(random_orders_are_judged_like_by_a_list),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
