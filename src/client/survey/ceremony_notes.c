// What a reader of the status should know besides (see ceremony.h).
#include "client/survey/ceremony.h"

#include "base/hex.h"

#define NOTE_SIZE 1024

static enum q_err note(struct arena *a, struct ceremony *c, const char *subject, const char *text,
                       struct bytes detail)
{
    if (c->notes_count == CEREMONY_NOTES_MAX)
        return Q_OK;
    size_t n = detail.n < NOTE_SIZE ? detail.n : NOTE_SIZE;
    return arena_printf(a, &c->notes[c->notes_count++], "%s%s%s%.*s", subject,
                        *subject == '\0' ? "" : ": ", text, (int)n, (const char *)detail.p);
}

// The text of a problem names its file or folder.
static enum q_err problem(struct arena *a, struct ceremony *c, struct bytes why)
{
    return why.p == NULL ? Q_OK : note(a, c, "", "", why);
}

static enum q_err note_set(struct arena *a, struct ceremony *c, const struct set_survey *set)
{
    for (size_t i = 0; i < set->entries.n; i++)
        TRY(problem(a, c, set->entries.items[i].problem));
    return problem(a, c, set->threshold_problem);
}

static enum q_err note_approval(struct arena *a, struct ceremony *c, const struct found_approval *f)
{
    BUF_AUTO hash = {0};
    switch (f->state) {
    case APPROVAL_UNREADABLE:
        return problem(a, c, f->problem);
    case APPROVAL_FOREIGN:
        return note(a, c, f->path, "foreign: nobody of the newest manifest's set signed it",
                    BYTES_LIT(""));
    case APPROVAL_STALE:
        if (f->signs == NULL)
            return note(a, c, f->path, "stale: it approves none of the manifests here",
                        BYTES_LIT(""));
        TRY(hex_encode(BYTES_OF(f->signs->hash), &hash));
        return note(a, c, f->path, "stale: it approves the manifest ", buf_bytes(&hash));
    case APPROVAL_VALID:
    case APPROVAL_REPEATED:
    case APPROVAL_UNKNOWN:
        return Q_OK;
    }
    return Q_OK;
}

static enum q_err note_manifests(struct arena *a, struct ceremony *c,
                                 const struct manifest_survey *m)
{
    if (m->rivals)
        TRY(note(a, c, m->newest->path, "another manifest has the same nonce and another hash",
                 BYTES_LIT("")));
    for (size_t i = 0; i < m->unreadable.n; i++)
        TRY(problem(a, c, m->unreadable.items[i].why));
    for (size_t i = 0; i < m->approvals.n; i++)
        TRY(note_approval(a, c, &m->approvals.items[i]));
    return Q_OK;
}

static enum q_err note_genesis(struct arena *a, struct ceremony *c, const struct genesis_survey *g)
{
    if (g->there)
        TRY(problem(a, c, g->problem));
    TRY(problem(a, c, g->document_problem));
    if (g->seen == SEEN && g->output.dr_key.p != NULL)
        return note(a, c, g->output_path,
                    "DISASTER RECOVERY KEY: its one holder recovers the quorum key alone",
                    BYTES_LIT(""));
    return Q_OK;
}

static enum q_err note_enclave(struct arena *a, struct ceremony *c, const struct survey *s)
{
    TRY(problem(a, c, s->enclave.problem));
    if (ceremony_same_manifest(s) == NO)
        TRY(note(a, c, "enclave", "holds another manifest than the newest here", BYTES_LIT("")));
    if (c->attested == NO)
        TRY(note(a, c, "enclave", "its document does not attest its manifest: ", c->attested_why));
    if (s->enclave.document.p != NULL && s->enclave.claims.simulated)
        TRY(note(a, c, "enclave", "SIMULATED: no hardware protects its keys", BYTES_LIT("")));
    if (ceremony_document_fits(s) == NO && s->enclave.phase == PHASE_WAITING_FOR_QUORUM_SHARDS)
        TRY(note(a, c, "",
                 "the fetched attestation document is not of the key that the enclave "
                 "has now: fetch it again",
                 BYTES_LIT("")));
    return Q_OK;
}

enum q_err ceremony_notes(struct arena *a, struct ceremony *c)
{
    const struct survey *s = c->survey;
    c->notes_count = 0;
    TRY(problem(a, c, c->no_steps_why));
    TRY(problem(a, c, s->share_set_problem));
    TRY(problem(a, c, s->manifest_set_problem));
    TRY(problem(a, c, s->manifests_problem));
    if (s->document.there)
        TRY(problem(a, c, s->document.problem));
    TRY(note_genesis(a, c, &s->genesis));
    TRY(note_set(a, c, &s->share_set));
    TRY(note_set(a, c, &s->manifest_set));
    TRY(note_manifests(a, c, &s->manifests));
    return note_enclave(a, c, s);
}
