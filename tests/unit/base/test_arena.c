// The arena: alignment, zeroed memory, budget.
#include "../cmocka_setup.h"

#include "base/arena.h"

static void memory_is_zeroed_and_aligned(void **state)
{
    (void)state;
    ARENA_AUTO a = {0};
    for (size_t n = 0; n < 100; n++) {
        void *p;
        assert_ok(arena_alloc(&a, n, &p));
        assert_int_equal((uintptr_t)p % _Alignof(max_align_t), 0);
        assert_true(bytes_is_zero(bytes_of(p, n)));
        memset(p, 0xff, n);
    }
}

static void the_budget_is_a_wall(void **state)
{
    (void)state;
    ARENA_AUTO a = {.budget = 100000};
    void *p;
    assert_ok(arena_alloc(&a, 90000, &p));
    assert_refused(arena_alloc(&a, 20000, &p), Q_NOMEM, "budget of 100000");
    assert_refused(arena_alloc(&a, SIZE_MAX, &p), Q_NOMEM, "budget");
    assert_refused(arena_array(&a, SIZE_MAX / 2, 4, &p), Q_NOMEM, "do not fit");
    assert_ok(arena_alloc(&a, 1000, &p));
    arena_free(&a);
    assert_int_equal(a.used, 0);
    assert_ok(arena_alloc(&a, 90000, &p));
}

static void small_and_large_pieces_do_not_overlap(void **state)
{
    (void)state;
    ARENA_AUTO a = {0};
    struct bytes kept[64];
    uint8_t fill[40000];
    for (size_t i = 0; i < 64; i++) {
        memset(fill, (int)i, sizeof fill);
        size_t n = i % 3 == 0 ? sizeof fill : i * 7 + 1;
        assert_ok(arena_copy(&a, bytes_of(fill, n), &kept[i]));
    }
    for (size_t i = 0; i < 64; i++) {
        for (size_t j = 0; j < kept[i].n; j++)
            assert_int_equal(kept[i].p[j], i);
    }
}

static void text_is_formatted_with_a_terminator(void **state)
{
    (void)state;
    ARENA_AUTO a = {0};
    struct bytes t;
    assert_ok(arena_printf(&a, &t, "%s/%u", "dir", 3u));
    assert_string_equal((const char *)t.p, "dir/3");
    assert_int_equal(t.n, 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(memory_is_zeroed_and_aligned),
        cmocka_unit_test(the_budget_is_a_wall),
        cmocka_unit_test(small_and_large_pieces_do_not_overlap),
        cmocka_unit_test(text_is_formatted_with_a_terminator),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
