// What a simulated genesis holds: for ten minutes of a clock that nobody turns back, and not a moment after a clock
// that cannot be read (renclave 3.1, form A).
#include "../cmocka_setup.h"

#include "custody/genesis_held.h"

#include <string.h>

struct hand {
    int64_t ms;
    bool broken;
};

static enum q_err read_hand(void *context, struct clock_reading *out)
{
    const struct hand *h = context;
    if (h->broken)
        return fail(Q_IO, "clock: broken");
    *out = (struct clock_reading){.ms = h->ms, .source = CLOCK_SOURCE_GIVEN};
    return Q_OK;
}

static void make_shares(struct secret *out)
{
    assert_ok(secret_new(out, 6));
    memcpy(out->p, "abcdef", 6);
}

static void holds_each_members_share_for_ten_minutes(void **state)
{
    (void)state;
    struct hand hand = {.ms = 1000};
    const struct clock clock = {.read = read_hand, .context = &hand};
    SECRET_AUTO shares = {0};
    struct genesis_held *held = NULL;
    make_shares(&shares);
    assert_ok(genesis_held_new(&shares, 3, &clock, &held));
    assert_null(shares.p);
    assert_bytes(genesis_held_share(held, 0), BYTES_LIT("ab"));
    assert_bytes(genesis_held_share(held, 2), BYTES_LIT("ef"));
    assert_null(genesis_held_share(held, 3).p);
    assert_true(genesis_held_lasts(held));
    hand.ms = 1000 + GENESIS_HELD_MS - 1;
    assert_true(genesis_held_lasts(held));
    hand.ms++;
    assert_false(genesis_held_lasts(held));
    genesis_held_free(&held);
    assert_null(held);
    assert_false(genesis_held_lasts(NULL));
    assert_null(genesis_held_share(NULL, 0).p);
}

static void a_clock_that_cannot_be_read_ends_it(void **state)
{
    (void)state;
    struct hand hand = {.ms = 1000};
    const struct clock clock = {.read = read_hand, .context = &hand};
    SECRET_AUTO shares = {0};
    struct genesis_held *held = NULL;
    make_shares(&shares);
    assert_ok(genesis_held_new(&shares, 2, &clock, &held));
    hand.broken = true;
    assert_false(genesis_held_lasts(held));
    genesis_held_free(&held);
    make_shares(&shares);
    assert_refused(genesis_held_new(&shares, 2, &clock, &held), Q_IO, "clock: broken");
    assert_null(held);
    assert_null(shares.p); // taken over all the same
}

static void shares_of_different_sizes_are_a_defect(void **state)
{
    (void)state;
    const struct clock clock = {.read = read_hand, .context = &(struct hand){.ms = 0}};
    struct genesis_held *held = NULL;
    for (size_t n = 0; n <= 4; n += 4) {
        SECRET_AUTO shares = {0};
        make_shares(&shares);
        assert_refused(genesis_held_new(&shares, n, &clock, &held), Q_INTERNAL, "genesis: ");
        assert_null(held);
    }
}

int main(void)
{
    if (secret_init(true) != Q_OK)
        return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(holds_each_members_share_for_ten_minutes),
        cmocka_unit_test(a_clock_that_cannot_be_read_ends_it),
        cmocka_unit_test(shares_of_different_sizes_are_a_defect),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
