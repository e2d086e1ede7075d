// Thresholds that can be met, members that differ, sets compared.
#include "protocol_vectors.h"

static struct vector_file own;
static struct manifest
    sample; // version 1: three members, manifest set 2, share set 2, patch set 1 of 1

static int load(void **state)
{
    (void)state;
    vector_file_own(&own, "protocol/manifests.json");
    const json_t *row = vector_field(manifest_row(&own, 1), "manifest");
    assert_ok(manifest_read(text_field(row, "storage"), &own.arena, &sample));
    return 0;
}

static int unload(void **state)
{
    (void)state;
    vector_file_close(&own);
    return 0;
}

static void the_sample_is_accepted(void **state)
{
    (void)state;
    assert_ok(manifest_check_thresholds(&sample, NULL));
}

static void manifest_sets_need_1_to_n(void **state)
{
    (void)state;
    static const struct {
        uint32_t threshold;
        bool good;
    } rows[] = {{0, false}, {1, true}, {2, true}, {3, true}, {4, false}, {UINT32_MAX, false}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct manifest m = sample;
        struct protocol_error why = {0};
        m.manifest_set.threshold = rows[i].threshold;
        if (rows[i].good) {
            assert_ok(manifest_check_thresholds(&m, &why));
            continue;
        }
        assert_refused(manifest_check_thresholds(&m, &why), Q_REFUSED,
                       "manifest set: expected 1 <=");
        assert_int_equal(why.tag, PE_NOT_ENOUGH_APPROVALS);
    }
}

static void patch_sets_need_0_to_n(void **state)
{
    (void)state;
    struct manifest m = sample;
    m.patch_set.threshold = 0;
    assert_ok(manifest_check_thresholds(&m, NULL));
    m.patch_set.threshold = 1;
    assert_ok(manifest_check_thresholds(&m, NULL));
    m.patch_set.threshold = 2;
    assert_refused(manifest_check_thresholds(&m, NULL), Q_REFUSED, "patch set: expected 0 <=");
}

static void share_sets_need_2_to_n(void **state)
{
    (void)state;
    static const struct {
        uint32_t threshold;
        const char *error;
    } rows[] = {{0, "Vsss(SharingMinThreshold)"},
                {1, "Vsss(SharingMinThreshold)"},
                {2, NULL},
                {3, NULL},
                {4, "Vsss(SharingLimitLessThanThreshold)"}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct manifest m = sample;
        struct protocol_error why = {0};
        m.share_set.threshold = rows[i].threshold;
        if (rows[i].error == NULL) {
            assert_ok(manifest_check_thresholds(&m, &why));
            continue;
        }
        assert_refused(manifest_check_thresholds(&m, &why), Q_REFUSED, "share set: expected 2 <=");
        assert_int_equal(why.tag, PE_QOS_CRYPTO);
        assert_bytes(why.text, bytes_str(rows[i].error));
    }
}

static void share_sets_have_at_most_255_members(void **state)
{
    (void)state;
    ARENA_AUTO a = {0};
    void *items;
    struct manifest m = sample;
    assert_ok(arena_array(&a, 256, sizeof(struct member), &items));
    m.share_set.members.items = items;
    m.share_set.members.n = 256;
    assert_refused(manifest_check_thresholds(&m, NULL), Q_REFUSED,
                   "members <= 255, got threshold 2");
}

static void the_development_boot_is_one_member_and_threshold_2(void **state)
{
    (void)state;
    struct manifest m = sample;
    m.share_set.members.n = 1;
    assert_true(share_set_is_development(&m.share_set));
    assert_ok(manifest_check_thresholds(&m, NULL));
    m.share_set.threshold = 1;
    assert_false(share_set_is_development(&m.share_set));
    assert_refused(manifest_check_thresholds(&m, NULL), Q_REFUSED, "share set");
    m.share_set.threshold = 3;
    assert_refused(manifest_check_thresholds(&m, NULL), Q_REFUSED, "share set");
    m.share_set.threshold = 2;
    m.share_set.members.n = 0;
    assert_false(share_set_is_development(&m.share_set));
    assert_refused(manifest_check_thresholds(&m, NULL), Q_REFUSED, "share set");
}

static void repeated_members_are_refused_in_both_sets(void **state)
{
    (void)state;
    struct member twice[3] = {sample.share_set.members.items[0], sample.share_set.members.items[1],
                              sample.share_set.members.items[0]};
    struct protocol_error why = {0};
    struct manifest m = sample;
    m.share_set.members.items = twice;
    assert_refused(manifest_check_thresholds(&m, &why), Q_REFUSED,
                   "share set: DuplicateQuorumMember");
    assert_int_equal(why.tag, PE_DUPLICATE_QUORUM_MEMBER);
    m = sample;
    m.manifest_set.members.items = twice;
    assert_refused(manifest_check_thresholds(&m, &why), Q_REFUSED,
                   "manifest set: DuplicateQuorumMember");
}

static void members_with_bad_keys_are_refused_whatever_their_length(void **state)
{
    (void)state;
    struct member one = sample.share_set.members.items[0];
    struct protocol_error why;
    assert_ok(members_unique(NULL, 0, NULL));
    assert_ok(members_unique(&one, 1, NULL));
    for (size_t n = 0; n < one.pub_key.n; n++) {
        struct member cut = {.alias = one.alias, .pub_key = bytes_of(one.pub_key.p, n)};
        assert_refused(members_unique(&cut, 1, &why), Q_REFUSED, "EncodedPublicKeyTooShort");
        assert_int_equal(why.tag, PE_P256_ERROR);
    }
}

static void genesis_sets_are_checked_alike(void **state)
{
    (void)state;
    struct protocol_error why = {0};
    struct genesis_set set = {.threshold = 2};
    set.members.items = sample.share_set.members.items;
    set.members.n = 3;
    assert_ok(genesis_set_check(&set, &why));
    set.threshold = 1;
    assert_refused(genesis_set_check(&set, &why), Q_REFUSED, "QosCrypto: genesis set");
    assert_int_equal(why.tag, PE_QOS_CRYPTO);
    set.threshold = 4;
    assert_refused(genesis_set_check(&set, &why), Q_REFUSED, "got threshold 4 of 3 members");
    // The development boot is no genesis.
    set.threshold = 2;
    set.members.n = 1;
    assert_refused(genesis_set_check(&set, &why), Q_REFUSED, "genesis set");
    struct member twice[2] = {set.members.items[1], set.members.items[1]};
    set.members.items = twice;
    set.members.n = 2;
    assert_refused(genesis_set_check(&set, &why), Q_REFUSED, "DuplicateQuorumMember");
}

static void members_are_ordered_by_alias_then_key(void **state)
{
    (void)state;
    struct member a1 = {BYTES_LIT("a"), BYTES_LIT("1")}, a2 = {BYTES_LIT("a"), BYTES_LIT("2")};
    struct member b1 = {BYTES_LIT("b"), BYTES_LIT("1")}, ab = {BYTES_LIT("ab"), BYTES_LIT("0")};
    struct member high = {BYTES_LIT("\xc3\xa4"), BYTES_LIT("0")};
    assert_true(member_compare(&a1, &a2) < 0);
    assert_true(member_compare(&a2, &b1) < 0);
    assert_true(member_compare(&a2, &ab) < 0);
    assert_true(member_compare(&b1, &high) < 0);
    assert_true(member_compare(&b1, &a2) > 0);
    assert_int_equal(member_compare(&a1, &a1), 0);
    assert_true(member_equal(&a1, &a1));
    assert_false(member_equal(&a1, &a2));
    assert_false(member_equal(&a1, &b1));
}

static void sets_are_equal_only_in_the_same_order(void **state)
{
    (void)state;
    struct member_set other = sample.manifest_set;
    struct member swapped[3] = {other.members.items[1], other.members.items[0],
                                other.members.items[2]};
    assert_true(member_set_equal(&sample.manifest_set, &other));
    other.threshold++;
    assert_false(member_set_equal(&sample.manifest_set, &other));
    other = sample.manifest_set;
    other.members.n--;
    assert_false(member_set_equal(&sample.manifest_set, &other));
    other = sample.manifest_set;
    other.members.items = swapped;
    assert_false(member_set_equal(&sample.manifest_set, &other));
    assert_true(member_set_has(&other, &swapped[2]));
    swapped[2].alias = BYTES_LIT("nobody");
    assert_false(member_set_has(&sample.manifest_set, &swapped[2]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_sample_is_accepted),
        cmocka_unit_test(manifest_sets_need_1_to_n),
        cmocka_unit_test(patch_sets_need_0_to_n),
        cmocka_unit_test(share_sets_need_2_to_n),
        cmocka_unit_test(share_sets_have_at_most_255_members),
        cmocka_unit_test(the_development_boot_is_one_member_and_threshold_2),
        cmocka_unit_test(repeated_members_are_refused_in_both_sets),
        cmocka_unit_test(members_with_bad_keys_are_refused_whatever_their_length),
        cmocka_unit_test(genesis_sets_are_checked_alike),
        cmocka_unit_test(members_are_ordered_by_alias_then_key),
        cmocka_unit_test(sets_are_equal_only_in_the_same_order),
    };
    return cmocka_run_group_tests(tests, load, unload);
}
