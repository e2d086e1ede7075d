// Reads the list of an initramfs (see initramfs.h).
#include "tee/eif/initramfs.h"

#include <string.h>

#define MAX_WORDS 8
#define MAX_MODE 07777

struct line {
    struct bytes words[MAX_WORDS + 1]; // one more than any line has
    size_t n;
    const char *what; // of the list
    unsigned number;
};

static enum q_err refuse(const struct line *l, const char *expected, struct bytes found)
{
    return fail(Q_BAD_INPUT, "%s: line %u: expected %s, found \"%.*s\"", l->what, l->number,
                expected, (int)(found.n < 80 ? found.n : 80), (const char *)found.p);
}

static bool is_blank(uint8_t c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

static void split(struct bytes text, struct line *out)
{
    size_t at = 0;
    out->n = 0;
    while (out->n <= MAX_WORDS) {
        while (at < text.n && is_blank(text.p[at]))
            at++;
        size_t start = at;
        while (at < text.n && !is_blank(text.p[at]))
            at++;
        if (at == start)
            return;
        out->words[out->n++] = bytes_of(text.p + start, at - start);
    }
}

// Digits of base 8 or 10 alone.
static enum q_err number(const struct line *l, size_t word, unsigned base, uint32_t highest,
                         const char *expected, uint32_t *out)
{
    struct bytes text = l->words[word];
    uint64_t v = 0;
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] < '0' || text.p[i] >= '0' + base)
            return refuse(l, expected, text);
        v = v * base + (uint64_t)(text.p[i] - '0');
        if (v > highest)
            return refuse(l, expected, text);
    }
    *out = (uint32_t)v;
    return Q_OK;
}

static enum q_err owner(const struct line *l, size_t word, struct initramfs_entry *e)
{
    TRY(number(l, word, 8, MAX_MODE, "a mode from 0 to 7777, octal", &e->mode));
    TRY(number(l, word + 1, 10, UINT32_MAX, "the number of a user", &e->uid));
    return number(l, word + 2, 10, UINT32_MAX, "the number of a group", &e->gid);
}

static enum q_err text_of(const struct line *l, size_t word, struct arena *a, const char **out)
{
    struct bytes copy, w = l->words[word];
    if (w.n > INITRAMFS_MAX_NAME || memchr(w.p, 0, w.n) != NULL)
        return refuse(l, "a path of at most 1024 bytes", w);
    TRY(arena_printf(a, &copy, "%.*s", (int)w.n, (const char *)w.p));
    *out = (const char *)copy.p;
    return Q_OK;
}

// "." and "..", and nothing between two slashes.
static bool is_plain(const char *name)
{
    for (;;) {
        size_t n = strcspn(name, "/");
        if (n == 0 || (n == 1 && name[0] == '.') || (n == 2 && strncmp(name, "..", 2) == 0))
            return false;
        if (name[n] == '\0')
            return true;
        name += n + 1;
    }
}

static enum q_err name_of(const struct line *l, struct arena *a, struct initramfs_entry *e)
{
    const char *name = "";
    TRY(text_of(l, 1, a, &name));
    e->name = name + (name[0] == '/');
    if (!is_plain(e->name) || strcmp(e->name, "TRAILER!!!") == 0)
        return refuse(l, "a path without empty parts, . and ..", l->words[1]);
    return Q_OK;
}

static enum q_err read_node(const struct line *l, struct arena *a, struct initramfs_entry *e)
{
    (void)a;
    TRY(owner(l, 2, e));
    e->block = bytes_is(l->words[5], "b");
    if (!e->block && !bytes_is(l->words[5], "c"))
        return refuse(l, "b or c", l->words[5]);
    TRY(number(l, 6, 10, UINT32_MAX, "the major number of a device", &e->major));
    return number(l, 7, 10, UINT32_MAX, "the minor number of a device", &e->minor);
}

static enum q_err read_dir(const struct line *l, struct arena *a, struct initramfs_entry *e)
{
    (void)a;
    return owner(l, 2, e);
}

static enum q_err read_source(const struct line *l, struct arena *a, struct initramfs_entry *e)
{
    TRY(text_of(l, 2, a, &e->source));
    return owner(l, 3, e);
}

static const struct form {
    const char *word;
    enum initramfs_kind kind;
    size_t words;
    const char *expected;
    enum q_err (*read)(const struct line *l, struct arena *a, struct initramfs_entry *e);
} forms[] = {
    {"file", INITRAMFS_FILE, 6, "file NAME SOURCE MODE UID GID", read_source},
    {"dir", INITRAMFS_DIR, 5, "dir NAME MODE UID GID", read_dir},
    {"nod", INITRAMFS_NODE, 8, "nod NAME MODE UID GID c|b MAJOR MINOR", read_node},
    {"slink", INITRAMFS_LINK, 6, "slink NAME TARGET MODE UID GID", read_source},
};

static enum q_err read_line(const struct line *l, struct arena *a, struct initramfs_entry *e)
{
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        if (!bytes_is(l->words[0], forms[i].word))
            continue;
        if (l->n != forms[i].words)
            return refuse(l, forms[i].expected, l->words[l->n - 1]);
        e->kind = forms[i].kind;
        e->line = l->number;
        TRY(name_of(l, a, e));
        return forms[i].read(l, a, e);
    }
    return refuse(l, "file, dir, nod or slink", l->words[0]);
}

// The entry of that name, n bytes; NULL when there is none.
static const struct initramfs_entry *find(const struct initramfs_list *list, const char *name,
                                          size_t n)
{
    for (size_t i = 0; i < list->n; i++) {
        const char *other = list->entries[i].name;
        if (strncmp(other, name, n) == 0 && other[n] == '\0')
            return &list->entries[i];
    }
    return NULL;
}

static enum q_err check_place(const struct line *l, const struct initramfs_list *list,
                              const struct initramfs_entry *e)
{
    if (find(list, e->name, strlen(e->name)) != NULL)
        return refuse(l, "a name that no earlier line has", l->words[1]);
    const char *slash = strrchr(e->name, '/');
    if (slash == NULL)
        return Q_OK;
    const struct initramfs_entry *folder = find(list, e->name, (size_t)(slash - e->name));
    if (folder == NULL || folder->kind != INITRAMFS_DIR)
        return refuse(l, "a name in a folder that an earlier line makes", l->words[1]);
    return Q_OK;
}

static enum q_err take_line(const struct line *l, struct arena *a, struct initramfs_list *out)
{
    struct initramfs_entry e = {0};
    if (out->n == INITRAMFS_MAX_ENTRIES)
        return fail(Q_LIMIT, "%s: line %u: expected at most %d entries, found more", l->what,
                    l->number, INITRAMFS_MAX_ENTRIES);
    TRY(read_line(l, a, &e));
    TRY(check_place(l, out, &e));
    out->entries[out->n++] = e;
    return Q_OK;
}

enum q_err initramfs_list_read(struct bytes text, const char *what, struct arena *a,
                               struct initramfs_list *out)
{
    void *entries;
    struct line l = {.what = what};
    *out = (struct initramfs_list){0};
    if (text.n > INITRAMFS_MAX_LIST)
        return fail(Q_LIMIT, "%s: expected at most %zu bytes, found %zu", what, INITRAMFS_MAX_LIST,
                    text.n);
    TRY(arena_array(a, INITRAMFS_MAX_ENTRIES, sizeof *out->entries, &entries));
    out->entries = entries;
    for (size_t at = 0; at < text.n;) {
        const uint8_t *end = memchr(text.p + at, '\n', text.n - at);
        size_t n = end == NULL ? text.n - at : (size_t)(end - text.p) - at;
        split(bytes_of(text.p + at, n), &l);
        l.number++;
        at += n + 1;
        if (l.n > 0 && l.words[0].p[0] != '#')
            TRY(take_line(&l, a, out));
    }
    if (out->n == 0)
        return fail(Q_BAD_INPUT, "%s: expected at least one entry, found none", what);
    return Q_OK;
}
