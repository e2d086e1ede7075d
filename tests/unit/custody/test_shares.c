// The rules over posted shares, one by one.
#include "../cmocka_setup.h"

#include "custody/shares.h"

#define MEMBERS 4

static struct member people[MEMBERS];
static struct member_set set;
static struct share_list now;

static int set_up(void **state)
{
    (void)state;
    static const char *const names[MEMBERS] = {"alice", "bob", "carol", "dave"};
    for (size_t i = 0; i < MEMBERS; i++)
        people[i] = (struct member){.alias = bytes_str(names[i]), .pub_key = bytes_str(names[i])};
    set = (struct member_set){.threshold = 3};
    set.members.items = people;
    set.members.n = MEMBERS;
    now = (struct share_list){.n = 0};
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    shares_release(&now);
    return 0;
}

static struct held_share *share_of(size_t member, uint8_t x, bool bound, uint8_t fill)
{
    static const uint8_t signature[P256_SIGNATURE_SIZE];
    struct secret plaintext;
    struct held_share *held = NULL;
    assert_ok(secret_new(&plaintext, SHARE_SIZE));
    memset(plaintext.p, fill, plaintext.n);
    plaintext.p[0] = x;
    assert_ok(held_share_new(member, bound, signature, &plaintext, &held, NULL));
    assert_null(plaintext.p);
    return held;
}

// Posts as a handler does: derive, then become. The protocol error's tag, or -1 when it was taken.
static int post(size_t member, uint8_t x, bool bound, uint8_t fill)
{
    struct share_list next;
    struct protocol_error why = {0};
    struct held_share *posted = share_of(member, x, bound, fill);
    enum q_err err = shares_with(&now, posted, &set, &next, &why);
    if (err != Q_OK) {
        assert_int_equal(err, Q_REFUSED);
        held_share_free(&posted);
        return (int)why.tag;
    }
    shares_become(&now, &next, posted);
    return -1;
}

static bool holds(size_t member, uint8_t x, bool bound, uint8_t fill)
{
    for (size_t i = 0; i < now.n; i++) {
        const struct held_share *s = now.items[i];
        if (s->member == member && s->share.p[0] == x && s->bound == bound && s->share.p[1] == fill)
            return true;
    }
    return false;
}

static void other_lengths_and_x_of_zero_are_refused(void **state)
{
    (void)state;
    static const uint8_t signature[P256_SIGNATURE_SIZE];
    static const size_t lengths[] = {1, 2, 32, 34, 66};
    struct protocol_error why = {.tag = PE_IO_ERROR};
    struct held_share *held = NULL;
    struct secret plaintext;
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        assert_ok(secret_new(&plaintext, lengths[i]));
        plaintext.p[0] = 1;
        assert_refused(held_share_new(0, false, signature, &plaintext, &held, &why), Q_REFUSED,
                       "expected 33 bytes");
        assert_int_equal(why.tag, PE_INVALID_SHARE);
        assert_null(held);
        assert_null(plaintext.p);
    }
    plaintext = (struct secret){NULL, 0};
    assert_refused(held_share_new(0, false, signature, &plaintext, &held, &why), Q_REFUSED,
                   "got 0");
    assert_ok(secret_new(&plaintext, SHARE_SIZE));
    assert_refused(held_share_new(0, false, signature, &plaintext, &held, &why), Q_REFUSED,
                   "got 0");
    assert_int_equal(why.tag, PE_INVALID_SHARE);
}

static void a_later_share_of_a_member_takes_the_earlier_ones_place(void **state)
{
    (void)state;
    assert_int_equal(post(0, 1, false, 'a'), -1);
    assert_int_equal(post(0, 1, false, 'b'), -1);
    assert_int_equal(now.n, 1);
    assert_true(holds(0, 1, false, 'b'));
    assert_int_equal(post(0, 7, false, 'c'), -1);
    assert_int_equal(now.n, 1);
    assert_true(holds(0, 7, false, 'c'));
}

static void an_unbound_share_never_replaces_a_bound_one(void **state)
{
    (void)state;
    assert_int_equal(post(0, 1, true, 'a'), -1);
    assert_int_equal(post(0, 1, false, 'b'), PE_INVALID_SHARE);
    assert_int_equal(post(0, 9, false, 'b'), PE_INVALID_SHARE);
    assert_true(holds(0, 1, true, 'a'));
    assert_int_equal(now.n, 1);
    assert_int_equal(post(0, 2, true, 'c'), -1);
    assert_true(holds(0, 2, true, 'c'));
    assert_int_equal(now.n, 1);
}

static void a_bound_share_replaces_an_unbound_one(void **state)
{
    (void)state;
    assert_int_equal(post(0, 5, false, 'x'), -1);
    assert_int_equal(post(0, 1, true, 'a'), -1);
    assert_int_equal(now.n, 1);
    assert_true(holds(0, 1, true, 'a'));
}

static void a_repeated_x_is_refused_among_equals(void **state)
{
    (void)state;
    assert_int_equal(post(0, 1, false, 'a'), -1);
    assert_int_equal(post(1, 1, false, 'a'), PE_QOS_CRYPTO);
    assert_non_null(strstr(err_text(), "bob"));
    assert_int_equal(post(2, 2, true, 'c'), -1);
    assert_int_equal(post(3, 2, true, 'c'), PE_QOS_CRYPTO);
    assert_int_equal(now.n, 2);
}

static void a_bound_share_puts_out_an_unbound_one_of_the_same_x(void **state)
{
    (void)state;
    assert_int_equal(post(0, 2, false, 'x'), -1); // garbage in alice's name, on bob's x
    assert_int_equal(post(1, 2, true, 'b'), -1);
    assert_int_equal(now.n, 1);
    assert_true(holds(1, 2, true, 'b'));
    assert_int_equal(post(0, 2, false, 'x'), PE_QOS_CRYPTO);
    assert_int_equal(now.n, 1);
}

static void a_bound_share_can_put_out_two_at_once(void **state)
{
    (void)state;
    assert_int_equal(post(0, 2, false, 'x'), -1);
    assert_int_equal(post(1, 9, false, 'x'), -1);
    assert_int_equal(post(1, 2, true, 'b'), -1); // bob's own unbound one and alice's on his x
    assert_int_equal(now.n, 1);
    assert_true(holds(1, 2, true, 'b'));
}

static void a_development_share_set_takes_two_shares_of_its_one_member(void **state)
{
    (void)state;
    set.members.n = 1;
    set.threshold = 2;
    assert_int_equal(post(0, 1, false, 'a'), -1);
    assert_int_equal(post(0, 1, false, 'a'), -1);
    assert_int_equal(now.n, 1);
    assert_int_equal(post(0, 2, false, 'b'), -1);
    assert_int_equal(now.n, 2);
}

static void after_a_failure_only_unbound_shares_are_forgotten(void **state)
{
    (void)state;
    struct share_list next;
    assert_int_equal(post(0, 1, true, 'a'), -1);
    assert_int_equal(post(1, 2, false, 'x'), -1);
    assert_int_equal(post(2, 3, true, 'c'), -1);
    shares_after_failure(&now, &next);
    shares_become(&now, &next, NULL);
    assert_int_equal(now.n, 2);
    assert_true(holds(0, 1, true, 'a') && holds(2, 3, true, 'c'));
}

static void after_a_failure_of_bound_shares_alone_all_are_forgotten(void **state)
{
    (void)state;
    struct share_list next;
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(post(i, (uint8_t)(i + 1), true, 'a'), -1);
    shares_after_failure(&now, &next);
    assert_int_equal(next.n, 0);
    shares_become(&now, &next, NULL);
    assert_int_equal(now.n, 0);
}

static void whose_shares_nobody_signed_is_named(void **state)
{
    (void)state;
    BUF_AUTO names = {0};
    assert_int_equal(post(0, 1, true, 'a'), -1);
    assert_ok(shares_unsigned_aliases(&now, &set, &names));
    assert_int_equal(names.n, 0);
    assert_int_equal(post(1, 2, false, 'x'), -1);
    assert_int_equal(post(3, 4, false, 'x'), -1);
    assert_ok(shares_unsigned_aliases(&now, &set, &names));
    assert_bytes(buf_bytes(&names), BYTES_LIT("bob, dave"));
}

// A seed, its key, and the shares of it.
static void make_shares(struct p256_pair **pair, struct secret *shares)
{
    assert_ok(p256_pair_generate(pair));
    assert_ok(shamir_split(p256_pair_seed(*pair), MEMBERS, set.threshold, shares));
}

static void hold_share(const struct secret *shares, size_t i, bool bound)
{
    struct share_list next;
    struct held_share *posted = share_of(i, 1, bound, 0);
    memcpy(posted->share.p, shares->p + i * SHARE_SIZE, SHARE_SIZE);
    assert_ok(shares_with(&now, posted, &set, &next, NULL));
    shares_become(&now, &next, posted);
}

static void shares_of_the_key_rebuild_it_and_others_name_the_aliases(void **state)
{
    (void)state;
    P256_PAIR_AUTO *pair = NULL;
    P256_PAIR_AUTO *rebuilt = NULL;
    SECRET_AUTO shares = {0};
    struct protocol_error why = {0};
    make_shares(&pair, &shares);
    struct bytes key = p256_public_bytes(p256_pair_public(pair));
    hold_share(&shares, 3, false);
    hold_share(&shares, 0, true);
    hold_share(&shares, 2, false);
    assert_ok(shares_combine(&now, &set, key, &rebuilt, &why));
    assert_bytes(p256_public_bytes(p256_pair_public(rebuilt)), key);
    now.items[0]->share.p[5] ^= 1;
    P256_PAIR_AUTO *wrong = NULL;
    assert_refused(shares_combine(&now, &set, key, &wrong, &why), Q_REFUSED,
                   "dave (not signed), alice, carol (not signed)");
    assert_int_equal(why.tag, PE_RECONSTRUCTION_INCORRECT_PUB_KEY);
    assert_null(wrong);
}

static void approvals_are_recorded_once_per_member(void **state)
{
    (void)state;
    ARENA_AUTO arena = {0};
    struct manifest_envelope e = {0};
    set.members.n = 1;
    set.threshold = 2;
    assert_int_equal(post(0, 1, false, 'a'), -1);
    assert_int_equal(post(0, 2, false, 'a'), -1);
    assert_ok(shares_approvals(&now, &set, &arena, &e));
    assert_int_equal(e.share_set_approvals.n, 1);
    assert_bytes(e.share_set_approvals.items[0].member.alias, BYTES_LIT("alice"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    if (secret_init(true) != Q_OK)
        return 1;
    const struct CMUnitTest tests[] = {
        TEST(other_lengths_and_x_of_zero_are_refused),
        TEST(a_later_share_of_a_member_takes_the_earlier_ones_place),
        TEST(an_unbound_share_never_replaces_a_bound_one),
        TEST(a_bound_share_replaces_an_unbound_one),
        TEST(a_repeated_x_is_refused_among_equals),
        TEST(a_bound_share_puts_out_an_unbound_one_of_the_same_x),
        TEST(a_bound_share_can_put_out_two_at_once),
        TEST(a_development_share_set_takes_two_shares_of_its_one_member),
        TEST(after_a_failure_only_unbound_shares_are_forgotten),
        TEST(after_a_failure_of_bound_shares_alone_all_are_forgotten),
        TEST(whose_shares_nobody_signed_is_named),
        TEST(shares_of_the_key_rebuild_it_and_others_name_the_aliases),
        TEST(approvals_are_recorded_once_per_member),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
