// Files of a command: all or none, modes, and what is never replaced (client/output.h).
#include "../folder.h"

#include "base/arena.h"
#include "client/output.h"

static void expect_file(struct folder *f, const char *name, const char *contents)
{
    BUF_AUTO read = {0};
    assert_ok(file_read(folder_path(f, name), 100, &read));
    assert_true(bytes_is(buf_bytes(&read), contents));
}

static size_t entries(const struct folder *f)
{
    ARENA_AUTO a = {0};
    struct file_list list;
    assert_ok(file_list(f->path, &a, &list));
    return list.n;
}

static void secrets_are_for_the_owner_alone_and_the_rest_follows_the_umask(void **state)
{
    struct folder *f = *state;
    OUTPUT_AUTO out = {0};
    struct stat s;
    char secret[512], public[512];
    (void)snprintf(secret, sizeof secret, "%s", folder_path(f, "secret"));
    (void)snprintf(public, sizeof public, "%s", folder_path(f, "public"));
    mode_t before = umask(027);
    assert_ok(output_stage(&out, NULL, secret, BYTES_LIT("s"), OUTPUT_SECRET));
    assert_ok(output_stage(&out, NULL, public, BYTES_LIT("p"), OUTPUT_LASTING));
    (void)umask(before);
    assert_ok(output_publish(&out));
    assert_int_equal(stat(secret, &s), 0);
    assert_int_equal(s.st_mode & 07777, 0600);
    assert_int_equal(stat(public, &s), 0);
    assert_int_equal(s.st_mode & 07777, 0640);
}

static void lasting_files_are_not_replaced_without_force(void **state)
{
    struct folder *f = *state;
    folder_file(f, "key", "old");
    const char *path = folder_path(f, "key");
    OUTPUT_AUTO careful = {0};
    assert_refused(output_check(&careful, path), Q_EXISTS, "without --force");
    assert_refused(output_stage(&careful, NULL, path, BYTES_LIT("new"), OUTPUT_LASTING), Q_EXISTS,
                   "without --force");
    assert_refused(output_stage(&careful, NULL, path, BYTES_LIT("new"), OUTPUT_SECRET), Q_EXISTS,
                   "without --force");
    expect_file(f, "key", "old");
    OUTPUT_AUTO forced = {.force = true};
    path = folder_path(f, "key");
    assert_ok(output_stage(&forced, NULL, path, BYTES_LIT("new"), OUTPUT_LASTING));
    assert_ok(output_publish(&forced));
    expect_file(f, "key", "new");
    assert_int_equal(entries(f), 1);
}

static void what_can_be_made_again_is_replaced(void **state)
{
    struct folder *f = *state;
    folder_file(f, "manifest", "old");
    OUTPUT_AUTO out = {0};
    assert_ok(
        output_stage(&out, NULL, folder_path(f, "manifest"), BYTES_LIT("new"), OUTPUT_REMADE));
    assert_ok(output_publish(&out));
    expect_file(f, "manifest", "new");
}

// A slip of the hand: the master seed as the file for a signature.
static void a_secret_is_not_replaced_by_what_can_be_made_again(void **state)
{
    struct folder *f = *state;
    folder_file(f, "seed", "secret");
    char path[512];
    (void)snprintf(path, sizeof path, "%s", folder_path(f, "seed"));
    assert_int_equal(chmod(path, 0600), 0);
    OUTPUT_AUTO out = {0};
    mode_t before = umask(022);
    assert_refused(output_stage(&out, NULL, path, BYTES_LIT("signature"), OUTPUT_REMADE), Q_EXISTS,
                   "for its owner alone, as secrets are");
    expect_file(f, "seed", "secret");
    assert_int_equal(chmod(path, 0644), 0);
    assert_ok(output_stage(&out, NULL, path, BYTES_LIT("signature"), OUTPUT_REMADE));
    output_discard(&out);
    assert_int_equal(chmod(path, 0600), 0);
    (void)umask(077); // every file is for its owner alone
    assert_ok(output_stage(&out, NULL, path, BYTES_LIT("signature"), OUTPUT_REMADE));
    output_discard(&out);
    (void)umask(before);
    folder_file(f, "seed", ""); // as mktemp makes it
    assert_int_equal(chmod(path, 0600), 0);
    assert_ok(output_stage(&out, NULL, path, BYTES_LIT("signature"), OUTPUT_REMADE));
}

static void staged_files_that_are_not_published_leave_nothing(void **state)
{
    struct folder *f = *state;
    struct output out = {0};
    assert_ok(output_stage(&out, NULL, folder_path(f, "a"), BYTES_LIT("1"), OUTPUT_LASTING));
    assert_int_equal(entries(f), 1);
    output_discard(&out);
    assert_int_equal(entries(f), 0);
}

static void all_files_are_there_or_none(void **state)
{
    struct folder *f = *state;
    struct output out = {0};
    char first[512], second[512];
    (void)snprintf(first, sizeof first, "%s", folder_path(f, "first"));
    (void)snprintf(second, sizeof second, "%s", folder_path(f, "second"));
    assert_ok(output_stage(&out, NULL, first, BYTES_LIT("1"), OUTPUT_LASTING));
    assert_ok(output_stage(&out, NULL, second, BYTES_LIT("2"), OUTPUT_LASTING));
    folder_file(f, "second", "somebody was faster");
    assert_refused(output_publish(&out), Q_EXISTS, "second");
    assert_false(file_exists(first));
    expect_file(f, "second", "somebody was faster");
    assert_int_equal(entries(f), 1);
}

static void what_was_replaced_comes_back_when_a_later_file_fails(void **state)
{
    struct folder *f = *state;
    struct output out = {.force = true};
    char first[512], second[512];
    (void)snprintf(first, sizeof first, "%s", folder_path(f, "first"));
    (void)snprintf(second, sizeof second, "%s", folder_path(f, "second"));
    folder_file(f, "first", "old");
    assert_ok(output_stage(&out, NULL, first, BYTES_LIT("new"), OUTPUT_SECRET));
    assert_ok(output_stage(&out, NULL, second, BYTES_LIT("new"), OUTPUT_SECRET));
    assert_int_equal(mkdir(second, 0700), 0);
    assert_refused(output_publish(&out), Q_IO, "second");
    expect_file(f, "first", "old");
    assert_int_equal(entries(f), 2); // the folder is one of them
}

static void as_many_files_as_the_largest_split_with_its_index_and_no_more(void **state)
{
    struct folder *f = *state;
    OUTPUT_AUTO out = {0};
    char paths[OUTPUT_MAX + 1][512];
    for (unsigned i = 0; i <= OUTPUT_MAX; i++) {
        char name[16];
        (void)snprintf(name, sizeof name, "%u", i);
        (void)snprintf(paths[i], sizeof paths[i], "%s", folder_path(f, name));
    }
    for (unsigned i = 0; i < OUTPUT_MAX; i++)
        assert_ok(output_stage(&out, NULL, paths[i], BYTES_LIT("x"), OUTPUT_SECRET));
    assert_refused(output_stage(&out, NULL, paths[OUTPUT_MAX], BYTES_LIT("x"), OUTPUT_SECRET),
                   Q_INTERNAL, "more than 256 files at once");
    assert_ok(output_publish(&out));
    assert_int_equal(entries(f), OUTPUT_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            secrets_are_for_the_owner_alone_and_the_rest_follows_the_umask, folder_make,
            folder_remove),
        cmocka_unit_test_setup_teardown(lasting_files_are_not_replaced_without_force, folder_make,
                                        folder_remove),
        cmocka_unit_test_setup_teardown(what_can_be_made_again_is_replaced, folder_make,
                                        folder_remove),
        cmocka_unit_test_setup_teardown(a_secret_is_not_replaced_by_what_can_be_made_again,
                                        folder_make, folder_remove),
        cmocka_unit_test_setup_teardown(staged_files_that_are_not_published_leave_nothing,
                                        folder_make, folder_remove),
        cmocka_unit_test_setup_teardown(all_files_are_there_or_none, folder_make, folder_remove),
        cmocka_unit_test_setup_teardown(what_was_replaced_comes_back_when_a_later_file_fails,
                                        folder_make, folder_remove),
        cmocka_unit_test_setup_teardown(
            as_many_files_as_the_largest_split_with_its_index_and_no_more, folder_make,
            folder_remove),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
