// Manifests and approvals: would what they say ever be booted and verified (see doctor.h).
#include "client/survey/doctor.h"

#include "client/command_line.h"
#include "client/attestation/evidence.h"
#include "client/manifest/set_directory.h"
#include "client/attestation/trust_root.h"
#include "protocol/manifest.h"

#include <string.h>

#define REMAKE "make the manifest again with generate-manifest"

static enum q_err refused(const struct patient *p, enum q_err err, const char *id,
                          const char *where, const char *remedy)
{
    if (err == Q_OK || err == Q_NOMEM)
        return err;
    return finding_add(p->out, FINDING_ERROR, id, where, remedy, "%s", err_text());
}

static enum q_err check_pcrs(const struct patient *p, const struct manifest *m, const char *where)
{
    const struct bytes pcrs[RELEASE_PCRS] = {m->enclave.pcr0, m->enclave.pcr1, m->enclave.pcr2};
    for (size_t i = 0; i < RELEASE_PCRS; i++) {
        if (bytes_is_zero(pcrs[i]))
            TRY(finding_add(p->out, FINDING_ERROR, "zero-pcrs", where,
                            REMAKE " and the measurements of your enclave image",
                            "expected a measurement as PCR%zu, found zeros, as placeholders and "
                            "enclaves in debug mode give: nobody can verify such an enclave",
                            i));
        else if (p->release != NULL && !bytes_equal(pcrs[i], BYTES_OF(p->release->pcrs[i])))
            TRY(finding_add(p->out, FINDING_ERROR, "other-release", where, REMAKE,
                            "PCR%zu is not that of the release folder", i));
    }
    return Q_OK;
}

static enum q_err check_root(const struct patient *p, const struct manifest *m, const char *where)
{
    struct bytes root = m->enclave.root_certificate;
    struct trust named = {0};
    bool simulated =
        trust_from_der(root, "manifest's root", true, &named) == Q_OK && named.simulated;
    trust_free(&named);
    if (simulated)
        TRY(finding_add(p->out, FINDING_WARNING, "simulated-manifest", where,
                        REMAKE " without QUORATE_ATTESTATION_ROOT",
                        "SIMULATED: the manifest trusts the root of a simulated TEE"));
    if (p->trust == NULL)
        return Q_OK;
    return refused(p, trust_root_same(buf_bytes(&p->trust->root), root), "other-root", where,
                   "trust the manifest's root, or " REMAKE);
}

static enum q_err check_folders(const struct patient *p, const struct manifest *m,
                                const char *where)
{
    const struct survey *s = p->survey;
    struct member_set set;
    if (s->manifest_set_seen == SEEN) {
        TRY(set_survey_members(&s->manifest_set, p->arena, &set));
        TRY(refused(p, member_sets_same(&m->manifest_set, &set, s->manifest_set_dir), "other-set",
                    where, REMAKE));
    }
    if (s->share_set_seen == SEEN) {
        TRY(set_survey_members(&s->share_set, p->arena, &set));
        TRY(refused(p, member_sets_same(&m->share_set, &set, s->share_set_dir), "other-set", where,
                    REMAKE));
    }
    return Q_OK;
}

enum q_err doctor_manifest(const struct patient *p, const struct manifest *m, const char *where)
{
    const struct genesis_survey *g = &p->survey->genesis;
    TRY(refused(p, manifest_check_thresholds(m, NULL), "threshold", where, REMAKE));
    TRY(check_pcrs(p, m, where));
    TRY(check_root(p, m, where));
    TRY(check_folders(p, m, where));
    if (p->role.p != NULL)
        TRY(refused(p, evidence_role_matches(m, p->role), "other-role", where, REMAKE));
    if (g->seen == SEEN && !bytes_equal(m->namespace.quorum_key, g->output.quorum_key))
        TRY(finding_add(p->out, FINDING_ERROR, "other-quorum-key", where, REMAKE,
                        "the manifest is for another quorum key than the genesis here"));
    return Q_OK;
}

static enum q_err remove_line(const char *path, struct buf *out, const char **line)
{
    TRY(buf_append_str(out, "rm"));
    if (line_word(out, path) != Q_OK) {
        buf_clear(out);
        TRY(buf_append_str(out, "remove that file"));
    }
    *line = buf_text(out);
    return *line == NULL ? Q_NOMEM : Q_OK;
}

static enum q_err check_approval(const struct patient *p, const struct found_approval *f)
{
    BUF_AUTO line = {0};
    const char *remedy;
    TRY(remove_line(f->path, &line, &remedy));
    switch (f->state) {
    case APPROVAL_UNREADABLE:
        return finding_add(p->out, FINDING_ERROR, "bad-approval", f->path, remedy, "%.*s",
                           (int)f->problem.n, (const char *)f->problem.p);
    case APPROVAL_FOREIGN:
        return finding_add(p->out, FINDING_WARNING, "foreign-approval", f->path, remedy,
                           "nobody of the newest manifest's set made this approval");
    case APPROVAL_STALE:
        return finding_add(p->out, FINDING_WARNING, "stale-approval", f->path, remedy,
                           f->signs != NULL
                               ? "it approves an older manifest"
                               : "it approves none of the manifests here, or has been changed");
    case APPROVAL_VALID:
    case APPROVAL_REPEATED:
    case APPROVAL_UNKNOWN:
        return Q_OK;
    }
    return Q_OK;
}

enum q_err doctor_manifests(const struct patient *p)
{
    const struct survey *s = p->survey;
    const struct manifest_survey *m = &s->manifests;
    const char *folder = options_value(p->o, "manifest-dir");
    if (s->manifests_seen == UNSEEN)
        return finding_add(p->out, FINDING_ERROR, "unreadable",
                           folder != NULL ? folder : options_value(p->o, "manifest-approvals-dir"),
                           "name an existing folder", "%.*s", (int)s->manifests_problem.n,
                           (const char *)s->manifests_problem.p);
    if (m->newest != NULL)
        TRY(doctor_manifest(p, &m->newest->manifest, m->newest->path));
    if (m->newest != NULL && m->rivals)
        TRY(finding_add(p->out, FINDING_ERROR, "rival-manifest", m->newest->path,
                        "give the newer one a higher --nonce, or remove the other",
                        "another manifest here has the same nonce and another hash"));
    for (size_t i = 0; i < m->unreadable.n; i++)
        TRY(finding_add(p->out, FINDING_ERROR, "bad-manifest", m->unreadable.items[i].path, REMAKE,
                        "%.*s", (int)m->unreadable.items[i].why.n,
                        (const char *)m->unreadable.items[i].why.p));
    for (size_t i = 0; i < m->approvals.n; i++)
        TRY(check_approval(p, &m->approvals.items[i]));
    return Q_OK;
}
