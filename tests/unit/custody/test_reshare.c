// Old shares in, new shares out: what comes out holds, what does not hold is found, and calls that fail leave
// nothing behind.
#include "../cmocka_setup.h"

#include "../failing/failing_calls.h"
#include "../reshare_scene.h"

#include "custody/reshare.h"

static void release_shares(struct share_list *list)
{
    shares_release(list);
}
#define SHARES_AUTO __attribute__((cleanup(release_shares))) struct share_list

static enum q_err hold(const struct reshare_scene *s, size_t member, struct bytes share,
                       struct held_share **out)
{
    struct secret plaintext = {0};
    TRY(secret_copy(&plaintext, share));
    return held_share_new(member, true, s->signatures[RESHARE_ROLE_SHARE][member], &plaintext, out,
                          NULL);
}

static enum q_err add(const struct reshare_scene *s, size_t member, struct share_list *list)
{
    struct held_share *posted = NULL;
    struct share_list next;
    TRY(hold(s, member, scene_share(s, member), &posted));
    enum q_err err = shares_with(list, posted, &s->plan.old_share_set, &next, NULL);
    if (err == Q_OK)
        shares_become(list, &next, posted);
    else
        held_share_free(&posted);
    return err;
}

static enum q_err make(struct reshare_scene *s, struct arena *a, struct reshare_output *out)
{
    SHARES_AUTO list = {.n = 0};
    TRY(add(s, 0, &list));
    TRY(add(s, 2, &list));
    *out = (struct reshare_output){.format = BYTES_LIT(RESHARE_OUTPUT_FORMAT), .plan = s->plan};
    out->manifest_approvals.items = s->approvals[RESHARE_ROLE_MANIFEST];
    out->share_approvals.items = s->approvals[RESHARE_ROLE_SHARE];
    out->manifest_approvals.n = out->share_approvals.n = 2;
    return reshare_make(&s->plan, &list, a, out, NULL);
}

static void rebuilds(const struct reshare_scene *s, const struct reshare_output *o)
{
    struct secret shares[3] = {{0}};
    struct bytes views[3];
    SECRET_AUTO seed = {0};
    P256_PAIR_AUTO *pair = NULL;
    for (size_t i = 0; i < 3; i++) {
        assert_ok(p256_open(s->pairs[OLD + i], o->shares.member_outputs.items[i].encrypted_share,
                            &shares[i]));
        views[i] = secret_bytes(&shares[i]);
    }
    assert_ok(shamir_combine(views, 3, &seed));
    assert_ok(p256_pair_from_seed(secret_bytes(&seed), &pair));
    assert_bytes(p256_public_bytes(p256_pair_public(pair)), o->shares.quorum_key);
    for (size_t i = 0; i < 3; i++)
        secret_free(&shares[i]);
}

static void new_shares_make_the_same_key(void **state)
{
    struct reshare_scene *s = *state;
    ARENA_AUTO a = {0};
    struct reshare_output o;
    assert_ok(make(s, &a, &o));
    assert_ok(reshare_output_check(&o));
    assert_bytes(o.shares.quorum_key, s->plan.quorum_key);
    assert_null(o.handover);
    rebuilds(s, &o);
}

static void a_new_key_is_signed_over_by_both(void **state)
{
    struct reshare_scene *s = *state;
    ARENA_AUTO a = {0};
    struct reshare_output o;
    s->plan.new_key = true;
    scene_approve(s);
    assert_ok(make(s, &a, &o));
    assert_ok(reshare_output_check(&o));
    assert_false(bytes_equal(o.shares.quorum_key, s->plan.quorum_key));
    rebuilds(s, &o);
    struct bytes by_old = o.handover->by_old;
    o.handover->by_old = o.handover->by_new;
    assert_int_equal(reshare_output_check(&o), Q_CRYPTO);
    o.handover->by_new = by_old;
    o.handover->by_old = by_old;
    assert_int_equal(reshare_output_check(&o), Q_CRYPTO);
    o.handover = NULL;
    assert_int_equal(reshare_output_check(&o), Q_REFUSED);
}

static void an_output_is_written_read_and_hashed_as_the_same_and_begins_the_next_epoch(void **state)
{
    struct reshare_scene *s = *state;
    ARENA_AUTO a = {0};
    BUF_AUTO file = {0}, again = {0};
    struct reshare_output o, read;
    struct share_epoch epoch;
    struct reshare_plan next;
    s->plan.dr_key = s->people[0].pub_key;
    scene_approve(s);
    assert_ok(make(s, &a, &o));
    assert_ok(reshare_output_write(&o, &file));
    assert_ok(reshare_output_read(buf_bytes(&file), &a, &read));
    assert_ok(reshare_output_write(&read, &again));
    assert_bytes(buf_bytes(&again), buf_bytes(&file));
    assert_ok(share_epoch_of_output(&read, &epoch));
    assert_int_equal(epoch.epoch, 1);
    assert_ok(reshare_plan_after(&epoch, &a, &next));
    assert_int_equal(next.epoch, 2);
    assert_true(member_set_equal(&next.old_share_set, &s->plan.new_share_set));
    assert_ok(reshare_plan_follows(&next, &epoch));
    for (size_t n = 0; n < file.n; n += 101)
        assert_int_not_equal(reshare_output_read(bytes_of(file.p, n), &a, &read), Q_OK);
}

static void whatever_is_changed_in_an_output_is_found(void **state)
{
    struct reshare_scene *s = *state;
    ARENA_AUTO a = {0};
    struct reshare_output o, c;
    struct reshare_handover handover = {BYTES_LIT("x"), BYTES_LIT("x")};
    assert_ok(make(s, &a, &o));
    c = o;
    c.format = BYTES_LIT("other");
    assert_int_equal(reshare_output_check(&c), Q_REFUSED);
    c = o;
    c.plan.epoch = 9;
    assert_int_equal(reshare_output_check(&c), Q_REFUSED);
    c = o;
    c.manifest_approvals.n = 1;
    assert_int_equal(reshare_output_check(&c), Q_REFUSED);
    c = o;
    c.share_approvals.items = o.manifest_approvals.items;
    assert_int_equal(reshare_output_check(&c), Q_REFUSED);
    c = o;
    c.shares.set.threshold--;
    assert_int_equal(reshare_output_check(&c), Q_REFUSED);
    c = o;
    c.shares.member_outputs.n--;
    assert_int_equal(reshare_output_check(&c), Q_REFUSED);
    c = o;
    c.shares.dr_key_wrapped_quorum_key = BYTES_LIT("x");
    assert_int_equal(reshare_output_check(&c), Q_REFUSED);
    c = o;
    c.shares.recovery_permutations.n = 1;
    assert_int_equal(reshare_output_check(&c), Q_REFUSED);
    c = o;
    c.shares.quorum_key = s->people[0].pub_key;
    assert_int_equal(reshare_output_check(&c), Q_CRYPTO); // the test message is not signed by it
    c = o;
    c.handover = &handover;
    assert_int_equal(reshare_output_check(&c), Q_REFUSED);
    assert_ok(reshare_output_check(&o));
}

static void only_the_share_of_the_plan_is_taken(void **state)
{
    struct reshare_scene *s = *state;
    struct protocol_error why = {0};
    struct held_share *posted = NULL;
    uint8_t garbage[SCENE_SHARE_SIZE] = {1, 2, 3};
    const struct bytes bad[] = {BYTES_OF(garbage), scene_share(s, 1)};
    for (size_t i = 0; i < 2; i++) {
        assert_ok(hold(s, 0, bad[i], &posted));
        assert_int_equal(reshare_share_check(&s->plan, posted, &why), Q_REFUSED);
        assert_int_equal(why.tag, PE_INVALID_SHARE);
        held_share_free(&posted);
    }
    assert_ok(hold(s, 1, scene_share(s, 1), &posted));
    assert_ok(reshare_share_check(&s->plan, posted, &why));
    held_share_free(&posted);
}

static void shares_of_another_key_than_the_plan_s_make_nothing(void **state)
{
    struct reshare_scene *s = *state;
    ARENA_AUTO a = {0};
    struct reshare_output o;
    s->plan.quorum_key = s->people[0].pub_key;
    assert_int_equal(make(s, &a, &o), Q_REFUSED);
    assert_null(o.shares.member_outputs.items);
}

static bool make_and_check(void *context)
{
    ARENA_AUTO a = {0};
    BUF_AUTO file = {0};
    struct reshare_output o, read;
    return make(context, &a, &o) == Q_OK && reshare_output_write(&o, &file) == Q_OK &&
           reshare_output_read(buf_bytes(&file), &a, &read) == Q_OK;
}

static void resharing_meets_calls_that_fail(void **state)
{
    struct reshare_scene *s = *state;
    s->plan.new_key = true;
    s->plan.dr_key = s->people[0].pub_key;
    s->plan.new_share_set = scene_set(s->people + OLD, 2, 2);
    scene_approve(s);
    assert_true(make_and_check(s));
    assert_true(failing_each(FAILING_MEMORY, make_and_check, s) > 20);
    assert_true(failing_each(FAILING_CRYPTO, make_and_check, s) > 60);
    assert_true(make_and_check(s));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scene_setup, scene_teardown)

int main(void)
{
    if (secret_init(true) != Q_OK)
        return 1;
    const struct CMUnitTest tests[] = {
        TEST(new_shares_make_the_same_key),
        TEST(a_new_key_is_signed_over_by_both),
        TEST(an_output_is_written_read_and_hashed_as_the_same_and_begins_the_next_epoch),
        TEST(whatever_is_changed_in_an_output_is_found),
        TEST(only_the_share_of_the_plan_is_taken),
        TEST(shares_of_another_key_than_the_plan_s_make_nothing),
        TEST(resharing_meets_calls_that_fail),
    };
    return cmocka_run_group_tests_name("custody/reshare", tests, NULL, NULL);
}
