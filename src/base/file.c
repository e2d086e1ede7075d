// Reading files, and what concerns folders and paths (see file.h).
#include "base/file.h"

#include "base/arena.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SECRET_FILE_MAX ((size_t)64 << 10)

static void close_auto(int *fd)
{
    if (*fd >= 0)
        (void)close(*fd);
}

static enum q_err open_to_read(const char *path, int *fd)
{
    *fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (*fd < 0)
        return fail_os(errno, "%s: cannot be opened for reading", path);
    struct stat s;
    if (fstat(*fd, &s) != 0)
        return fail_os(errno, "%s: cannot be examined", path);
    if (S_ISDIR(s.st_mode))
        return fail(Q_BAD_INPUT, "%s: expected a file, found a folder", path);
    return Q_OK;
}

static const char *kind_of(mode_t mode)
{
    if (S_ISFIFO(mode))
        return "a FIFO";
    if (S_ISSOCK(mode))
        return "a socket";
    return S_ISDIR(mode) ? "a folder" : "a device";
}

// more: O_NOFOLLOW, or nothing.
static enum q_err open_regular(const char *path, int more, int *fd)
{
    *fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK | more);
    struct stat s;
    if (*fd < 0 || fstat(*fd, &s) != 0)
        return fail_os(errno, "%s: cannot be opened for reading", path);
    if (!S_ISREG(s.st_mode))
        return fail(Q_BAD_INPUT, "%s: expected a regular file, found %s", path, kind_of(s.st_mode));
    return Q_OK;
}

// Reads up to n bytes, fewer only at the end of the file.
static enum q_err read_up_to(int fd, const char *path, uint8_t *out, size_t n, size_t *got)
{
    *got = 0;
    while (*got < n) {
        ssize_t step = read(fd, out + *got, n - *got);
        if (step < 0 && errno == EINTR)
            continue;
        if (step < 0)
            return fail_os(errno, "%s: cannot be read", path);
        if (step == 0)
            break;
        *got += (size_t)step;
    }
    return Q_OK;
}

static enum q_err read_whole(int fd, const char *path, size_t limit, struct buf *out)
{
    size_t start = out->n, chunk = 4096, got;
    struct stat s;
    if (fstat(fd, &s) == 0 && s.st_size > 0 && (uint64_t)s.st_size < limit)
        chunk = (size_t)s.st_size + 1;
    do {
        TRY(buf_reserve(out, chunk));
        TRY(read_up_to(fd, path, out->p + out->n, chunk, &got));
        out->n += got;
        if (out->n - start > limit)
            return fail(Q_LIMIT, "%s: expected at most %zu bytes, found more", path, limit);
    } while (got == chunk);
    return Q_OK;
}

enum q_err file_read(const char *path, size_t limit, struct buf *out)
{
    __attribute__((cleanup(close_auto))) int fd = -1;
    TRY(open_to_read(path, &fd));
    return read_whole(fd, path, limit, out);
}

enum q_err file_read_regular(const char *path, size_t limit, struct buf *out)
{
    __attribute__((cleanup(close_auto))) int fd = -1;
    TRY(open_regular(path, 0, &fd));
    return read_whole(fd, path, limit, out);
}

enum q_err file_read_no_link(const char *path, size_t limit, struct buf *out)
{
    __attribute__((cleanup(close_auto))) int fd = -1;
    TRY(open_regular(path, O_NOFOLLOW, &fd));
    return read_whole(fd, path, limit, out);
}

enum q_err file_read_secret(const char *path, size_t limit, struct secret *out)
{
    __attribute__((cleanup(close_auto))) int fd = -1;
    TRY(open_to_read(path, &fd));
    if (limit == 0 || limit > SECRET_FILE_MAX)
        return fail(Q_INTERNAL, "%s: asked for a secret of at most %zu bytes", path, limit);
    SECRET_AUTO room = {0};
    TRY(secret_new(&room, limit + 1));
    size_t n;
    TRY(read_up_to(fd, path, room.p, limit + 1, &n));
    if (n > limit)
        return fail(Q_LIMIT, "%s: expected at most %zu bytes, found more", path, limit);
    if (n == 0)
        return fail(Q_BAD_INPUT, "%s: expected a secret, found an empty file", path);
    return secret_copy(out, bytes_of(room.p, n));
}

bool file_exists(const char *path)
{
    struct stat s;
    return lstat(path, &s) == 0;
}

enum q_err file_make_parents(const char *path, mode_t mode)
{
    BUF_AUTO folder = {0};
    TRY(buf_append_str(&folder, path));
    if (buf_text(&folder) == NULL)
        return Q_NOMEM;
    char *text = (char *)folder.p;
    for (char *slash = strchr(text + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        if (mkdir(text, mode) != 0 && errno != EEXIST)
            return fail_os(errno, "%s: folder cannot be made", text);
        *slash = '/';
    }
    return Q_OK;
}

enum q_err file_remove(const char *path)
{
    if (unlink(path) != 0 && errno != ENOENT)
        return fail_os(errno, "%s: cannot be removed", path);
    return Q_OK;
}

static int by_name(const void *a, const void *b)
{
    const char *const *left = a, *const *right = b;
    return strcmp(*left, *right);
}

#define FOLDER_MAX_ENTRIES 65536

static enum q_err add_name(struct arena *a, struct buf *names, const char *name)
{
    struct bytes copy;
    TRY(arena_copy(a, bytes_of(name, strlen(name) + 1), &copy));
    const char *text = (const char *)copy.p;
    return buf_append(names, bytes_of(&text, sizeof text));
}

static void closedir_auto(DIR **d)
{
    if (*d != NULL)
        (void)closedir(*d);
}

enum q_err file_list(const char *folder, struct arena *a, struct file_list *out)
{
    __attribute__((cleanup(closedir_auto))) DIR *d = opendir(folder);
    if (d == NULL)
        return fail_os(errno, "%s: cannot be opened as a folder", folder);
    BUF_AUTO names = {0};
    size_t n = 0;
    for (;;) {
        errno = 0;
        const struct dirent *entry = readdir(d);
        if (entry == NULL && errno != 0)
            return fail_os(errno, "%s: cannot be read as a folder", folder);
        if (entry == NULL)
            break;
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        if (++n > FOLDER_MAX_ENTRIES)
            return fail(Q_LIMIT, "%s: expected at most %d entries, found more", folder,
                        FOLDER_MAX_ENTRIES);
        TRY(add_name(a, &names, entry->d_name));
    }
    struct bytes copy;
    TRY(arena_copy(a, buf_bytes(&names), &copy));
    out->names = (const char **)(uintptr_t)copy.p;
    out->n = n;
    qsort(out->names, n, sizeof *out->names, by_name);
    return Q_OK;
}

enum q_err file_join(struct arena *a, const char *folder, const char *name, const char **out)
{
    size_t n = strlen(folder);
    const char *slash = n > 0 && folder[n - 1] == '/' ? "" : "/";
    struct bytes joined;
    TRY(arena_printf(a, &joined, "%s%s%s", folder, slash, name));
    *out = (const char *)joined.p;
    return Q_OK;
}
