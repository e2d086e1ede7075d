// Lists become archives with the bytes of an independent model; a list that the kernel would read
// otherwise than it was meant is refused with its line.
#include "../folder.h"
#include "eif_vectors.h"

#include "tee/eif/initramfs.h"

static void write_files(struct folder *folder, struct vector_file *f, const json_t *row)
{
    const char *name;
    json_t *value;
    json_t *files = json_object_get(row, "files");
    json_object_foreach(files, name, value)
    {
        assert_ok(
            file_write(folder_path(folder, name), vector_hex_value(f, value), 0600, FILE_REPLACE));
    }
}

static void archives_have_the_bytes_of_the_model(void **state)
{
    struct folder *folder = *state;
    VECTOR_FILE_AUTO f;
    size_t i;
    json_t *row;
    vector_file_own(&f, "eif/archives.json");
    assert_true(json_array_size(f.root) >= 2);
    json_array_foreach(f.root, i, row)
    {
        ARENA_AUTO a = {0};
        BUF_AUTO out = {0};
        struct initramfs_list list;
        write_files(folder, &f, row);
        assert_ok(initramfs_list_read(bytes_str(vector_text(row, "list")), "list", &a, &list));
        assert_ok(initramfs_write(&list, folder->path, &out));
        assert_bytes(buf_bytes(&out), vector_hex(&f, row, "cpio"));
        assert_int_equal(out.n % 512, 0);
    }
}

static const struct bad_list {
    const char *text, *says;
} bad_lists[] = {
    {"", "list: expected at least one entry"},
    {"# nothing\n\n \t\n", "list: expected at least one entry"},
    {"dir a 0755 0 0\ndir b 0755 0\n", "list: line 2: expected dir NAME MODE UID GID"},
    {"dir a 0755 0 0 0\n", "expected dir NAME MODE UID GID"},
    {"file a b 0755 0\n", "expected file NAME SOURCE MODE UID GID"},
    {"file a b 0755 0 0 c 1 2 3 4\n", "expected file NAME SOURCE MODE UID GID"},
    {"nod a 0600 0 0 c 5\n", "expected nod NAME"},
    {"slink a b 0777 0\n", "expected slink NAME"},
    {"pipe a 0755 0 0\n", "expected file, dir, nod or slink, found \"pipe\""},
    {"dir a 0758 0 0\n", "expected a mode"},
    {"dir a 10000 0 0\n", "expected a mode"},
    {"dir a -755 0 0\n", "expected a mode"},
    {"dir a 0755 4294967296 0\n", "number of a user"},
    {"dir a 0755 root 0\n", "number of a user"},
    {"dir a 0755 0 0x0\n", "number of a group"},
    {"nod a 0600 0 0 p 5 1\n", "expected b or c"},
    {"nod a 0600 0 0 c 5 -1\n", "minor number"},
    {"nod a 0600 0 0 c 99999999999 1\n", "major number"},
    {"dir / 0755 0 0\n", "expected a path without empty parts"},
    {"dir //a 0755 0 0\n", "expected a path without empty parts"},
    {"dir a/ 0755 0 0\n", "expected a path without empty parts"},
    {"dir a 0755 0 0\ndir a/../b 0755 0 0\n", "line 2: expected a path without empty parts"},
    {"dir . 0755 0 0\n", "expected a path without empty parts"},
    {"file TRAILER!!! x 0755 0 0\n", "expected a path without empty parts"},
    {"dir a 0755 0 0\nfile /a x 0755 0 0\n", "line 2: expected a name that no earlier line has"},
    {"file a/b x 0755 0 0\ndir a 0755 0 0\n", "line 1: expected a name in a folder"},
    {"file a x 0755 0 0\nfile a/b x 0755 0 0\n", "line 2: expected a name in a folder"},
    {"dir ab 0755 0 0\ndir a/c 0755 0 0\n", "line 2: expected a name in a folder"},
};

static void lists_that_mean_something_else_are_refused_with_their_line(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof bad_lists / sizeof bad_lists[0]; i++) {
        ARENA_AUTO a = {0};
        struct initramfs_list list;
        assert_refused(initramfs_list_read(bytes_str(bad_lists[i].text), "list", &a, &list),
                       Q_BAD_INPUT, bad_lists[i].says);
    }
}

static void names_and_lists_have_limits(void **state)
{
    (void)state;
    ARENA_AUTO a = {0};
    BUF_AUTO text = {0};
    struct initramfs_list list;
    assert_refused(initramfs_list_read(BYTES_LIT("dir a\0b 0755 0 0\n"), "list", &a, &list),
                   Q_BAD_INPUT, "expected a path of at most 1024 bytes");
    for (unsigned i = 0; i <= INITRAMFS_MAX_ENTRIES; i++)
        assert_ok(buf_printf(&text, "dir d%u 0755 0 0\n", i));
    assert_refused(initramfs_list_read(buf_bytes(&text), "list", &a, &list), Q_LIMIT,
                   "line 4097: expected at most 4096 entries");
    assert_ok(buf_reserve(&text, INITRAMFS_MAX_LIST));
    assert_refused(initramfs_list_read(bytes_of(text.p, INITRAMFS_MAX_LIST + 1), "list", &a, &list),
                   Q_LIMIT, "expected at most 1048576 bytes");
}

static void sources_must_be_regular_files_that_are_there(void **state)
{
    struct folder *folder = *state;
    ARENA_AUTO a = {0};
    BUF_AUTO out = {0};
    struct initramfs_list list;
    assert_ok(initramfs_list_read(BYTES_LIT("\nfile a missing 0755 0 0\n"), "list", &a, &list));
    assert_refused(initramfs_write(&list, folder->path, &out), Q_IO, "line 2: ");
    assert_ok(initramfs_list_read(BYTES_LIT("file a /dev/zero 0755 0 0\n"), "list", &a, &list));
    assert_refused(initramfs_write(&list, folder->path, &out), Q_BAD_INPUT,
                   "expected a regular file, found a device");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(archives_have_the_bytes_of_the_model, folder_make,
                                        folder_remove),
        cmocka_unit_test(lists_that_mean_something_else_are_refused_with_their_line),
        cmocka_unit_test(names_and_lists_have_limits),
        cmocka_unit_test_setup_teardown(sources_must_be_regular_files_that_are_there, folder_make,
                                        folder_remove),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
