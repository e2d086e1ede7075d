// Reading a chain of resharings (see reshare_history.h).
#include "client/reshare/reshare_history.h"

#include "client/genesis/genesis_files.h"
#include "tee/attestation.h"

#include <stdlib.h>

static int by_epoch(const void *a, const void *b)
{
    const struct resharing *x = a, *y = b;
    return (x->output.plan.epoch > y->output.plan.epoch) -
           (x->output.plan.epoch < y->output.plan.epoch);
}

static enum q_err read_document(struct resharing *r, struct arena *a)
{
    BUF_AUTO file = {0};
    struct claims claims;
    TRY(file_read_regular(r->paths.output_document, ATTESTATION_MAX_SIZE, &file));
    TRY(arena_copy(a, buf_bytes(&file), &r->document));
    TRY(err_context(attestation_read(r->document, a, &claims), "%s", r->paths.output_document));
    if (claims.user_data.p == NULL || !bytes_equal(claims.user_data, BYTES_OF(r->epoch.hash)))
        return fail(Q_REFUSED, "%s: expected the document of the output beside it, found another",
                    r->paths.output_document);
    r->made_s = claims.timestamp_ms / 1000;
    return Q_OK;
}

static enum q_err link_up(struct reshare_history *h, struct arena *a)
{
    const struct share_epoch *before = &h->start;
    for (size_t i = 0; i < h->resharings.n; i++) {
        struct resharing *r = &h->resharings.items[i];
        TRY(err_context(reshare_plan_follows(&r->output.plan, before), "%s", r->paths.folder));
        TRY(share_epoch_of_output(&r->output, &r->epoch));
        TRY(read_document(r, a));
        before = &r->epoch;
    }
    return Q_OK;
}

enum q_err reshare_history_load(const char *namespace_dir, const char *const *folders, size_t n,
                                struct arena *a, struct reshare_history *out)
{
    struct genesis_paths genesis;
    void *room;
    TRY(genesis_paths_in(namespace_dir, a, &genesis));
    TRY(genesis_files_read(&genesis, a, &out->genesis));
    TRY(share_epoch_of_genesis(&out->genesis, &out->start));
    TRY(arena_array(a, n, sizeof *out->resharings.items, &room));
    out->resharings.items = room;
    out->resharings.n = n;
    for (size_t i = 0; i < n; i++) {
        struct resharing *r = &out->resharings.items[i];
        TRY(reshare_paths_in(folders[i], a, &r->paths));
        TRY(reshare_output_load(&r->paths, a, &r->output));
    }
    if (n > 1)
        qsort(out->resharings.items, n, sizeof *out->resharings.items, by_epoch);
    return link_up(out, a);
}

const struct share_epoch *reshare_history_end(const struct reshare_history *h)
{
    size_t n = h->resharings.n;
    return n == 0 ? &h->start : &h->resharings.items[n - 1].epoch;
}
