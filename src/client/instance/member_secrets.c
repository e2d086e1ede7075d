// Places of secrets, and keeping earlier ones (see member_secrets.h).
#include "client/instance/member_secrets.h"

#include "base/hex.h"
#include "base/log.h"
#include "crypto/hash.h"
#include "crypto/p256.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define SECRET_FILE_MAX 256
#define KEPT_NAME_BYTES 8 // of the hash in a second name
#define FOLDER_MODE 0700

static enum q_err stem_beside(const char *request, struct arena *a, const char **out)
{
    static const char ending[] = ".json";
    size_t n = strlen(request), m = sizeof ending - 1;
    const char *slash = strrchr(request, '/');
    size_t name = slash == NULL ? n : n - (size_t)(slash + 1 - request);
    if (name > m && strcmp(request + n - m, ending) == 0)
        n -= m;
    struct bytes stem;
    TRY(arena_printf(a, &stem, "%.*s.", (int)n, request));
    *out = (const char *)stem.p;
    return Q_OK;
}

enum q_err secret_place_choose(const char *request, const char *keys_dir, struct arena *a,
                               struct secret_place *out)
{
    struct bytes stem;
    if (keys_dir == NULL)
        return stem_beside(request, a, &out->stem);
    TRY(arena_printf(a, &stem, "%s/", keys_dir));
    out->stem = (const char *)stem.p;
    return file_make_parents(out->stem, FOLDER_MODE);
}

static enum q_err folder_of(const char *stem, struct arena *a, const char **out)
{
    const char *slash = strrchr(stem, '/');
    struct bytes folder;
    *out = ".";
    if (slash == NULL)
        return Q_OK;
    TRY(arena_printf(a, &folder, "%.*s", (int)(slash - stem + 1), stem));
    *out = (const char *)folder.p;
    return Q_OK;
}

static enum q_err wait_for_lock(int fd, const char *folder)
{
    if (flock(fd, LOCK_EX | LOCK_NB) == 0)
        return Q_OK;
    if (errno == EWOULDBLOCK)
        log_info("%s: waiting for another program that has this folder locked", folder);
    while (flock(fd, LOCK_EX) != 0) {
        if (errno != EINTR)
            return fail_os(errno, "%s: cannot be locked", folder);
    }
    return Q_OK;
}

enum q_err secret_place_lock(struct secret_place *p, struct arena *a)
{
    const char *folder;
    TRY(folder_of(p->stem, a, &folder));
    p->lock = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (p->lock < 0)
        return fail_os(errno, "%s: cannot be opened as a folder", folder);
    return wait_for_lock(p->lock, folder);
}

void secret_place_unlock(struct secret_place *p)
{
    if (p->lock >= 0)
        (void)close(p->lock);
    p->lock = -1;
}

enum q_err secret_path(const struct secret_place *p, const char *alias, struct arena *a,
                       const char **out)
{
    struct bytes path;
    TRY(arena_printf(a, &path, "%s%s.secret", p->stem, alias));
    *out = (const char *)path.p;
    return Q_OK;
}

static enum q_err not_ours(const char *path, const char *found)
{
    return fail(Q_EXISTS,
                "%s: expected nothing, or a member's secret of an earlier run, found %s; it is not "
                "replaced without --force",
                path, found);
}

// Nobody else may have put it there, in /tmp for instance; and it is never waited for.
static enum q_err check_own_file(const char *path, struct stat *s)
{
    if (lstat(path, s) != 0)
        return fail_os(errno, "%s", path);
    if (!S_ISREG(s->st_mode))
        return not_ours(path, "no regular file");
    if (s->st_uid != geteuid())
        return not_ours(path, "a file of another user");
    return Q_OK;
}

static enum q_err second_name(const struct secret_place *p, const char *alias, const char *path,
                              struct arena *a, const char **out)
{
    SECRET_AUTO text = {0}, seed = {0};
    P256_PAIR_AUTO *pair = NULL;
    BUF_AUTO hex = {0};
    uint8_t hash[SHA256_SIZE];
    struct bytes name;
    TRY(file_read_secret(path, SECRET_FILE_MAX, &text));
    if (hex_decode_secret(secret_bytes(&text), P256_SEED_SIZE, &seed) != Q_OK ||
        p256_pair_from_seed_suite(P256_SUITE_RENCLAVE, secret_bytes(&seed), &pair) != Q_OK)
        return not_ours(path, "something else");
    TRY(sha256(p256_public_short(p256_pair_public(pair)), hash));
    TRY(hex_encode(bytes_of(hash, KEPT_NAME_BYTES), &hex));
    const char *print = buf_text(&hex);
    if (print == NULL)
        return Q_NOMEM;
    TRY(arena_printf(a, &name, "%s%s.%s.secret", p->stem, alias, print));
    *out = (const char *)name.p;
    return Q_OK;
}

// A link, so that there is no moment in which the secret has no name.
static enum q_err give_name(struct kept_secret *k, const struct stat *first)
{
    struct stat second;
    k->made = link(k->path, k->kept) == 0;
    if (k->made)
        return Q_OK;
    int cause = errno;
    if (cause == EEXIST && lstat(k->kept, &second) == 0 && second.st_ino == first->st_ino &&
        second.st_dev == first->st_dev)
        return Q_OK;
    return fail_os(cause, "%s: an earlier secret cannot be kept as %s", k->path, k->kept);
}

static enum q_err keep_one(const struct secret_place *p, uint32_t number, uint32_t count,
                           struct arena *a, struct kept_secrets *out)
{
    struct kept_secret k = {.gone = number > count};
    struct stat first;
    struct bytes alias;
    TRY(arena_printf(a, &alias, "member%" PRIu32, number));
    TRY(secret_path(p, (const char *)alias.p, a, &k.path));
    if (!file_exists(k.path))
        return Q_OK;
    TRY(check_own_file(k.path, &first));
    TRY(second_name(p, (const char *)alias.p, k.path, a, &k.kept));
    TRY(give_name(&k, &first));
    out->items[out->n++] = k;
    return Q_OK;
}

enum q_err secrets_keep(const struct secret_place *p, uint32_t count, struct arena *a,
                        struct kept_secrets *out)
{
    for (uint32_t number = 1; number <= SHAMIR_MAX_SHARES; number++)
        TRY(keep_one(p, number, count, a, out));
    return Q_OK;
}

enum q_err kept_secrets_done(struct kept_secrets *k)
{
    k->done = true;
    for (size_t i = 0; i < k->n; i++) {
        log_info("%s: the earlier secret is kept as %s", k->items[i].path, k->items[i].kept);
        if (k->items[i].gone)
            TRY(file_remove(k->items[i].path));
    }
    return Q_OK;
}

// Where a file system cannot exchange names, a failed publication may have left the second one alone.
static bool has_first_name(const struct kept_secret *k)
{
    struct stat first, second;
    return lstat(k->path, &first) == 0 && lstat(k->kept, &second) == 0 &&
           first.st_ino == second.st_ino && first.st_dev == second.st_dev;
}

void kept_secrets_undo(struct kept_secrets *k)
{
    for (size_t i = 0; !k->done && i < k->n; i++) {
        if (k->items[i].made && has_first_name(&k->items[i]))
            (void)unlink(k->items[i].kept);
    }
}
