// Files: read with a limit, written whole or not at all.
#include "../cmocka_setup.h"

#include "base/arena.h"
#include "base/file.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[64];

static const char *in_folder(const char *name)
{
    static char path[4][256];
    static unsigned turn;
    char *p = path[turn++ % 4];
    (void)snprintf(p, sizeof path[0], "%s/%s", folder, name);
    return p;
}

static size_t entries(void)
{
    ARENA_AUTO a = {0};
    struct file_list list;
    assert_ok(file_list(folder, &a, &list));
    return list.n;
}

static int make_folder(void **state)
{
    (void)state;
    (void)snprintf(folder, sizeof folder, "/tmp/quorate-test-XXXXXX");
    return mkdtemp(folder) == NULL ? -1 : 0;
}

static int remove_folder(void **state)
{
    (void)state;
    ARENA_AUTO a = {0};
    struct file_list list;
    if (file_list(folder, &a, &list) != Q_OK)
        return -1;
    for (size_t i = 0; i < list.n; i++)
        (void)unlink(in_folder(list.names[i]));
    return rmdir(folder);
}

static void a_file_is_read_up_to_its_limit(void **state)
{
    (void)state;
    assert_ok(file_write(in_folder("a"), BYTES_LIT("12345"), 0644, FILE_NEW));
    BUF_AUTO b = {0};
    assert_ok(file_read(in_folder("a"), 5, &b));
    assert_bytes(buf_bytes(&b), BYTES_LIT("12345"));
    BUF_AUTO c = {0};
    assert_refused(file_read(in_folder("a"), 4, &c), Q_LIMIT, "at most 4 bytes");
    assert_refused(file_read(in_folder("none"), 4, &c), Q_IO, "none: cannot be opened");
    assert_refused(file_read(folder, 4, &c), Q_BAD_INPUT, "found a folder");
}

static void what_is_no_regular_file_is_refused_without_waiting(void **state)
{
    (void)state;
    BUF_AUTO b = {0};
    assert_ok(file_write(in_folder("a"), BYTES_LIT("12345"), 0644, FILE_REPLACE));
    assert_int_equal(symlink("a", in_folder("link")), 0);
    assert_int_equal(symlink("/dev/zero", in_folder("device")), 0);
    assert_int_equal(mkfifo(in_folder("fifo"), 0600), 0);
    assert_ok(file_read_regular(in_folder("link"), 5, &b));
    assert_bytes(buf_bytes(&b), BYTES_LIT("12345"));
    assert_refused(file_read_no_link(in_folder("link"), 5, &b), Q_IO, "link: cannot be opened");
    assert_refused(file_read_no_link(in_folder("fifo"), 5, &b), Q_BAD_INPUT, "found a FIFO");
    assert_refused(file_read_regular(in_folder("a"), 4, &b), Q_LIMIT, "at most 4 bytes");
    assert_refused(file_read_regular(in_folder("none"), 4, &b), Q_IO, "none: cannot be opened");
    assert_refused(file_read_regular(in_folder("fifo"), 4, &b), Q_BAD_INPUT,
                   "fifo: expected a regular file, found a FIFO");
    assert_refused(file_read_regular(in_folder("device"), 4, &b), Q_BAD_INPUT, "found a device");
    assert_refused(file_read_regular(folder, 4, &b), Q_BAD_INPUT, "found a folder");
}

static void a_new_file_never_replaces_one(void **state)
{
    (void)state;
    assert_ok(file_write(in_folder("new"), BYTES_LIT("first"), 0600, FILE_NEW));
    size_t before = entries();
    assert_refused(file_write(in_folder("new"), BYTES_LIT("second"), 0600, FILE_NEW), Q_EXISTS,
                   "exists already");
    assert_int_equal(entries(), before);
    BUF_AUTO b = {0};
    assert_ok(file_read(in_folder("new"), 100, &b));
    assert_bytes(buf_bytes(&b), BYTES_LIT("first"));
}

static void the_name_taken_between_stage_and_publish_is_kept(void **state)
{
    (void)state;
    struct staged_file s;
    assert_ok(
        file_stage(in_folder("race"), BYTES_LIT("ours"), 0600, FILE_OWNER_UNCHANGED, FILE_NEW, &s));
    assert_ok(file_write(in_folder("race"), BYTES_LIT("theirs"), 0600, FILE_NEW));
    size_t before = entries();
    assert_refused(file_publish(&s), Q_EXISTS, "race: exists already");
    file_discard(&s);
    assert_int_equal(entries(), before - 1); // the temporary file is gone
    BUF_AUTO b = {0};
    assert_ok(file_read(in_folder("race"), 100, &b));
    assert_bytes(buf_bytes(&b), BYTES_LIT("theirs"));
}

static void modes_do_not_depend_on_the_umask(void **state)
{
    (void)state;
    struct stat st;
    mode_t old = umask(0);
    assert_ok(file_write(in_folder("secret"), BYTES_LIT("s"), 0600, FILE_NEW));
    umask(0077);
    assert_ok(file_write(in_folder("public"), BYTES_LIT("p"), 0644, FILE_REPLACE));
    umask(old);
    assert_int_equal(stat(in_folder("secret"), &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    assert_int_equal(stat(in_folder("public"), &st), 0);
    assert_int_equal(st.st_mode & 07777, 0644);
}

static void a_discarded_file_leaves_nothing(void **state)
{
    (void)state;
    size_t before = entries();
    struct staged_file s;
    assert_ok(
        file_stage(in_folder("x"), BYTES_LIT("1"), 0600, FILE_OWNER_UNCHANGED, FILE_REPLACE, &s));
    assert_int_equal(entries(), before + 1);
    file_discard(&s);
    file_discard(&s);
    assert_int_equal(entries(), before);
    assert_refused(file_write(in_folder("no/such/folder"), BYTES_LIT("1"), 0600, FILE_REPLACE),
                   Q_IO, "no/such/folder: cannot be written");
}

static void replacing_is_atomic_and_keeps_the_name(void **state)
{
    (void)state;
    assert_ok(file_write(in_folder("r"), BYTES_LIT("one"), 0644, FILE_REPLACE));
    size_t before = entries();
    assert_ok(file_write(in_folder("r"), BYTES_LIT("two"), 0644, FILE_REPLACE));
    assert_int_equal(entries(), before);
    BUF_AUTO b = {0};
    assert_ok(file_read(in_folder("r"), 100, &b));
    assert_bytes(buf_bytes(&b), BYTES_LIT("two"));
}

static void a_secret_is_read_from_a_pipe(void **state)
{
    (void)state;
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(write(ends[1], "0011", 4), 4);
    (void)close(ends[1]);
    char path[64];
    (void)snprintf(path, sizeof path, "/dev/fd/%d", ends[0]);
    SECRET_AUTO s = {0};
    assert_ok(file_read_secret(path, 100, &s));
    assert_bytes(secret_bytes(&s), BYTES_LIT("0011"));
    (void)close(ends[0]);
    assert_ok(file_write(in_folder("empty"), BYTES_LIT(""), 0600, FILE_NEW));
    SECRET_AUTO none = {0};
    assert_refused(file_read_secret(in_folder("empty"), 100, &none), Q_BAD_INPUT, "empty file");
}

static void names_are_joined_and_parents_made(void **state)
{
    (void)state;
    ARENA_AUTO a = {0};
    const char *joined;
    assert_ok(file_join(&a, "d", "f", &joined));
    assert_string_equal(joined, "d/f");
    assert_ok(file_join(&a, "/", "f", &joined));
    assert_string_equal(joined, "/f");
    assert_ok(file_make_parents(in_folder("p/q/file"), 0700));
    struct stat st;
    assert_int_equal(stat(in_folder("p/q"), &st), 0);
    assert_int_equal(rmdir(in_folder("p/q")), 0);
    assert_int_equal(rmdir(in_folder("p")), 0);
    assert_ok(file_remove(in_folder("not-there")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_is_read_up_to_its_limit),
        cmocka_unit_test(what_is_no_regular_file_is_refused_without_waiting),
        cmocka_unit_test(a_new_file_never_replaces_one),
        cmocka_unit_test(the_name_taken_between_stage_and_publish_is_kept),
        cmocka_unit_test(modes_do_not_depend_on_the_umask),
        cmocka_unit_test(a_discarded_file_leaves_nothing),
        cmocka_unit_test(replacing_is_atomic_and_keeps_the_name),
        cmocka_unit_test(a_secret_is_read_from_a_pipe),
        cmocka_unit_test(names_are_joined_and_parents_made),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
