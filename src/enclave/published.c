// The application's files: staging, publication, leftovers (see published.h).
#include "enclave/published.h"

#include "base/arena.h"
#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct file_kind {
    const char *name;
    mode_t mode;
    bool secret;
    bool app_owned;
} kinds[PUBLISHED_COUNT] = {
    [PUBLISHED_EPHEMERAL] = {"ephemeral key", 0400, true, true},
    [PUBLISHED_QUORUM] = {"quorum key", 0400, true, true},
    [PUBLISHED_PIVOT] = {"application", 0500, false, true},
    [PUBLISHED_MANIFEST] = {"manifest", 0444, false, false},
};

static void close_auto(int *fd)
{
    if (*fd >= 0)
        (void)close(*fd);
}
#define FD_AUTO __attribute__((cleanup(close_auto))) int

// A descriptor that can overwrite the regular file at path, or -1. The owner of a 0400 file has to give
// himself leave first. Links are not followed and files with a second name are left alone: the folder may be
// the application's.
static int open_to_overwrite(const char *path)
{
    FD_AUTO reading = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    struct stat s;
    if (reading < 0 || fstat(reading, &s) != 0 || !S_ISREG(s.st_mode) || s.st_nlink != 1)
        return -1;
    (void)fchmod(reading, 0600);
    int writing = open(path, O_WRONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    struct stat again;
    if (writing < 0)
        return -1;
    if (fstat(writing, &again) == 0 && again.st_ino == s.st_ino && again.st_dev == s.st_dev)
        return writing;
    (void)close(writing);
    return -1;
}

static void overwrite(int fd)
{
    file_blank(fd);
    (void)fsync(fd);
}

static void wipe_and_remove(const char *path, bool secret)
{
    FD_AUTO fd = secret ? open_to_overwrite(path) : -1;
    if (fd >= 0)
        overwrite(fd);
    if (file_remove(path) != Q_OK)
        log_error("%s", err_text());
}

void published_wipe(const struct published *p, enum published_file which)
{
    wipe_and_remove(p->paths[which], kinds[which].secret);
}

// Temporary files of this run that could not be removed at their time.
static void wipe_temporaries(const char *path, bool secret)
{
    ARENA_AUTO arena = {0};
    struct file_list list = {0};
    if (file_leftovers(path, &arena, &list) != Q_OK)
        log_error("%s", err_text());
    for (size_t i = 0; i < list.n; i++)
        wipe_and_remove(list.names[i], secret);
}

void published_wipe_all(const struct published *p)
{
    for (int which = 0; which < PUBLISHED_COUNT; which++) {
        published_wipe(p, (enum published_file)which);
        wipe_temporaries(p->paths[which], kinds[which].secret);
    }
}

// The folder part of path ("." when it has none), owned by out.
static enum q_err folder_of(const char *path, struct buf *out)
{
    const char *slash = strrchr(path, '/');
    if (slash == NULL)
        return buf_append_str(out, ".");
    return buf_append(out, bytes_of(path, slash == path ? 1 : (size_t)(slash - path)));
}

static enum q_err give_away(const struct published *p, const char *folder)
{
    if (p->app_uid != geteuid() && chown(folder, p->app_uid, p->app_uid) != 0)
        return fail_os(errno, "%s: owner cannot be set to uid %u", folder, (unsigned)p->app_uid);
    return Q_OK;
}

// A run that was killed while it made the folder left it ours, closed and empty.
static bool was_kept(const char *folder)
{
    ARENA_AUTO arena = {0};
    struct file_list list;
    struct stat s;
    return lstat(folder, &s) == 0 && S_ISDIR(s.st_mode) && s.st_uid == geteuid() &&
           (s.st_mode & 0777) == 0700 && file_list(folder, &arena, &list) == Q_OK && list.n == 0;
}

static enum q_err make_folder(const struct published *p, const char *folder)
{
    if (file_exists(folder))
        return was_kept(folder) ? give_away(p, folder) : Q_OK;
    TRY(file_make_parents(folder, 0755));
    if (mkdir(folder, 0700) != 0)
        return fail_os(errno, "%s: folder cannot be made", folder);
    return give_away(p, folder);
}

// The application must be able to go through every folder above its files; that it cannot is worth a word now,
// not when the quorum key is complete.
static void warn_if_closed(const struct published *p, const char *folder)
{
    char *whole = p->app_uid == 0 ? NULL : realpath(folder, NULL);
    for (char *end = whole; end != NULL; end = strrchr(whole, '/')) {
        struct stat s;
        if (end != whole)
            *end = '\0';
        if (stat(whole, &s) == 0 && (s.st_mode & (s.st_uid == p->app_uid ? S_IXUSR : S_IXOTH)) == 0)
            log_warn("%s: the application (uid %u) cannot enter this folder", whole,
                     (unsigned)p->app_uid);
        if (strrchr(whole, '/') == whole)
            break; // the root folder, which everybody can enter
    }
    free(whole);
}

static void wipe_leftover(const char *path, enum published_file which)
{
    log_warn("%s: a leftover %s of an earlier run, wiped", path, kinds[which].name);
    wipe_and_remove(path, kinds[which].secret);
}

static enum q_err wipe_leftovers(const struct published *p, enum published_file which)
{
    const char *path = p->paths[which];
    ARENA_AUTO arena = {0};
    struct file_list list;
    TRY(file_leftovers(path, &arena, &list));
    for (size_t i = 0; i < list.n; i++)
        wipe_leftover(list.names[i], which);
    if (file_exists(path))
        wipe_leftover(path, which);
    return file_exists(path)
               ? fail(Q_EXISTS, "%s: a leftover of an earlier run that cannot be removed", path)
               : Q_OK;
}

enum q_err published_open(const struct published *p)
{
    for (int which = 0; which < PUBLISHED_COUNT; which++) {
        BUF_AUTO folder = {0};
        TRY(folder_of(p->paths[which], &folder));
        const char *text = buf_text(&folder);
        if (text == NULL)
            return Q_NOMEM;
        TRY(make_folder(p, text));
        if (which == PUBLISHED_PIVOT)
            warn_if_closed(p, text);
        TRY(wipe_leftovers(p, (enum published_file)which));
    }
    return Q_OK;
}

enum q_err published_stage(const struct published *p, enum published_file which,
                           struct bytes contents, enum file_rule rule, struct published_stage *out)
{
    const struct file_kind *kind = &kinds[which];
    uid_t owner = kind->app_owned && p->app_uid != geteuid() ? p->app_uid : FILE_OWNER_UNCHANGED;
    out->secret = kind->secret;
    return file_stage(p->paths[which], contents, kind->mode, owner, rule, &out->file);
}

// The keys that are about to be replaced.
struct replaced {
    int fds[PUBLISHED_COUNT];
    size_t n;
};

static void replaced_end(struct replaced *r)
{
    for (size_t i = 0; i < r->n; i++)
        close_auto(&r->fds[i]);
}

static void overwrite_replaced(const struct replaced *r, enum q_err published)
{
    for (size_t i = 0; i < r->n; i++) {
        if (r->fds[i] < 0)
            continue;
        if (published == Q_OK)
            overwrite(r->fds[i]);
        else
            (void)fchmod(r->fds[i], kinds[PUBLISHED_EPHEMERAL].mode); // it stays what it was
    }
}

enum q_err published_publish_all(struct published_stage *const *stages, size_t n)
{
    __attribute__((cleanup(replaced_end))) struct replaced replaced = {.n = 0};
    struct staged_file *files[PUBLISHED_COUNT] = {0};
    if (n > PUBLISHED_COUNT)
        return fail(Q_INTERNAL, "publication: expected at most %d files, got %zu", PUBLISHED_COUNT,
                    n);
    for (size_t i = 0; i < n; i++) {
        struct published_stage *s = stages[i];
        bool replaces_key = s->secret && s->file.rule == FILE_REPLACE;
        files[i] = &s->file;
        replaced.fds[replaced.n++] = replaces_key ? open_to_overwrite(s->file.path) : -1;
    }
    enum q_err err = file_publish_all(files, n);
    overwrite_replaced(&replaced, err);
    return err;
}

enum q_err published_publish(struct published_stage *s)
{
    return published_publish_all(&s, 1);
}

void published_discard(struct published_stage *s)
{
    if (s->file.temporary != NULL && s->secret)
        wipe_and_remove(s->file.temporary, true);
    file_discard(&s->file);
}
