// Set folders: keys, thresholds, and what does not belong there (see doctor.h).
#include "client/survey/doctor.h"

#include "protocol/manifest.h"

#include <string.h>

static enum q_err check_entries(const struct patient *p, const struct set_survey *set)
{
    for (size_t i = 0; i < set->entries.n; i++) {
        const struct set_entry *e = &set->entries.items[i];
        if (e->problem.p != NULL)
            TRY(finding_add(p->out, FINDING_ERROR, "bad-key", e->path,
                            "ask the member for the .pub file again", "%.*s", (int)e->problem.n,
                            (const char *)e->problem.p));
    }
    return Q_OK;
}

// Commands refuse such a folder, but for the one in which boot-genesis was told to work.
static enum q_err check_quorum_key(const struct patient *p, const struct set_survey *set)
{
    const char *namespace_dir = options_value(p->o, "namespace-dir");
    if (!set->quorum_key_here)
        return Q_OK;
    bool own = namespace_dir != NULL && strcmp(namespace_dir, set->folder) == 0;
    if (own && !options_given(p->o, "share-set-dir") && !options_given(p->o, "manifest-set-dir"))
        return Q_OK; // nobody called it a set
    return finding_add(p->out, own ? FINDING_WARNING : FINDING_ERROR, "quorum-key-in-set",
                       set->folder,
                       "make a folder with the members' .pub files and quorum_threshold alone",
                       "quorum_key.pub is there, which is no member's key: manifests cannot be "
                       "made with this folder");
}

static enum q_err check_threshold(const struct patient *p, enum set_kind kind,
                                  const struct set_survey *set, const struct member_set *members)
{
    size_t n = members->members.n;
    uint32_t k = set->threshold;
    if (set->threshold_problem.p != NULL)
        return finding_add(p->out, FINDING_ERROR, "threshold", set->folder,
                           "echo 2 > quorum_threshold, in that folder", "%.*s",
                           (int)set->threshold_problem.n, (const char *)set->threshold_problem.p);
    uint32_t lowest = kind == SHARE_SET ? 2 : 1;
    size_t highest = kind == SHARE_SET && n > 255 ? 255 : n;
    if (k >= lowest && k <= highest && (kind == MANIFEST_SET || n <= 255))
        return Q_OK;
    return finding_add(p->out, FINDING_ERROR, "threshold", set->folder,
                       "correct quorum_threshold, or add the missing members' .pub files",
                       "expected a threshold from %u to the number of members%s, found %u of %zu "
                       "members",
                       lowest, kind == SHARE_SET ? " (at most 255)" : "", k, n);
}

enum q_err doctor_set(const struct patient *p, enum set_kind kind, const struct set_survey *set)
{
    struct member_set members;
    TRY(set_survey_members(set, p->arena, &members));
    TRY(check_entries(p, set));
    TRY(check_quorum_key(p, set));
    TRY(check_threshold(p, kind, set, &members));
    enum q_err err = members_unique(members.members.items, members.members.n, NULL);
    if (err == Q_OK)
        return Q_OK;
    return err == Q_NOMEM ? err
                          : finding_add(p->out, FINDING_ERROR, "duplicate-key", set->folder,
                                        "each member needs a key of their own: generate-file-key",
                                        "%s", err_text());
}

static enum q_err check_seen(const struct patient *p, enum seen seen, const char *folder,
                             struct bytes problem)
{
    if (seen != UNSEEN)
        return Q_OK;
    return finding_add(p->out, FINDING_ERROR, "unreadable", folder, "name an existing folder",
                       "%.*s", (int)problem.n, (const char *)problem.p);
}

enum q_err doctor_sets(const struct patient *p)
{
    const struct survey *s = p->survey;
    TRY(check_seen(p, s->share_set_seen, s->share_set_dir, s->share_set_problem));
    TRY(check_seen(p, s->manifest_set_seen, s->manifest_set_dir, s->manifest_set_problem));
    if (s->share_set_seen == SEEN)
        TRY(doctor_set(p, SHARE_SET, &s->share_set));
    return s->manifest_set_seen == SEEN ? doctor_set(p, MANIFEST_SET, &s->manifest_set) : Q_OK;
}
