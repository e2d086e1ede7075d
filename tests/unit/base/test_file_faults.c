// Publishing files on a disk that fails at any call: every path is as it was, and nothing else is left.
#include "../cmocka_setup.h"

#include "base/arena.h"
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

// The linker gives the calls of the code under test to these; the one that fails_in counts down to fails.
static int fails_in;
static bool no_exchange;

static bool now(void)
{
    return fails_in > 0 && --fails_in == 0;
}

int __real_fsync(int fd);
int __wrap_fsync(int fd);
int __wrap_fsync(int fd)
{
    if (!now())
        return __real_fsync(fd);
    errno = EIO;
    return -1;
}

ssize_t __real_write(int fd, const void *p, size_t n);
ssize_t __wrap_write(int fd, const void *p, size_t n);
ssize_t __wrap_write(int fd, const void *p, size_t n)
{
    if (!now())
        return __real_write(fd, p, n);
    errno = ENOSPC;
    return -1;
}

int __real_fchmod(int fd, mode_t mode);
int __wrap_fchmod(int fd, mode_t mode);
int __wrap_fchmod(int fd, mode_t mode)
{
    if (!now())
        return __real_fchmod(fd, mode);
    errno = EPERM;
    return -1;
}

int __real_renameat2(int from_folder, const char *from, int to_folder, const char *to,
                     unsigned flags);
int __wrap_renameat2(int from_folder, const char *from, int to_folder, const char *to,
                     unsigned flags);
int __wrap_renameat2(int from_folder, const char *from, int to_folder, const char *to,
                     unsigned flags)
{
    if (no_exchange) {
        errno = EINVAL;
        return -1;
    }
    if (!now())
        return __real_renameat2(from_folder, from, to_folder, to, flags);
    errno = EIO;
    return -1;
}

static char folder[64];

static const char *in_folder(const char *name)
{
    static char path[4][256];
    static unsigned turn;
    char *p = path[turn++ % 4];
    (void)snprintf(p, sizeof path[0], "%s/%s", folder, name);
    return p;
}

static int make_folder(void **state)
{
    (void)state;
    (void)snprintf(folder, sizeof folder, "/tmp/quorate-test-XXXXXX");
    return mkdtemp(folder) == NULL ? -1 : 0;
}

static void remove_files(void)
{
    ARENA_AUTO a = {0};
    struct file_list list;
    fails_in = 0;
    no_exchange = false;
    assert_ok(file_list(folder, &a, &list));
    for (size_t i = 0; i < list.n; i++)
        assert_int_equal(unlink(in_folder(list.names[i])), 0);
}

static int remove_folder(void **state)
{
    (void)state;
    remove_files();
    return rmdir(folder);
}

static size_t entries(void)
{
    ARENA_AUTO a = {0};
    struct file_list list;
    assert_ok(file_list(folder, &a, &list));
    return list.n;
}

static void assert_contents(const char *name, struct bytes expected)
{
    BUF_AUTO b = {0};
    assert_ok(file_read(in_folder(name), 100, &b));
    assert_bytes(buf_bytes(&b), expected);
}

static void a_new_file_that_a_call_fails_for_is_not_there(void **state)
{
    (void)state;
    enum q_err err = Q_IO;
    int calls = 0;
    while (err != Q_OK) {
        fails_in = ++calls;
        err = file_write(in_folder("new"), BYTES_LIT("contents"), 0600, FILE_NEW);
        assert_true(err == Q_OK || err == Q_IO);
        assert_int_equal(entries(), err == Q_OK ? 1 : 0);
        assert_true(calls < 20);
    }
    assert_int_equal(calls, 6); // write, fchmod, fsync, renameat2, fsync of the folder; then none
    assert_contents("new", BYTES_LIT("contents"));
    remove_files();
}

static void a_file_whose_replacement_fails_is_as_it_was(void **state)
{
    (void)state;
    assert_ok(file_write(in_folder("old"), BYTES_LIT("old"), 0600, FILE_NEW));
    struct stat before, after;
    assert_int_equal(stat(in_folder("old"), &before), 0);
    unsigned refused = 0;
    for (int call = 1; call <= 5; call++) {
        fails_in = call;
        enum q_err err = file_write(in_folder("old"), BYTES_LIT("new"), 0600, FILE_REPLACE);
        fails_in = 0;
        assert_int_equal(entries(), 1);
        if (err == Q_OK) { // the exchange failed, and a plain rename did not
            assert_int_equal(call, 4);
            assert_ok(file_write(in_folder("old"), BYTES_LIT("old"), 0600, FILE_REPLACE));
            assert_int_equal(stat(in_folder("old"), &before), 0);
            continue;
        }
        refused++;
        assert_contents("old", BYTES_LIT("old"));
        assert_int_equal(stat(in_folder("old"), &after), 0);
        assert_int_equal(before.st_ino, after.st_ino);
    }
    assert_int_equal(refused, 4);
    remove_files();
}

static void several_files_are_published_all_or_none(void **state)
{
    (void)state;
    assert_ok(file_write(in_folder("a"), BYTES_LIT("old a"), 0600, FILE_NEW));
    for (int call = 1;; call++) {
        struct staged_file a, b, c;
        assert_ok(file_stage(in_folder("a"), BYTES_LIT("new a"), 0600, FILE_OWNER_UNCHANGED,
                             FILE_REPLACE, &a));
        assert_ok(file_stage(in_folder("b"), BYTES_LIT("new b"), 0600, FILE_OWNER_UNCHANGED,
                             FILE_REPLACE, &b));
        assert_ok(file_stage(in_folder("c"), BYTES_LIT("new c"), 0600, FILE_OWNER_UNCHANGED,
                             FILE_NEW, &c));
        struct staged_file *const all[] = {&a, &b, &c};
        fails_in = call;
        enum q_err err = file_publish_all(all, 3);
        bool no_call_failed = fails_in > 0;
        fails_in = 0;
        for (size_t i = 0; i < 3; i++)
            file_discard(all[i]);
        assert_int_equal(entries(), err == Q_OK ? 3 : 1);
        assert_contents("a", err == Q_OK ? BYTES_LIT("new a") : BYTES_LIT("old a"));
        if (no_call_failed)
            break;
        if (err == Q_OK) {
            assert_int_equal(unlink(in_folder("b")), 0);
            assert_int_equal(unlink(in_folder("c")), 0);
            assert_ok(file_write(in_folder("a"), BYTES_LIT("old a"), 0600, FILE_REPLACE));
        }
        assert_true(call < 20);
    }
    assert_contents("b", BYTES_LIT("new b"));
    assert_contents("c", BYTES_LIT("new c"));
    remove_files();
}

static void a_file_system_without_exchange_replaces_and_refuses_all_the_same(void **state)
{
    (void)state;
    no_exchange = true;
    assert_ok(file_write(in_folder("x"), BYTES_LIT("first"), 0600, FILE_NEW));
    assert_refused(file_write(in_folder("x"), BYTES_LIT("other"), 0600, FILE_NEW), Q_EXISTS,
                   "exists already");
    assert_ok(file_write(in_folder("x"), BYTES_LIT("second"), 0600, FILE_REPLACE));
    assert_contents("x", BYTES_LIT("second"));
    assert_int_equal(entries(), 1);
    remove_files();
}

static void a_link_or_folder_is_never_exchanged(void **state)
{
    (void)state;
    assert_ok(file_write(in_folder("target"), BYTES_LIT("target"), 0600, FILE_NEW));
    assert_int_equal(symlink("target", in_folder("link")), 0);
    assert_ok(file_write(in_folder("link"), BYTES_LIT("own"), 0600, FILE_REPLACE));
    assert_contents("link", BYTES_LIT("own"));
    assert_contents("target", BYTES_LIT("target"));
    assert_int_equal(mkdir(in_folder("folder"), 0700), 0);
    assert_refused(file_write(in_folder("folder"), BYTES_LIT("own"), 0600, FILE_REPLACE), Q_IO,
                   "folder: cannot be put in place");
    assert_int_equal(rmdir(in_folder("folder")), 0);
    assert_int_equal(entries(), 2);
    remove_files();
}

static void leftovers_are_the_temporary_files_of_that_name_only(void **state)
{
    (void)state;
    static const char *const others[] = {"f",
                                         ".f.tmp",
                                         ".f.0123456789ab",
                                         ".f.0123456789aX.tmp",
                                         ".g.0123456789ab.tmp",
                                         ".f.0123456789ab0.tmp"};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        assert_ok(file_write(in_folder(others[i]), BYTES_LIT("x"), 0600, FILE_NEW));
    struct staged_file s;
    assert_ok(
        file_stage(in_folder("f"), BYTES_LIT("y"), 0600, FILE_OWNER_UNCHANGED, FILE_REPLACE, &s));
    ARENA_AUTO a = {0};
    struct file_list left;
    assert_ok(file_leftovers(in_folder("f"), &a, &left));
    assert_int_equal(left.n, 1);
    assert_string_equal(left.names[0], s.temporary);
    file_discard(&s);
    assert_ok(file_leftovers(in_folder("f"), &a, &left));
    assert_int_equal(left.n, 0);
    assert_refused(file_leftovers(in_folder("no/f"), &a, &left), Q_IO, "no: cannot be opened");
    remove_files();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_new_file_that_a_call_fails_for_is_not_there),
        cmocka_unit_test(a_file_whose_replacement_fails_is_as_it_was),
        cmocka_unit_test(several_files_are_published_all_or_none),
        cmocka_unit_test(a_file_system_without_exchange_replaces_and_refuses_all_the_same),
        cmocka_unit_test(a_link_or_folder_is_never_exchanged),
        cmocka_unit_test(leftovers_are_the_temporary_files_of_that_name_only),
    };
    return cmocka_run_group_tests_name("base/file_faults", tests, make_folder, remove_folder);
}
