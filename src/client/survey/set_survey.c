// Looking at a set folder (see set_survey.h).
#include "client/survey/set_survey.h"

#include "base/file.h"
#include "base/text.h"
#include "client/key_file.h"
#include "client/manifest/set_directory.h"
#include "protocol/manifest.h"

#include <stdlib.h>
#include <string.h>

#define THRESHOLD_FILE_MAX 4096

static enum q_err read_threshold(struct set_survey *s, struct arena *a)
{
    const char *path;
    BUF_AUTO file = {0};
    TRY(file_join(a, s->folder, "quorum_threshold", &path));
    enum q_err err = file_read(path, THRESHOLD_FILE_MAX, &file);
    if (err == Q_OK)
        err = set_threshold_parse(buf_bytes(&file), path, &s->threshold);
    if (err == Q_NOMEM)
        return err;
    return err == Q_OK ? Q_OK : arena_copy(a, bytes_str(err_text()), &s->threshold_problem);
}

static enum q_err read_key(struct bytes alias, const char *path, struct p256_public *out)
{
    TRY(err_context(text_check_name("alias", alias, false), "%s", path));
    return public_key_read(path, out);
}

static enum q_err read_entry(const char *folder, const char *name, struct bytes alias,
                             struct arena *a, struct set_entry *out)
{
    struct p256_public key;
    *out = (struct set_entry){.problem = BYTES_NONE};
    TRY(file_join(a, folder, name, &out->path));
    TRY(arena_copy(a, alias, &out->member.alias));
    enum q_err err = read_key(alias, out->path, &key);
    if (err == Q_NOMEM)
        return err;
    return err == Q_OK ? arena_copy(a, p256_public_bytes(&key), &out->member.pub_key)
                       : arena_copy(a, bytes_str(err_text()), &out->problem);
}

static int by_member(const void *a, const void *b)
{
    const struct set_entry *x = a, *y = b;
    return member_compare(&x->member, &y->member);
}

enum q_err set_survey_read(const char *folder, struct arena *a, struct set_survey *out)
{
    struct file_list names;
    void *room;
    *out = (struct set_survey){.folder = folder};
    TRY(file_list(folder, a, &names));
    TRY(arena_array(a, names.n, sizeof *out->entries.items, &room));
    out->entries.items = room;
    for (size_t i = 0; i < names.n; i++) {
        struct bytes alias;
        if (strcmp(names.names[i], "quorum_key.pub") == 0) {
            out->quorum_key_here = true;
            continue;
        }
        if (set_entry_is_member(names.names[i], &alias))
            TRY(read_entry(folder, names.names[i], alias, a,
                           &out->entries.items[out->entries.n++]));
    }
    if (out->entries.n > 1)
        qsort(out->entries.items, out->entries.n, sizeof *out->entries.items, by_member);
    return read_threshold(out, a);
}

enum q_err set_survey_members(const struct set_survey *s, struct arena *a, struct member_set *out)
{
    void *room;
    TRY(arena_array(a, s->entries.n, sizeof *out->members.items, &room));
    *out = (struct member_set){.threshold = s->threshold, .members = {.items = room}};
    for (size_t i = 0; i < s->entries.n; i++) {
        if (s->entries.items[i].problem.p == NULL)
            out->members.items[out->members.n++] = s->entries.items[i].member;
    }
    return Q_OK;
}
