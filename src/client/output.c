// Writing the files of a command: staged, then published together (see output.h).
#include "client/output.h"

#include "base/text.h"

#include <stdio.h>
#include <sys/stat.h>

#define SECRET_MODE 0600

// As the original's files: what the umask leaves of 0666. Reading the umask means setting it.
static mode_t public_mode(void)
{
    mode_t mask = umask(022);
    (void)umask(mask);
    return 0666 & ~mask;
}

enum q_err output_check(const struct output *o, const char *path)
{
    if (!o->force && file_exists(path))
        return fail(Q_EXISTS, "%s: exists already and is not replaced without --force", path);
    return Q_OK;
}

// A secret where something for everybody is to go: a slip of the hand. Where the umask leaves nothing to others,
// it cannot be told apart.
static enum q_err spare_secret(const char *path)
{
    const mode_t others = S_IRWXG | S_IRWXO;
    struct stat s;
    if (lstat(path, &s) != 0 || !S_ISREG(s.st_mode) || s.st_size == 0 ||
        (s.st_mode & others) != 0 || (public_mode() & others) == 0)
        return Q_OK;
    return fail(Q_EXISTS,
                "%s: expected a file that can be made again, found one for its owner alone, as "
                "secrets are; it is not replaced (remove it if it is none)",
                path);
}

static enum q_err may_replace(const struct output *o, const char *path, enum output_kind kind)
{
    if (kind == OUTPUT_RENEWED)
        return Q_OK;
    if (kind != OUTPUT_REMADE)
        return output_check(o, path);
    return o->force ? Q_OK : spare_secret(path);
}

enum q_err output_stage(struct output *o, const char *item, const char *path, struct bytes contents,
                        enum output_kind kind)
{
    if (o->n == OUTPUT_MAX)
        return fail(Q_INTERNAL, "%s: more than %d files at once", path, OUTPUT_MAX);
    TRY(may_replace(o, path, kind));
    bool secret = kind == OUTPUT_SECRET || kind == OUTPUT_RENEWED;
    bool replaces = kind == OUTPUT_REMADE || kind == OUTPUT_RENEWED || o->force;
    struct output_file *f = &o->files[o->n];
    *f = (struct output_file){
        .item = item, .path = path, .replaces = kind != OUTPUT_RENEWED && file_exists(path)};
    TRY(file_stage(path, contents, secret ? SECRET_MODE : public_mode(), FILE_OWNER_UNCHANGED,
                   replaces ? FILE_REPLACE : FILE_NEW, &f->staged));
    o->n++;
    return Q_OK;
}

static void say(const struct output_file *f)
{
    if (f->item == NULL)
        return;
    printf("%s written to: %s\n", f->item, f->path);
    if (f->replaces)
        fprintf(stderr, "note: %s: an earlier file was replaced\n", f->path);
}

enum q_err output_publish(struct output *o)
{
    struct staged_file *staged[OUTPUT_MAX];
    for (size_t i = 0; i < o->n; i++)
        staged[i] = &o->files[i].staged;
    enum q_err err = file_publish_all(staged, o->n);
    if (err != Q_OK) {
        output_discard(o);
        return err;
    }
    for (size_t i = 0; i < o->n; i++)
        say(&o->files[i]);
    o->n = 0;
    return Q_OK;
}

void output_discard(struct output *o)
{
    for (size_t i = 0; i < o->n; i++)
        file_discard(&o->files[i].staged);
    o->n = 0;
}

const char *output_shown(struct bytes text, struct buf *b)
{
    buf_clear(b);
    if (text_display(text, b) != Q_OK)
        return "?";
    const char *shown = buf_text(b);
    return shown == NULL ? "?" : shown;
}
