// A temporary folder for one test, and files in it.
#ifndef QUORATE_TESTS_CLIENT_FOLDER_H
#define QUORATE_TESTS_CLIENT_FOLDER_H

#include "cmocka_setup.h"

#include "base/file.h"

#include <dirent.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

struct folder {
    char path[64];
    char joined[512]; // of the last folder_path
};

#define FOLDER_HELPER static inline __attribute__((unused))

FOLDER_HELPER int folder_make(void **state)
{
    struct folder *f = calloc(1, sizeof *f);
    assert_non_null(f);
    (void)snprintf(f->path, sizeof f->path, "/tmp/quorate-test-XXXXXX");
    assert_non_null(mkdtemp(f->path));
    *state = f;
    return 0;
}

FOLDER_HELPER const char *folder_path(struct folder *f, const char *name)
{
    int n = snprintf(f->joined, sizeof f->joined, "%s/%s", f->path, name);
    assert_true(n > 0 && (size_t)n < sizeof f->joined);
    return f->joined;
}

FOLDER_HELPER int folder_remove(void **state)
{
    struct folder *f = *state;
    DIR *d = opendir(f->path);
    assert_non_null(d);
    for (const struct dirent *e = readdir(d); e != NULL; e = readdir(d)) {
        if (e->d_name[0] == '.' && (e->d_name[1] == '\0' || e->d_name[1] == '.'))
            continue;
        const char *path = folder_path(f, e->d_name);
        if (unlink(path) != 0)
            assert_int_equal(rmdir(path), 0);
    }
    (void)closedir(d);
    assert_int_equal(rmdir(f->path), 0);
    free(f);
    return 0;
}

FOLDER_HELPER void folder_file(struct folder *f, const char *name, const char *contents)
{
    assert_ok(file_write(folder_path(f, name), bytes_str(contents), 0644, FILE_REPLACE));
}

#endif
