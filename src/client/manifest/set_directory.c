// Reading set folders, and telling how a manifest's set differs from one (see set_directory.h).
#include "client/manifest/set_directory.h"

#include "base/file.h"
#include "base/text.h"
#include "client/key_file.h"
#include "client/text_file.h"
#include "protocol/manifest.h"

#include <stdlib.h>
#include <string.h>

#define MEMBERS_MAX 4096
#define THRESHOLD_FILE "quorum_threshold"
#define THRESHOLD_FILE_MAX 4096
#define KEY_FILE_MAX 4096

bool set_entry_is_member(const char *file_name, struct bytes *alias)
{
    const char *first = strchr(file_name, '.'), *last = strrchr(file_name, '.');
    if (last == NULL || strcmp(last, ".pub") != 0 || strncmp(file_name, "._", 2) == 0)
        return false;
    *alias = bytes_of(file_name, (size_t)(first - file_name));
    return true;
}

enum q_err set_threshold_parse(struct bytes file, const char *path, uint32_t *out)
{
    struct bytes line;
    TRY(text_file_line(file, path, &line));
    return err_context(text_u32(bytes_trim(line), out), "%s", path);
}

static enum q_err read_threshold(const char *folder, struct arena *a, uint32_t *out)
{
    const char *path;
    BUF_AUTO file = {0};
    TRY(file_join(a, folder, THRESHOLD_FILE, &path));
    if (!file_exists(path))
        return fail(Q_MISSING, "%s: Did not find exactly 1 threshold. (expected a file %s)", folder,
                    THRESHOLD_FILE);
    TRY(file_read_regular(path, THRESHOLD_FILE_MAX, &file));
    return set_threshold_parse(buf_bytes(&file), path, out);
}

static enum q_err read_member(const char *folder, const char *name, struct bytes alias,
                              struct arena *a, struct member *out)
{
    const char *path;
    struct p256_public key;
    TRY(file_join(a, folder, name, &path));
    if (strcmp(name, "quorum_key.pub") == 0)
        return fail(Q_REFUSED,
                    "%s: is the quorum key that boot-genesis wrote, not a member's key; move it "
                    "away, or use a folder that holds only the members' keys and the threshold",
                    path);
    TRY(err_context(text_check_name("alias", alias, false), "%s", path));
    BUF_AUTO text = {0};
    TRY(file_read_regular(path, KEY_FILE_MAX, &text));
    TRY(public_key_parse(buf_bytes(&text), path, &key));
    TRY(arena_copy(a, alias, &out->alias));
    return arena_copy(a, p256_public_bytes(&key), &out->pub_key);
}

enum q_err set_directory_read(const char *folder, struct arena *a, struct member_set *out)
{
    struct file_list entries;
    void *room;
    TRY(file_list(folder, a, &entries));
    TRY(arena_array(a, entries.n, sizeof *out->members.items, &room));
    *out = (struct member_set){.members = {.items = room}};
    for (size_t i = 0; i < entries.n; i++) {
        struct bytes alias;
        if (!set_entry_is_member(entries.names[i], &alias))
            continue;
        if (out->members.n == MEMBERS_MAX)
            return fail(Q_LIMIT, "%s: expected at most %d members, found more", folder,
                        MEMBERS_MAX);
        TRY(read_member(folder, entries.names[i], alias, a, &out->members.items[out->members.n++]));
    }
    if (out->members.n > 1)
        qsort(out->members.items, out->members.n, sizeof *out->members.items, member_compare);
    return read_threshold(folder, a, &out->threshold);
}

static int by_key(const void *a, const void *b)
{
    const struct member_key *x = a, *y = b;
    return bytes_compare(x->pub_key, y->pub_key);
}

enum q_err set_directory_read_patch(const char *folder, struct arena *a, struct patch_set *out)
{
    struct member_set set;
    void *room;
    TRY(set_directory_read(folder, a, &set));
    TRY(arena_array(a, set.members.n, sizeof *out->members.items, &room));
    *out = (struct patch_set){.threshold = set.threshold,
                              .members = {.items = room, .n = set.members.n}};
    for (size_t i = 0; i < set.members.n; i++)
        out->members.items[i].pub_key = set.members.items[i].pub_key;
    if (set.members.n > 1)
        qsort(out->members.items, out->members.n, sizeof *out->members.items, by_key);
    return Q_OK;
}

static enum q_err same_numbers(uint32_t threshold, size_t n, uint32_t folder_threshold,
                               size_t folder_n, const char *path)
{
    if (threshold != folder_threshold)
        return fail(Q_REFUSED, "%s: threshold is %u, the manifest says %u", path, folder_threshold,
                    threshold);
    if (n != folder_n)
        return fail(Q_REFUSED, "%s: has %zu members, the manifest %zu", path, folder_n, n);
    return Q_OK;
}

// Aliases that differ may still look alike: then only their code points tell.
static enum q_err other_member(const struct member *theirs, const struct member *ours,
                               size_t number, const char *path)
{
    BUF_AUTO theirs_shown = {0}, ours_shown = {0};
    TRY(text_display_ascii(ours->alias, &ours_shown));
    TRY(text_display_ascii(theirs->alias, &theirs_shown));
    const char *our_alias = buf_text(&ours_shown), *their_alias = buf_text(&theirs_shown);
    if (our_alias == NULL || their_alias == NULL)
        return Q_NOMEM;
    return fail(Q_REFUSED, "%s: member %zu is %s, the manifest has %s%s there", path, number,
                our_alias, their_alias,
                bytes_equal(theirs->alias, ours->alias) ? " with another key" : "");
}

enum q_err member_sets_same(const struct member_set *manifest, const struct member_set *folder,
                            const char *path)
{
    TRY(same_numbers(manifest->threshold, manifest->members.n, folder->threshold, folder->members.n,
                     path));
    for (size_t i = 0; i < folder->members.n; i++) {
        const struct member *theirs = &manifest->members.items[i],
                            *ours = &folder->members.items[i];
        if (!member_equal(theirs, ours))
            return other_member(theirs, ours, i + 1, path);
    }
    return Q_OK;
}

enum q_err patch_sets_same(const struct patch_set *manifest, const struct patch_set *folder,
                           const char *path)
{
    TRY(same_numbers(manifest->threshold, manifest->members.n, folder->threshold, folder->members.n,
                     path));
    for (size_t i = 0; i < folder->members.n; i++) {
        if (!bytes_equal(manifest->members.items[i].pub_key, folder->members.items[i].pub_key))
            return fail(Q_REFUSED, "%s: key %zu is not the one the manifest has there", path,
                        i + 1);
    }
    return Q_OK;
}
