// Set folders (client/manifest/set_directory.h, qos-behaviour 1.3).
#include "../folder.h"

#include "base/hex.h"
#include "client/manifest/set_directory.h"
#include "crypto/p256.h"

// The public key of a seed of 32 equal bytes, in hex.
static void key_of(uint8_t seed_byte, struct buf *hex)
{
    uint8_t seed[P256_SEED_SIZE];
    P256_PAIR_AUTO *pair = NULL;
    memset(seed, seed_byte, sizeof seed);
    assert_ok(p256_pair_from_seed(BYTES_OF(seed), &pair));
    buf_clear(hex);
    assert_ok(hex_encode(p256_public_bytes(p256_pair_public(pair)), hex));
}

static void put_member(struct folder *f, const char *name, uint8_t seed_byte, const char *end)
{
    BUF_AUTO hex = {0};
    key_of(seed_byte, &hex);
    assert_ok(buf_append_str(&hex, end));
    folder_file(f, name, buf_text(&hex));
}

static void members_are_read_sorted_and_named_by_the_first_dot(void **state)
{
    struct folder *f = *state;
    ARENA_AUTO a = {0};
    struct member_set set;
    put_member(f, "zoe.pub", 1, "\r\n");
    put_member(f, "bob.old.pub", 2, "\n");
    put_member(f, "Ann.pub", 3, "");
    put_member(f, "._bob.pub", 4, "");
    folder_file(f, "pcr3-preimage.txt", "role");
    folder_file(f, "ann.pub.bak", "no member");
    put_member(f, "pub", 5, ""); // the original's member "pub", by the letter of its rule
    folder_file(f, "quorum_threshold", " 2 \r\n\n");
    assert_ok(set_directory_read(f->path, &a, &set));
    assert_int_equal(set.threshold, 2);
    assert_int_equal(set.members.n, 3);
    assert_true(bytes_is(set.members.items[0].alias, "Ann"));
    assert_true(bytes_is(set.members.items[1].alias, "bob"));
    assert_true(bytes_is(set.members.items[2].alias, "zoe"));
    assert_int_equal(set.members.items[0].pub_key.n, P256_PUBLIC_SIZE);
}

static void patch_set_is_sorted_by_key(void **state)
{
    struct folder *f = *state;
    ARENA_AUTO a = {0};
    struct patch_set set;
    put_member(f, "a.pub", 1, "");
    put_member(f, "b.pub", 2, "");
    put_member(f, "c.pub", 3, "");
    folder_file(f, "quorum_threshold", "1");
    assert_ok(set_directory_read_patch(f->path, &a, &set));
    assert_int_equal(set.members.n, 3);
    for (size_t i = 1; i < 3; i++)
        assert_true(bytes_compare(set.members.items[i - 1].pub_key, set.members.items[i].pub_key) <
                    0);
}

static void quorum_key_in_a_set_folder_is_refused_with_the_remedy(void **state)
{
    struct folder *f = *state;
    ARENA_AUTO a = {0};
    struct member_set set;
    put_member(f, "member1.pub", 1, "");
    put_member(f, "quorum_key.pub", 2, "");
    folder_file(f, "quorum_threshold", "2");
    assert_refused(set_directory_read(f->path, &a, &set), Q_REFUSED, "quorum_key.pub");
    assert_refused(set_directory_read(f->path, &a, &set), Q_REFUSED, "move it away");
}

static void unusable_members_are_refused_by_path(void **state)
{
    struct folder *f = *state;
    ARENA_AUTO a = {0};
    struct member_set set;
    folder_file(f, "quorum_threshold", "1");
    folder_file(f, "short.pub", "0412");
    assert_refused(set_directory_read(f->path, &a, &set), Q_CRYPTO, "short.pub");
    assert_ok(file_remove(folder_path(f, "short.pub")));
    folder_file(f, "empty.pub", "");
    assert_refused(set_directory_read(f->path, &a, &set), Q_CRYPTO, "empty.pub");
    assert_ok(file_remove(folder_path(f, "empty.pub")));
    put_member(f, ".pub", 1, "");
    assert_refused(set_directory_read(f->path, &a, &set), Q_BAD_INPUT, "alias");
    assert_ok(file_remove(folder_path(f, ".pub")));
    put_member(f, "a\x1b[2Jb.pub", 1, "");
    assert_refused(set_directory_read(f->path, &a, &set), Q_BAD_INPUT, "control");
}

static void threshold_is_needed_and_must_be_a_number(void **state)
{
    struct folder *f = *state;
    ARENA_AUTO a = {0};
    struct member_set set;
    put_member(f, "member1.pub", 1, "");
    assert_refused(set_directory_read(f->path, &a, &set), Q_MISSING,
                   "Did not find exactly 1 threshold.");
    static const char *const bad[] = {"", "\n", "two", "2 3", "2\n3\n", "-1", "4294967296", "0x2"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        folder_file(f, "quorum_threshold", bad[i]);
        assert_refused(set_directory_read(f->path, &a, &set), Q_BAD_INPUT, "quorum_threshold");
    }
}

static void a_folder_that_is_not_there_is_an_error(void **state)
{
    (void)state;
    ARENA_AUTO a = {0};
    struct member_set set;
    assert_refused(set_directory_read("/nonexistent/set", &a, &set), Q_IO, "/nonexistent/set");
}

static void differing_sets_are_told_apart(void **state)
{
    (void)state;
    struct member one[] = {{BYTES_LIT("a"), BYTES_LIT("1")}, {BYTES_LIT("b"), BYTES_LIT("2")}};
    struct member two[] = {{BYTES_LIT("a"), BYTES_LIT("1")}, {BYTES_LIT("b"), BYTES_LIT("3")}};
    struct member_set m = {.threshold = 2, .members = {.items = one, .n = 2}}, d = m;
    assert_ok(member_sets_same(&m, &d, "dir"));
    d.threshold = 1;
    assert_refused(member_sets_same(&m, &d, "dir"), Q_REFUSED, "threshold is 1");
    d.threshold = 2;
    d.members.n = 1;
    assert_refused(member_sets_same(&m, &d, "dir"), Q_REFUSED, "has 1 members");
    d.members.items = two;
    d.members.n = 2;
    assert_refused(member_sets_same(&m, &d, "dir"), Q_REFUSED, "b with another key");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(members_are_read_sorted_and_named_by_the_first_dot,
                                        folder_make, folder_remove),
        cmocka_unit_test_setup_teardown(patch_set_is_sorted_by_key, folder_make, folder_remove),
        cmocka_unit_test_setup_teardown(quorum_key_in_a_set_folder_is_refused_with_the_remedy,
                                        folder_make, folder_remove),
        cmocka_unit_test_setup_teardown(unusable_members_are_refused_by_path, folder_make,
                                        folder_remove),
        cmocka_unit_test_setup_teardown(threshold_is_needed_and_must_be_a_number, folder_make,
                                        folder_remove),
        cmocka_unit_test(a_folder_that_is_not_there_is_an_error),
        cmocka_unit_test(differing_sets_are_told_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
