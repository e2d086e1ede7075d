// Reading a ceremony's folders and host (see survey.h).
#include "client/survey/survey.h"

#include "base/file.h"
#include "client/genesis/genesis_files.h"
#include "client/time_text.h"
#include "protocol/genesis.h"

// What was read, or why it could not be.
static enum q_err conclude(enum q_err err, struct arena *a, enum seen *seen, struct bytes *problem)
{
    if (err == Q_NOMEM)
        return err;
    *seen = err == Q_OK ? SEEN : UNSEEN;
    return err == Q_OK ? Q_OK : arena_copy(a, bytes_str(err_text()), problem);
}

static enum q_err read_file(const char *path, struct arena *a, struct bytes *out)
{
    BUF_AUTO file = {0};
    TRY(file_read(path, ATTESTATION_MAX_SIZE, &file));
    return arena_copy(a, buf_bytes(&file), out);
}

static enum q_err read_document(const char *path, struct arena *a, struct bytes *document,
                                struct claims *claims)
{
    struct bytes file;
    TRY(read_file(path, a, &file));
    TRY(err_context(attestation_read(file, a, claims), "%s", path));
    *document = file;
    return Q_OK;
}

static enum q_err read_genesis(const char *folder, struct arena *a, struct genesis_survey *g)
{
    struct genesis_paths paths;
    enum seen document;
    TRY(genesis_paths_in(folder, a, &paths));
    *g = (struct genesis_survey){.output_path = paths.output,
                                 .document_path = paths.document,
                                 .quorum_key_path = paths.quorum_key,
                                 .there = file_exists(paths.output)};
    enum q_err err = genesis_files_read(&paths, a, &g->output);
    if (err == Q_OK)
        err = genesis_output_hash(&g->output, g->hash);
    TRY(conclude(err, a, &g->seen, &g->problem));
    if (!g->there && !file_exists(paths.document))
        return Q_OK;
    return conclude(read_document(paths.document, a, &g->document, &g->claims), a, &document,
                    &g->document_problem);
}

// The guide's genesis folder is a set folder too: one that has a threshold, or no genesis yet.
static enum q_err choose_share_set(const struct options *o, struct arena *a, const char **out)
{
    const char *folder = options_value(o, "namespace-dir"), *threshold, *output;
    *out = options_value(o, "share-set-dir");
    if (*out != NULL || folder == NULL)
        return Q_OK;
    TRY(file_join(a, folder, "quorum_threshold", &threshold));
    TRY(file_join(a, folder, "genesis_output", &output));
    if (file_exists(threshold) || !file_exists(output))
        *out = folder;
    return Q_OK;
}

static enum q_err read_sets(const struct options *o, struct arena *a, struct survey *s)
{
    TRY(choose_share_set(o, a, &s->share_set_dir));
    s->manifest_set_dir = options_value(o, "manifest-set-dir");
    if (s->share_set_dir != NULL)
        TRY(conclude(set_survey_read(s->share_set_dir, a, &s->share_set), a, &s->share_set_seen,
                     &s->share_set_problem));
    if (s->manifest_set_dir != NULL)
        TRY(conclude(set_survey_read(s->manifest_set_dir, a, &s->manifest_set), a,
                     &s->manifest_set_seen, &s->manifest_set_problem));
    return Q_OK;
}

static enum q_err read_manifests(const struct options *o, struct arena *a, struct survey *s)
{
    const char *folder = options_value(o, "manifest-dir");
    const char *approvals = options_value(o, "manifest-approvals-dir");
    if (folder == NULL && approvals == NULL)
        return Q_OK;
    enum q_err err = folder == NULL ? manifest_survey_read(approvals, NULL, a, &s->manifests)
                                    : manifest_survey_read(folder, approvals, a, &s->manifests);
    return conclude(err, a, &s->manifests_seen, &s->manifests_problem);
}

enum q_err survey_make(const struct options *o, struct arena *a, struct survey *out)
{
    const char *folder = options_value(o, "namespace-dir");
    const char *document = options_value(o, "attestation-doc-path");
    *out = (struct survey){.now_s = 0};
    TRY(time_now_s(&out->now_s));
    TRY(read_sets(o, a, out));
    TRY(read_manifests(o, a, out));
    if (folder != NULL)
        TRY(read_genesis(folder, a, &out->genesis));
    out->document.there = document != NULL && file_exists(document);
    if (document != NULL)
        TRY(conclude(read_document(document, a, &out->document.document, &out->document.claims), a,
                     &out->document.seen, &out->document.problem));
    out->enclave_asked = options_given(o, "host-ip");
    return out->enclave_asked ? enclave_survey_make(o, a, &out->enclave) : Q_OK;
}

enum q_err survey_attested(const struct trust *trust, int64_t now_s, struct bytes document,
                           const struct manifest_envelope *envelope, enum commitment which,
                           struct arena *a, struct bytes *why_not)
{
    const struct attestation_wish wish = {.envelope = envelope, .commitment = which};
    struct claims claims;
    struct check_list checks;
    TRY(attestation_checks_make(document, trust, now_s, &wish, a, &claims, &checks));
    *why_not = BYTES_NONE;
    for (size_t i = 0; i < checks.n; i++) {
        const struct check *c = &checks.items[i];
        if (c->result == CHECK_FAILED)
            return arena_printf(a, why_not, "%s: %.*s", c->name, (int)c->detail.n,
                                (const char *)c->detail.p);
    }
    return checks_hold(&checks) ? Q_OK : arena_copy(a, BYTES_LIT("not every check holds"), why_not);
}
