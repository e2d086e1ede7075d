// Finds, makes and locks the folder of the simulated TEE, and reads its role (see sim_dir.h).
#include "tee/sim_dir.h"

#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#define MAX_ROLE_FILE 4096
#define MAX_ROLE 2048 // IAM's limit of an ARN

static enum q_err default_path(struct arena *a, const char **out)
{
    const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
    if (state != NULL && state[0] == '/')
        return file_join(a, state, "quorate/sim", out);
    if (home != NULL && home[0] == '/')
        return file_join(a, home, ".local/state/quorate/sim", out);
    return fail(Q_MISSING, "--sim-dir: expected a folder, or HOME to find one, found neither");
}

static enum q_err make_folder(const char *path, struct arena *a)
{
    const char *inside = NULL;
    TRY(file_join(a, path, "role.txt", &inside));
    return file_make_parents(inside, 0700);
}

static enum q_err take_lock(struct sim_dir *d)
{
    d->lock = open(d->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (d->lock < 0)
        return fail_os(errno, "%s: cannot be opened as a folder", d->path);
    int result;
    do {
        result = flock(d->lock, LOCK_EX);
    } while (result != 0 && errno == EINTR);
    return result == 0 ? Q_OK : fail_os(errno, "%s: cannot be locked", d->path);
}

enum q_err sim_dir_open(const char *path, struct arena *a, struct sim_dir *out)
{
    *out = (struct sim_dir){.path = path, .lock = -1};
    if (path == NULL)
        TRY(default_path(a, &out->path));
    TRY(make_folder(out->path, a));
    enum q_err err = take_lock(out);
    if (err != Q_OK)
        sim_dir_close(out);
    return err;
}

void sim_dir_close(struct sim_dir *d)
{
    if (d->lock >= 0)
        (void)close(d->lock);
    d->lock = -1;
}

enum q_err sim_dir_role(const struct sim_dir *d, struct arena *a, struct bytes *out)
{
    const char *path = NULL;
    TRY(file_join(a, d->path, "role.txt", &path));
    struct file_list left;
    TRY(file_leftovers(path, a, &left));
    for (size_t i = 0; i < left.n; i++)
        TRY(file_remove(left.names[i]));
    if (!file_exists(path))
        TRY(file_write(path, BYTES_LIT(SIM_DEFAULT_ROLE "\n"), 0644, FILE_NEW));
    BUF_AUTO contents = {0};
    TRY(file_read(path, MAX_ROLE_FILE, &contents));
    struct bytes role = bytes_trim(bytes_first_line(buf_bytes(&contents)));
    if (role.n == 0 || role.n > MAX_ROLE)
        return fail(Q_BAD_INPUT,
                    "%s: expected a role of 1 to %d bytes in the first line, found %zu", path,
                    MAX_ROLE, role.n);
    return arena_copy(a, role, out);
}
