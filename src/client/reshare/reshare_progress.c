// Reading how far a resharing has come (see reshare_progress.h). A file that does not hold counts as none, and
// is named.
#include "client/reshare/reshare_progress.h"

#include "base/log.h"
#include "client/reshare/share_destroyed.h"
#include "client/share/share_result.h"
#include "protocol/manifest.h"

struct search {
    const struct reshare_paths *paths;
    const struct reshare_progress *progress;
    int64_t now_s;
    struct arena *a;
};
typedef enum q_err (*file_check)(const struct search *s, const struct member *m, struct bytes file);

static enum q_err check_approval(const struct search *s, const struct member *m, struct bytes file)
{
    struct approval approval;
    const struct planned *planned = &s->progress->planned;
    TRY(approval_read(file, s->a, &approval));
    if (!member_equal(&approval.member, m))
        return fail(Q_REFUSED, "expected the approval of this member, found that of another");
    return reshare_approval_check(&planned->plan, planned->hash, RESHARE_ROLE_MANIFEST, &approval,
                                  NULL, NULL);
}

static enum q_err check_wrapped(const struct search *s, const struct member *m, struct bytes file)
{
    struct bound_provision_request wrapped;
    const struct planned *planned = &s->progress->planned;
    TRY(reshare_share_read(file, s->a, &wrapped));
    if (!member_equal(&wrapped.approval.member, m))
        return fail(Q_REFUSED, "expected the share of this member, found that of another");
    return reshare_approval_check(&planned->plan, planned->hash, RESHARE_ROLE_SHARE,
                                  &wrapped.approval, NULL, NULL);
}

static enum q_err check_taken(const struct search *s, const struct member *m, struct bytes file)
{
    struct share_result result;
    uint8_t hash[SHA256_SIZE];
    TRY(genesis_output_hash(&s->progress->output.shares, hash));
    TRY(share_result_read(file, s->a, &result));
    return share_result_check(&result, m, hash, s->now_s);
}

static enum q_err check_destroyed(const struct search *s, const struct member *m, struct bytes file)
{
    struct share_destroyed statement;
    TRY(share_destroyed_read(file, s->a, &statement));
    return share_destroyed_check(&statement, m, &s->progress->planned.plan,
                                 s->progress->planned.hash);
}

#define MEMBER_FILE_MAX ((size_t)64 << 10)

static enum q_err check_file(const struct search *s, const struct member *m, const char *path,
                             file_check check)
{
    BUF_AUTO file = {0};
    TRY(file_read_regular(path, MEMBER_FILE_MAX, &file));
    return check(s, m, buf_bytes(&file));
}

static bool is_done(const struct search *s, const struct member *m, const char *suffix,
                    file_check check)
{
    const char *path;
    if (reshare_member_path(s->paths, m->alias, suffix, s->a, &path) != Q_OK || !file_exists(path))
        return false;
    if (check_file(s, m, path, check) == Q_OK)
        return true;
    log_warn("%s: does not count: %s", path, err_text());
    return false;
}

static enum q_err look(const struct search *s, const struct member_set *set, const char *suffix,
                       file_check check, progress_list *out)
{
    void *room;
    TRY(arena_array(s->a, set->members.n, sizeof *out->items, &room));
    out->items = room;
    out->n = set->members.n;
    for (size_t i = 0; i < set->members.n; i++) {
        const struct member *m = &set->members.items[i];
        out->items[i] = (struct member_progress){m, is_done(s, m, suffix, check)};
    }
    return Q_OK;
}

// An output that is there must be this plan's: all that comes after hangs on it.
static enum q_err read_output(const struct reshare_paths *p, struct arena *a,
                              struct reshare_progress *out)
{
    uint8_t hash[SHA256_SIZE];
    out->made = file_exists(p->output);
    if (!out->made)
        return Q_OK;
    TRY(reshare_output_load(p, a, &out->output));
    TRY(reshare_plan_hash(&out->output.plan, hash));
    if (bytes_equal(BYTES_OF(hash), BYTES_OF(out->planned.hash)))
        return Q_OK;
    return fail(Q_REFUSED, "%s: expected the output of the plan beside it, found that of another",
                p->output);
}

enum q_err reshare_progress_read(const struct reshare_paths *p, int64_t now_s, struct arena *a,
                                 struct reshare_progress *out)
{
    const struct search s = {.paths = p, .progress = out, .now_s = now_s, .a = a};
    const struct reshare_plan *plan = &out->planned.plan;
    *out = (struct reshare_progress){0};
    TRY(reshare_plan_load(p, a, &out->planned));
    TRY(read_output(p, a, out));
    TRY(look(&s, &plan->manifest_set, RESHARE_APPROVAL_SUFFIX, check_approval, &out->approved));
    TRY(look(&s, &plan->old_share_set, RESHARE_SHARE_SUFFIX, check_wrapped, &out->wrapped));
    if (!out->made)
        return Q_OK;
    TRY(look(&s, &plan->new_share_set, SHARE_RESULT_SUFFIX, check_taken, &out->taken));
    return look(&s, &plan->old_share_set, RESHARE_DESTROYED_SUFFIX, check_destroyed,
                &out->destroyed);
}

size_t progress_count(const progress_list *list)
{
    size_t n = 0;
    for (size_t i = 0; i < list->n; i++)
        n += list->items[i].done ? 1 : 0;
    return n;
}
