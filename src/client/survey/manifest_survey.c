// Looking at manifests and approvals (see manifest_survey.h). A file is read as what it can be: its
// name decides only about approvals.
#include "client/survey/manifest_survey.h"

#include "base/file.h"
#include "client/manifest/manifest_parts.h"
#include "crypto/p256.h"

#include <string.h>
#include <sys/stat.h>

#define APPROVAL_FILE_MAX ((size_t)64 << 10)

const char *const approval_state_names[APPROVAL_STATE_COUNT] = {
    "valid", "repeated", "stale", "foreign", "unknown", "unreadable",
};

static bool is_regular(const char *path)
{
    struct stat s;
    return stat(path, &s) == 0 && S_ISREG(s.st_mode);
}

static bool names_approval(const char *name)
{
    const char *last = strrchr(name, '.');
    return last != NULL && strcmp(last, ".approval") == 0;
}

static enum q_err read_approval(const char *path, struct arena *a, struct approval *out)
{
    BUF_AUTO file = {0};
    TRY(file_read(path, APPROVAL_FILE_MAX, &file));
    return err_context(approval_read(buf_bytes(&file), a, out), "%s", path);
}

static enum q_err add_approval(const char *path, struct arena *a, struct manifest_survey *s)
{
    struct found_approval *f = &s->approvals.items[s->approvals.n++];
    *f = (struct found_approval){.path = path, .state = APPROVAL_UNKNOWN};
    enum q_err err = read_approval(path, a, &f->approval);
    if (err == Q_OK || err == Q_NOMEM)
        return err;
    f->state = APPROVAL_UNREADABLE;
    return arena_copy(a, bytes_str(err_text()), &f->problem);
}

static enum q_err add_envelope(const char *path, const struct manifest_envelope *e, struct arena *a,
                               struct manifest_survey *s)
{
    struct found_envelope *f = &s->envelopes.items[s->envelopes.n];
    *f = (struct found_envelope){.path = path};
    TRY(manifest_hash(&e->manifest, f->hash));
    s->envelopes.n++;
    enum q_err err = envelope_check_approvals(e, NULL);
    return err == Q_OK ? Q_OK : arena_copy(a, bytes_str(err_text()), &f->problem);
}

// A file that is neither is none of our business, unless its name says that it should be.
static enum q_err add_stranger(const char *path, const char *name, enum q_err err, struct arena *a,
                               struct manifest_survey *s)
{
    if (err == Q_NOMEM)
        return err;
    if (strncmp(name, "manifest", strlen("manifest")) != 0)
        return Q_OK;
    struct found_problem *p = &s->unreadable.items[s->unreadable.n++];
    p->path = path;
    return arena_copy(a, bytes_str(err_text()), &p->why);
}

static enum q_err add_document(const char *path, const char *name, struct arena *a,
                               struct manifest_survey *s)
{
    struct found_manifest *m = &s->manifests.items[s->manifests.n];
    struct manifest_envelope e;
    *m = (struct found_manifest){.path = path};
    if (envelope_file_read(path, a, &e) == Q_OK)
        return add_envelope(path, &e, a, s);
    enum q_err err = manifest_file_read(path, a, &m->manifest);
    if (err != Q_OK)
        return add_stranger(path, name, err, a, s);
    TRY(manifest_hash(&m->manifest, m->hash));
    s->manifests.n++;
    return Q_OK;
}

static enum q_err add_folder(const char *folder, const struct file_list *names, bool documents,
                             bool approvals, struct arena *a, struct manifest_survey *s)
{
    for (size_t i = 0; i < names->n; i++) {
        const char *path;
        bool approval = names_approval(names->names[i]);
        TRY(file_join(a, folder, names->names[i], &path));
        if (!is_regular(path))
            continue;
        if (approval && approvals)
            TRY(add_approval(path, a, s));
        else if (!approval && documents)
            TRY(add_document(path, names->names[i], a, s));
    }
    return Q_OK;
}

static void find_newest(struct manifest_survey *s)
{
    for (size_t i = 0; i < s->manifests.n; i++) {
        const struct found_manifest *m = &s->manifests.items[i];
        uint32_t nonce = m->manifest.namespace.nonce;
        if (s->newest == NULL || nonce > s->newest->manifest.namespace.nonce) {
            s->newest = m;
            s->rivals = false;
        } else if (nonce == s->newest->manifest.namespace.nonce &&
                   !bytes_equal(BYTES_OF(m->hash), BYTES_OF(s->newest->hash))) {
            s->rivals = true;
        }
    }
}

static const struct found_manifest *what_it_signs(const struct manifest_survey *s,
                                                  const struct approval *approval)
{
    struct p256_public key;
    if (p256_public_parse(approval->member.pub_key, &key) != Q_OK)
        return NULL;
    for (size_t i = 0; i < s->manifests.n; i++) {
        const struct found_manifest *m = &s->manifests.items[i];
        if (p256_verify(&key, BYTES_OF(m->hash), approval->signature) == Q_OK)
            return m;
    }
    return NULL;
}

static bool there_before(const struct manifest_survey *s, size_t index)
{
    const struct member *m = &s->approvals.items[index].approval.member;
    for (size_t i = 0; i < index; i++) {
        if (s->approvals.items[i].state == APPROVAL_VALID &&
            member_equal(&s->approvals.items[i].approval.member, m))
            return true;
    }
    return false;
}

static enum approval_state judge(const struct manifest_survey *s, size_t index)
{
    const struct found_approval *f = &s->approvals.items[index];
    if (s->newest == NULL)
        return APPROVAL_UNKNOWN;
    if (!member_set_has(&s->newest->manifest.manifest_set, &f->approval.member))
        return APPROVAL_FOREIGN;
    if (f->signs == NULL || !bytes_equal(BYTES_OF(f->signs->hash), BYTES_OF(s->newest->hash)))
        return APPROVAL_STALE;
    return there_before(s, index) ? APPROVAL_REPEATED : APPROVAL_VALID;
}

static void judge_all(struct manifest_survey *s)
{
    find_newest(s);
    for (size_t i = 0; i < s->approvals.n; i++) {
        struct found_approval *f = &s->approvals.items[i];
        if (f->state == APPROVAL_UNREADABLE)
            continue;
        f->signs = what_it_signs(s, &f->approval);
        f->state = judge(s, i);
        s->valid += f->state == APPROVAL_VALID;
    }
    for (size_t i = 0; i < s->envelopes.n && s->newest != NULL; i++) {
        const struct found_envelope *e = &s->envelopes.items[i];
        if (e->problem.p == NULL && bytes_equal(BYTES_OF(e->hash), BYTES_OF(s->newest->hash)))
            s->ready = e;
    }
}

// Room for one of each kind per file.
static enum q_err make_room(size_t n, struct arena *a, struct manifest_survey *s)
{
    void *manifests, *approvals, *envelopes, *unreadable;
    TRY(arena_array(a, n, sizeof *s->manifests.items, &manifests));
    TRY(arena_array(a, n, sizeof *s->approvals.items, &approvals));
    TRY(arena_array(a, n, sizeof *s->envelopes.items, &envelopes));
    TRY(arena_array(a, n, sizeof *s->unreadable.items, &unreadable));
    *s = (struct manifest_survey){.manifests = {.items = manifests},
                                  .approvals = {.items = approvals},
                                  .envelopes = {.items = envelopes},
                                  .unreadable = {.items = unreadable}};
    return Q_OK;
}

enum q_err manifest_survey_read(const char *folder, const char *approvals_folder, struct arena *a,
                                struct manifest_survey *out)
{
    bool one = approvals_folder == NULL || strcmp(folder, approvals_folder) == 0;
    struct file_list names, more = {.n = 0};
    TRY(file_list(folder, a, &names));
    if (!one)
        TRY(file_list(approvals_folder, a, &more));
    TRY(make_room(names.n + more.n, a, out));
    TRY(add_folder(folder, &names, true, one, a, out));
    if (!one) // an envelope is written into this one by default
        TRY(add_folder(approvals_folder, &more, true, true, a, out));
    judge_all(out);
    return Q_OK;
}

bool manifest_survey_reached(const struct manifest_survey *s)
{
    return s->newest != NULL && s->valid >= s->newest->manifest.manifest_set.threshold;
}

const struct found_approval *manifest_survey_of(const struct manifest_survey *s,
                                                const struct member *m)
{
    const struct found_approval *best = NULL;
    for (size_t i = 0; i < s->approvals.n; i++) {
        const struct found_approval *f = &s->approvals.items[i];
        if (f->state != APPROVAL_UNREADABLE && member_equal(&f->approval.member, m) &&
            (best == NULL || f->state < best->state))
            best = f;
    }
    return best;
}
