// Running a drill and printing its table (see share_drill.h).
#include "client/share/share_drill.h"

#include "base/file.h"
#include "base/text.h"
#include "client/key_file.h"
#include "client/member_key.h"
#include "client/output.h"
#include "client/share/share_plain.h"
#include "client/share/share_proof.h"
#include "client/share/share_result.h"
#include "client/time_text.h"
#include "protocol/genesis.h"

#include <stdio.h>

struct search {
    const struct options *options;
    const struct genesis_output *genesis;
    const char *folder;
    uint8_t hash[SHA256_SIZE];
    int64_t now_s;
    struct arena *a;
};

static enum q_err named(const struct search *s, const char *folder, struct bytes alias,
                        const char *suffix, const char **path)
{
    struct bytes name;
    TRY(arena_printf(s->a, &name, "%.*s%s", (int)alias.n, (const char *)alias.p, suffix));
    return file_join(s->a, folder, (const char *)name.p, path);
}

static enum q_err conclude(const struct search *s, enum q_err err, const char *shown,
                           struct drill_entry *e)
{
    if (err == Q_NOMEM)
        return err;
    e->state = err == Q_OK ? DRILL_PASSED : DRILL_FAILED;
    return arena_copy(s->a, bytes_str(err == Q_OK ? shown : err_text()), &e->detail);
}

static enum q_err check_result(const struct search *s, const struct member *m, const char *path,
                               struct drill_entry *e)
{
    BUF_AUTO file = {0};
    struct share_result r;
    TRY(file_read(path, SHARE_RESULT_MAX, &file));
    TRY(err_context(share_result_read(buf_bytes(&file), s->a, &r), "%s", path));
    TRY(err_context(share_result_check(&r, m, s->hash, s->now_s), "%s", path));
    e->time_s = (int64_t)r.time_s;
    return Q_OK;
}

static enum q_err check_share(const struct search *s, const char *alias, const char *secret,
                              const char *share)
{
    P256_PAIR_AUTO *pair = NULL;
    MEMBER_KEY_AUTO *key = NULL;
    BUF_AUTO file = {0};
    unsigned number;
    TRY(seed_file_read(s->options, secret, &pair));
    TRY(member_key_from_pair(&pair, &key));
    TRY(file_read(share, SHARE_FILE_MAX, &file));
    return share_proof(s->genesis, alias, key, buf_bytes(&file), share, &number);
}

// The member's secret and share in this folder, when both are there.
static enum q_err try_folder(const struct search *s, const struct member *m, const char *folder,
                             struct drill_entry *e)
{
    const char *secret, *share;
    struct bytes alias;
    if (e->state != DRILL_MISSING)
        return Q_OK;
    TRY(named(s, folder, m->alias, ".secret", &secret));
    TRY(named(s, folder, m->alias, ".share", &share));
    if (!file_exists(secret) || !file_exists(share))
        return Q_OK;
    TRY(arena_printf(s->a, &alias, "%.*s", (int)m->alias.n, (const char *)m->alias.p));
    return conclude(s, check_share(s, (const char *)alias.p, secret, share), "opened here", e);
}

static enum q_err look(const struct search *s, size_t index, struct drill_entry *e)
{
    const struct member *m = &s->genesis->member_outputs.items[index].share_set_member;
    const char *result, *folder;
    char numbered[48];
    *e = (struct drill_entry){.alias = m->alias, .state = DRILL_MISSING};
    enum q_err safe = text_check_name("alias", m->alias, false);
    if (safe != Q_OK)
        return conclude(s, safe, "", e);
    TRY(named(s, s->folder, m->alias, SHARE_RESULT_SUFFIX, &result));
    if (file_exists(result))
        return conclude(s, check_result(s, m, result, e), "signed result", e);
    TRY(try_folder(s, m, s->folder, e));
    TRY(named(s, s->folder, m->alias, "-dir", &folder));
    TRY(try_folder(s, m, folder, e));
    (void)snprintf(numbered, sizeof numbered, "member%zu-dir", index + 1);
    TRY(file_join(s->a, s->folder, numbered, &folder));
    return try_folder(s, m, folder, e);
}

enum q_err drill_run(const struct options *o, const struct genesis_output *g, const char *folder,
                     int64_t now_s, struct arena *a, struct drill *out)
{
    struct search s = {.options = o, .genesis = g, .folder = folder, .now_s = now_s, .a = a};
    size_t n = g->member_outputs.n;
    void *room;
    TRY(genesis_output_hash(g, s.hash));
    TRY(arena_array(a, n, sizeof *out->entries.items, &room));
    *out = (struct drill){.needed = g->set.threshold, .entries = {.items = room, .n = n}};
    for (size_t i = 0; i < n; i++) {
        TRY(look(&s, i, &out->entries.items[i]));
        out->passed += out->entries.items[i].state == DRILL_PASSED;
        out->failed += out->entries.items[i].state == DRILL_FAILED;
        out->missing += out->entries.items[i].state == DRILL_MISSING;
    }
    return Q_OK;
}

static enum q_err describe_time(const struct drill_entry *e, int64_t now_s, struct buf *out)
{
    if (e->state == DRILL_MISSING || (e->state == DRILL_FAILED && e->time_s == 0))
        return buf_append_str(out, "-");
    return time_show(e->time_s == 0 ? now_s : e->time_s, out);
}

enum q_err drill_print(const struct drill *d, int64_t now_s)
{
    static const char *const states[] = {"passed", "FAILED", "missing"};
    printf("%-20s  %-8s  %-20s  %s\n", "member", "share", "when", "how");
    for (size_t i = 0; i < d->entries.n; i++) {
        BUF_AUTO alias = {0}, detail = {0}, when = {0};
        const struct drill_entry *e = &d->entries.items[i];
        TRY(describe_time(e, now_s, &when));
        const char *text = buf_text(&when);
        printf("%-20s  %-8s  %-20s  %s\n", output_shown(e->alias, &alias), states[e->state],
               text == NULL ? "?" : text,
               e->state == DRILL_MISSING ? "no result, and no secret with its share"
                                         : output_shown(e->detail, &detail));
    }
    printf("\n%zu passed, %zu failed, %zu missing; %u are needed: %s\n", d->passed, d->failed,
           d->missing, d->needed,
           d->passed >= d->needed ? "the quorum key can be brought back"
                                  : "NOT ENOUGH to bring the quorum key back");
    return Q_OK;
}

enum q_err drill_verdict(const struct drill *d)
{
    if (d->failed > 0)
        return fail(Q_REFUSED, "drill: expected no share to fail, found %zu that did", d->failed);
    if (d->passed < d->needed)
        return fail(Q_REFUSED, "drill: expected at least %u shares that open, found %zu", d->needed,
                    d->passed);
    return Q_OK;
}
