// Writing files: prepared under a temporary name, synced, then published in one act (see file.h).
#include "base/file.h"

#include "base/arena.h"
#include "base/random.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static enum q_err write_all(int fd, const char *path, struct bytes contents)
{
    while (contents.n > 0) {
        ssize_t step = write(fd, contents.p, contents.n);
        if (step < 0 && errno == EINTR)
            continue;
        if (step < 0)
            return fail_os(errno, "%s: cannot be written", path);
        contents.p += step;
        contents.n -= (size_t)step;
    }
    return Q_OK;
}

// ".<name>.<random>.tmp" in the folder of path, so that the rename stays on one file system.
static enum q_err temporary_name(const char *path, char **out)
{
    uint8_t r[6];
    TRY(random_bytes(r, sizeof r));
    const char *slash = strrchr(path, '/');
    int folder = slash == NULL ? 0 : (int)(slash - path + 1);
    int n = asprintf(out, "%.*s.%s.%02x%02x%02x%02x%02x%02x.tmp", folder, path, path + folder, r[0],
                     r[1], r[2], r[3], r[4], r[5]);
    if (n < 0) {
        *out = NULL;
        return fail(Q_NOMEM, "%s: no memory for a temporary name", path);
    }
    return Q_OK;
}

static bool is_temporary_of(const char *entry, const char *name)
{
    size_t n = strlen(name);
    return strlen(entry) == n + 18 && entry[0] == '.' && strncmp(entry + 1, name, n) == 0 &&
           entry[n + 1] == '.' && strcmp(entry + n + 14, ".tmp") == 0 &&
           strspn(entry + n + 2, "0123456789abcdef") == 12;
}

enum q_err file_leftovers(const char *path, struct arena *a, struct file_list *out)
{
    const char *slash = strrchr(path, '/'), *folder = ".";
    const char *name = slash == NULL ? path : slash + 1;
    struct bytes part;
    if (slash != NULL) {
        TRY(arena_printf(a, &part, "%.*s", slash == path ? 1 : (int)(slash - path), path));
        folder = (const char *)part.p;
    }
    struct file_list all;
    TRY(file_list(folder, a, &all));
    *out = (struct file_list){.names = all.names}; // what is kept moves to the front
    for (size_t i = 0; i < all.n; i++) {
        if (is_temporary_of(all.names[i], name))
            TRY(file_join(a, folder, all.names[i], &out->names[out->n++]));
    }
    return Q_OK;
}

static enum q_err fill(int fd, const char *path, struct bytes contents, mode_t mode, uid_t owner)
{
    // The file was made without any permission; it gets its own only now, whatever the umask says.
    TRY(write_all(fd, path, contents));
    if (owner != FILE_OWNER_UNCHANGED && fchown(fd, owner, (gid_t)-1) != 0)
        return fail_os(errno, "%s: owner cannot be set to uid %u", path, (unsigned)owner);
    if (fchmod(fd, mode) != 0)
        return fail_os(errno, "%s: mode cannot be set to %04o", path, (unsigned)mode);
    if (fsync(fd) != 0)
        return fail_os(errno, "%s: cannot be synced to disk", path);
    return Q_OK;
}

// What was written of a file that is not to be may be a secret.
void file_blank(int fd)
{
    static const uint8_t zeros[4096];
    struct stat s;
    if (fstat(fd, &s) != 0)
        return;
    for (off_t at = 0; at < s.st_size; at += (off_t)sizeof zeros) {
        size_t left = (size_t)(s.st_size - at);
        if (pwrite(fd, zeros, left < sizeof zeros ? left : sizeof zeros, at) < 0)
            return;
    }
}

enum q_err file_stage(const char *path, struct bytes contents, mode_t mode, uid_t owner,
                      enum file_rule rule, struct staged_file *out)
{
    *out = (struct staged_file){.rule = rule};
    if (rule == FILE_NEW && file_exists(path))
        return fail(Q_EXISTS, "%s: exists already and is not replaced", path);
    out->path = strdup(path);
    if (out->path == NULL)
        return fail(Q_NOMEM, "%s: no memory for its name", path);
    enum q_err err = temporary_name(path, &out->temporary);
    int fd = -1;
    if (err == Q_OK) {
        fd = open(out->temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0200);
        if (fd < 0) {
            err = fail_os(errno, "%s: cannot be written", path);
            free(out->temporary); // nothing of ours is there to remove
            out->temporary = NULL;
        }
    }
    if (err == Q_OK) {
        err = fill(fd, path, contents, mode, owner);
        if (err != Q_OK)
            file_blank(fd);
    }
    if (fd >= 0 && close(fd) != 0 && err == Q_OK)
        err = fail_os(errno, "%s: cannot be closed", path);
    if (err != Q_OK)
        file_discard(out);
    return err;
}

static enum q_err sync_folder(const char *path)
{
    char *folder = strdup(path);
    if (folder == NULL)
        return fail(Q_NOMEM, "%s: no memory for the name of its folder", path);
    char *slash = strrchr(folder, '/');
    if (slash != NULL)
        slash[slash == folder ? 1 : 0] = '\0';
    int fd = open(slash == NULL ? "." : folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    enum q_err err = Q_OK;
    if (fd < 0 || fsync(fd) != 0)
        err = fail_os(errno, "folder of %s: cannot be synced to disk", path);
    if (fd >= 0)
        (void)close(fd);
    free(folder);
    return err;
}

// A new file is never renamed over another: the check and the act are one, also when the name was taken
// a moment ago.
static enum q_err place_new(const struct staged_file *s)
{
    if (renameat2(AT_FDCWD, s->temporary, AT_FDCWD, s->path, RENAME_NOREPLACE) == 0)
        return Q_OK;
    if (errno == EEXIST)
        return fail(Q_EXISTS, "%s: exists already and is not replaced", s->path);
    if (errno != EINVAL && errno != ENOSYS)
        return fail_os(errno, "%s: cannot be put in place", s->path);
    // A file system without RENAME_NOREPLACE: link and unlink say the same in two steps.
    if (link(s->temporary, s->path) != 0)
        return errno == EEXIST ? fail(Q_EXISTS, "%s: exists already and is not replaced", s->path)
                               : fail_os(errno, "%s: cannot be put in place", s->path);
    (void)unlink(s->temporary);
    return Q_OK;
}

// A file changes places with the one it replaces, so that this can be undone.
static enum q_err place_over(struct staged_file *s)
{
    struct stat old;
    bool over = lstat(s->path, &old) == 0;
    if (over && S_ISREG(old.st_mode) &&
        renameat2(AT_FDCWD, s->temporary, AT_FDCWD, s->path, RENAME_EXCHANGE) == 0) {
        s->placed = FILE_EXCHANGED;
        return Q_OK;
    }
    if (rename(s->temporary, s->path) != 0)
        return fail_os(errno, "%s: cannot be put in place", s->path);
    s->placed = over ? FILE_PLACED_OVER : FILE_PLACED;
    return Q_OK;
}

static void take_back(struct staged_file *s)
{
    if (s->placed == FILE_PLACED)
        (void)rename(s->path, s->temporary);
    else if (s->placed == FILE_EXCHANGED)
        (void)renameat2(AT_FDCWD, s->temporary, AT_FDCWD, s->path, RENAME_EXCHANGE);
    s->placed = FILE_STAGED;
}

static enum q_err place(struct staged_file *s)
{
    if (s->rule == FILE_NEW) {
        TRY(place_new(s));
        s->placed = FILE_PLACED;
    } else {
        TRY(place_over(s));
    }
    return sync_folder(s->path);
}

enum q_err file_publish_all(struct staged_file *const *files, size_t n)
{
    enum q_err err = Q_OK;
    size_t i = 0;
    for (; i < n && err == Q_OK; i++)
        err = place(files[i]);
    while (err != Q_OK && i-- > 0)
        take_back(files[i]);
    for (i = 0; i < n && err == Q_OK; i++)
        file_discard(files[i]);
    return err;
}

enum q_err file_publish(struct staged_file *s)
{
    return file_publish_all(&s, 1);
}

void file_discard(struct staged_file *s)
{
    // After an exchange the old contents have the temporary name.
    if (s->temporary != NULL && (s->placed == FILE_STAGED || s->placed == FILE_EXCHANGED))
        (void)unlink(s->temporary);
    free(s->temporary);
    free(s->path);
    *s = (struct staged_file){0};
}

enum q_err file_write(const char *path, struct bytes contents, mode_t mode, enum file_rule rule)
{
    struct staged_file s;
    TRY(file_stage(path, contents, mode, FILE_OWNER_UNCHANGED, rule, &s));
    enum q_err err = file_publish(&s);
    if (err != Q_OK)
        file_discard(&s);
    return err;
}
