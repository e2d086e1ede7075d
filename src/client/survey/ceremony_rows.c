// One row per member, from every list that names members (see ceremony.h).
#include "client/survey/ceremony.h"

#include <string.h>

// An upper bound of the rows: every mention.
static size_t mentions(const struct survey *s)
{
    size_t n = s->share_set.entries.n + s->manifest_set.entries.n + s->manifests.approvals.n;
    if (s->genesis.seen == SEEN)
        n += s->genesis.output.member_outputs.n;
    if (s->manifests.newest != NULL)
        n += s->manifests.newest->manifest.manifest_set.members.n +
             s->manifests.newest->manifest.share_set.members.n;
    if (s->enclave.envelope != NULL)
        n += s->enclave.envelope->manifest.share_set.members.n +
             s->enclave.envelope->share_set_approvals.n;
    return n;
}

static struct ceremony_row *row_of(struct ceremony *c, const struct member *m)
{
    for (size_t i = 0; i < c->rows.n; i++) {
        if (member_equal(&c->rows.items[i].member, m))
            return &c->rows.items[i];
    }
    struct ceremony_row *row = &c->rows.items[c->rows.n++];
    *row = (struct ceremony_row){.member = *m};
    return row;
}

static void add_set(struct ceremony *c, const struct set_survey *set)
{
    for (size_t i = 0; i < set->entries.n; i++)
        (void)row_of(c, &set->entries.items[i].member);
}

static void add_members(struct ceremony *c, const struct member_set *set)
{
    for (size_t i = 0; i < set->members.n; i++)
        (void)row_of(c, &set->members.items[i]);
}

static void add_all(struct ceremony *c)
{
    const struct survey *s = c->survey;
    add_set(c, &s->share_set);
    for (size_t i = 0; s->genesis.seen == SEEN && i < s->genesis.output.member_outputs.n; i++)
        (void)row_of(c, &s->genesis.output.member_outputs.items[i].share_set_member);
    add_set(c, &s->manifest_set);
    if (s->manifests.newest != NULL) {
        add_members(c, &s->manifests.newest->manifest.share_set);
        add_members(c, &s->manifests.newest->manifest.manifest_set);
    }
    for (size_t i = 0; i < s->manifests.approvals.n; i++) {
        if (s->manifests.approvals.items[i].state != APPROVAL_UNREADABLE)
            (void)row_of(c, &s->manifests.approvals.items[i].approval.member);
    }
    if (s->enclave.envelope != NULL)
        add_members(c, &s->enclave.envelope->manifest.share_set);
}

static bool set_has(const struct set_survey *set, const struct member *m)
{
    for (size_t i = 0; i < set->entries.n; i++) {
        if (set->entries.items[i].problem.p == NULL &&
            member_equal(&set->entries.items[i].member, m))
            return true;
    }
    return false;
}

static bool genesis_has(const struct genesis_output *g, const struct member *m)
{
    for (size_t i = 0; i < g->member_outputs.n; i++) {
        if (member_equal(&g->member_outputs.items[i].share_set_member, m))
            return true;
    }
    return false;
}

static bool posted(const struct manifest_envelope *e, const struct member *m)
{
    for (size_t i = 0; i < e->share_set_approvals.n; i++) {
        if (member_equal(&e->share_set_approvals.items[i].member, m))
            return true;
    }
    return false;
}

static enum answer answer_of(bool known, bool value)
{
    return !known ? UNKNOWN : value ? YES : NO;
}

static void fill(const struct survey *s, struct ceremony_row *row)
{
    const struct member *m = &row->member;
    const struct manifest_envelope *e = s->enclave.envelope;
    const struct found_manifest *newest = s->manifests.newest;
    row->key = answer_of(s->share_set_seen == SEEN, set_has(&s->share_set, m));
    row->share = answer_of(s->genesis.seen == SEEN,
                           s->genesis.seen == SEEN && genesis_has(&s->genesis.output, m));
    row->may_approve = newest != NULL ? member_set_has(&newest->manifest.manifest_set, m)
                                      : set_has(&s->manifest_set, m);
    row->may_post = e != NULL && member_set_has(&e->manifest.share_set, m);
    row->approval = manifest_survey_of(&s->manifests, m);
    row->posted = answer_of(e != NULL, e != NULL && posted(e, m));
}

enum q_err ceremony_rows(const struct survey *s, struct arena *a, struct ceremony *out)
{
    void *room;
    TRY(arena_array(a, mentions(s), sizeof *out->rows.items, &room));
    out->survey = s;
    out->rows.items = room;
    out->rows.n = 0;
    add_all(out);
    for (size_t i = 0; i < out->rows.n; i++)
        fill(s, &out->rows.items[i]);
    return Q_OK;
}

enum answer ceremony_same_manifest(const struct survey *s)
{
    bool known = s->enclave.envelope != NULL && s->manifests.newest != NULL;
    return answer_of(known, known && memcmp(s->enclave.manifest_hash, s->manifests.newest->hash,
                                            SHA256_SIZE) == 0);
}

enum answer ceremony_document_fits(const struct survey *s)
{
    bool known = s->enclave.document.p != NULL && s->document.seen == SEEN;
    return answer_of(
        known, known && bytes_equal(s->enclave.claims.public_key, s->document.claims.public_key));
}
