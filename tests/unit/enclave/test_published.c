// The four files: leftovers at start, owners and modes, wiping.
#include "../cmocka_setup.h"

#include "enclave/published.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

struct place {
    char folder[64], deep[80];
    char names[PUBLISHED_COUNT][96];
    struct published files;
};

static int set_up(void **state)
{
    struct place *p = calloc(1, sizeof *p);
    assert_non_null(p);
    strcpy(p->folder, "/tmp/quorate-test-XXXXXX");
    assert_non_null(mkdtemp(p->folder));
    (void)snprintf(p->deep, sizeof p->deep, "%s/a/b", p->folder);
    static const char *const names[] = {"eph", "quorum", "pivot", "manifest"};
    for (size_t i = 0; i < PUBLISHED_COUNT; i++) {
        (void)snprintf(p->names[i], sizeof p->names[i], "%s/%s", p->deep, names[i]);
        p->files.paths[i] = p->names[i];
    }
    p->files.app_uid = geteuid();
    *state = p;
    return 0;
}

static int tear_down(void **state)
{
    struct place *p = *state;
    char path[128];
    published_wipe_all(&p->files);
    (void)rmdir(p->deep);
    (void)snprintf(path, sizeof path, "%s/a", p->folder);
    (void)rmdir(path);
    assert_int_equal(rmdir(p->folder), 0); // nothing else was left behind
    free(p);
    return 0;
}

static void missing_folders_are_made_and_the_innermost_is_private(void **state)
{
    struct place *p = *state;
    struct stat s;
    assert_ok(published_open(&p->files));
    assert_int_equal(stat(p->deep, &s), 0);
    assert_int_equal(s.st_mode & 07777, 0700);
    assert_int_equal(s.st_uid, geteuid());
}

static void leftovers_and_their_temporary_names_are_wiped(void **state)
{
    struct place *p = *state;
    char temporary[128], stranger[128];
    assert_ok(published_open(&p->files));
    for (size_t i = 0; i < PUBLISHED_COUNT; i++)
        assert_ok(file_write(p->names[i], BYTES_LIT("old"), 0400, FILE_NEW));
    (void)snprintf(temporary, sizeof temporary, "%s/.quorum.0123456789ab.tmp", p->deep);
    (void)snprintf(stranger, sizeof stranger, "%s/.quorum.txt.tmp", p->deep);
    assert_ok(file_write(temporary, BYTES_LIT("old"), 0400, FILE_NEW));
    assert_ok(file_write(stranger, BYTES_LIT("other"), 0400, FILE_NEW));
    int kept = open(p->names[PUBLISHED_QUORUM], O_RDONLY | O_CLOEXEC);
    assert_ok(published_open(&p->files));
    for (size_t i = 0; i < PUBLISHED_COUNT; i++)
        assert_false(file_exists(p->names[i]));
    assert_false(file_exists(temporary));
    assert_true(file_exists(stranger));
    char bytes[4] = "xxx";
    assert_int_equal(read(kept, bytes, 3), 3); // the disk block, not only the name
    assert_memory_equal(bytes, "\0\0\0", 3);
    (void)close(kept);
    assert_ok(file_remove(stranger));
}

static void a_link_in_place_of_a_key_is_removed_and_not_followed(void **state)
{
    struct place *p = *state;
    char target[128];
    assert_ok(published_open(&p->files));
    (void)snprintf(target, sizeof target, "%s/target", p->deep);
    assert_ok(file_write(target, BYTES_LIT("precious"), 0600, FILE_NEW));
    assert_int_equal(symlink(target, p->names[PUBLISHED_QUORUM]), 0);
    assert_int_equal(link(target, p->names[PUBLISHED_EPHEMERAL]), 0);
    published_wipe_all(&p->files);
    assert_false(file_exists(p->names[PUBLISHED_QUORUM]));
    BUF_AUTO contents = {0};
    assert_ok(file_read(target, 64, &contents));
    assert_bytes(buf_bytes(&contents), BYTES_LIT("precious"));
    assert_ok(file_remove(target));
}

static void what_cannot_be_removed_stops_the_start(void **state)
{
    struct place *p = *state;
    assert_ok(published_open(&p->files));
    assert_int_equal(mkdir(p->names[PUBLISHED_QUORUM], 0700), 0);
    assert_refused(published_open(&p->files), Q_EXISTS, "cannot be removed");
    assert_int_equal(rmdir(p->names[PUBLISHED_QUORUM]), 0);
}

static void a_key_that_is_replaced_is_overwritten_where_it_lay(void **state)
{
    struct place *p = *state;
    PUBLISHED_STAGE_AUTO first = {0};
    PUBLISHED_STAGE_AUTO second = {0};
    assert_ok(published_open(&p->files));
    assert_ok(
        published_stage(&p->files, PUBLISHED_EPHEMERAL, BYTES_LIT("setup"), FILE_NEW, &first));
    assert_ok(published_publish(&first));
    int kept = open(p->names[PUBLISHED_EPHEMERAL], O_RDONLY | O_CLOEXEC);
    assert_ok(
        published_stage(&p->files, PUBLISHED_EPHEMERAL, BYTES_LIT("live!"), FILE_REPLACE, &second));
    assert_ok(published_publish(&second));
    char bytes[6] = "xxxxx";
    assert_int_equal(read(kept, bytes, 5), 5);
    assert_memory_equal(bytes, "\0\0\0\0\0", 5);
    (void)close(kept);
    BUF_AUTO contents = {0};
    assert_ok(file_read(p->names[PUBLISHED_EPHEMERAL], 64, &contents));
    assert_bytes(buf_bytes(&contents), BYTES_LIT("live!"));
}

static void a_staged_file_that_is_discarded_leaves_nothing(void **state)
{
    struct place *p = *state;
    struct published_stage s = {0};
    assert_ok(published_open(&p->files));
    assert_ok(published_stage(&p->files, PUBLISHED_QUORUM, BYTES_LIT("key"), FILE_NEW, &s));
    published_discard(&s); // tear_down finds the folder empty
    published_discard(&s);
    assert_false(file_exists(p->names[PUBLISHED_QUORUM]));
}

static void as_root_keys_and_application_belong_to_the_applications_uid(void **state)
{
    struct place *p = *state;
    if (geteuid() != 0) {
        print_message("skipped: only root can give files away\n");
        skip();
    }
    static const struct {
        enum published_file which;
        mode_t mode;
        uid_t owner;
    } expected[] = {
        {PUBLISHED_EPHEMERAL, 0400, 65432},
        {PUBLISHED_QUORUM, 0400, 65432},
        {PUBLISHED_PIVOT, 0500, 65432},
        {PUBLISHED_MANIFEST, 0444, 0},
    };
    struct stat s;
    p->files.app_uid = 65432;
    assert_ok(published_open(&p->files));
    assert_int_equal(stat(p->deep, &s), 0);
    assert_int_equal(s.st_uid, 65432);
    for (size_t i = 0; i < PUBLISHED_COUNT; i++) {
        PUBLISHED_STAGE_AUTO stage = {0};
        assert_ok(published_stage(&p->files, expected[i].which, BYTES_LIT("x"), FILE_NEW, &stage));
        assert_ok(published_publish(&stage));
        assert_int_equal(stat(p->names[expected[i].which], &s), 0);
        assert_int_equal(s.st_mode & 07777, expected[i].mode);
        assert_int_equal(s.st_uid, expected[i].owner);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(missing_folders_are_made_and_the_innermost_is_private),
        TEST(leftovers_and_their_temporary_names_are_wiped),
        TEST(a_link_in_place_of_a_key_is_removed_and_not_followed),
        TEST(what_cannot_be_removed_stops_the_start),
        TEST(a_key_that_is_replaced_is_overwritten_where_it_lay),
        TEST(a_staged_file_that_is_discarded_leaves_nothing),
        TEST(as_root_keys_and_application_belong_to_the_applications_uid),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
