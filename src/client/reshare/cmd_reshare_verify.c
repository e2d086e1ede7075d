// reshare verify: the whole history of a quorum key, from its genesis through every resharing, offline
// (docs/resharing.md).
#include "client/command.h"

#include "base/hex.h"
#include "client/reshare/reshare_evidence.h"
#include "client/reshare/reshare_history.h"
#include "client/time_text.h"

#include <inttypes.h>
#include <stdio.h>

static enum q_err verify_resharing(const struct options *o, const struct resharing *r,
                                   struct arena *a)
{
    return err_context(reshare_check_archived(o, r->document, &r->output, a), "%s",
                       r->paths.folder);
}

static enum q_err say_genesis(const struct reshare_history *h)
{
    BUF_AUTO hash = {0}, key = {0};
    TRY(hex_encode(BYTES_OF(h->start.hash), &hash));
    TRY(hex_encode(h->genesis.quorum_key, &key));
    const char *hash_text = buf_text(&hash), *key_text = buf_text(&key);
    if (hash_text == NULL || key_text == NULL)
        return Q_NOMEM;
    printf("epoch 0: genesis %s, %u of %zu shares (its own document: after-genesis)\n"
           "         quorum key %s\n",
           hash_text, h->genesis.set.threshold, h->genesis.set.members.n, key_text);
    return Q_OK;
}

static enum q_err say_resharing(const struct resharing *r)
{
    BUF_AUTO hash = {0}, key = {0}, time = {0};
    const struct reshare_plan *p = &r->output.plan;
    TRY(hex_encode(BYTES_OF(r->epoch.hash), &hash));
    TRY(hex_encode(r->output.shares.quorum_key, &key));
    TRY(time_show(r->made_s, &time));
    const char *hash_text = buf_text(&hash), *key_text = buf_text(&key), *when = buf_text(&time);
    if (hash_text == NULL || key_text == NULL || when == NULL)
        return Q_NOMEM;
    printf("epoch %" PRIu64 ": output %s, %u of %zu shares, made by %s\n"
           "         %s %s\n",
           p->epoch, hash_text, p->new_share_set.threshold, p->new_share_set.members.n, when,
           p->new_key ? "NEW quorum key, hand-over signed by both:" : "same quorum key", key_text);
    return Q_OK;
}

static enum q_err reshare_verify(const struct options *o)
{
    ARENA_AUTO a = {0};
    struct reshare_history h;
    TRY(reshare_history_load(options_value(o, "namespace-dir"), o->values, o->values_count, &a,
                             &h));
    for (size_t i = 0; i < h.resharings.n; i++)
        TRY(verify_resharing(o, &h.resharings.items[i], &a));
    TRY(say_genesis(&h));
    for (size_t i = 0; i < h.resharings.n; i++)
        TRY(say_resharing(&h.resharings.items[i]));
    printf("The history holds: epoch %" PRIu64 " is the last one here.\n",
           reshare_history_end(&h)->epoch);
    return Q_OK;
}

static const struct option reshare_verify_options[] = {
    OPTION_REQUIRED("namespace-dir", "Folder with the files of the genesis"),
    {.name = "reshare-dir",
     .kind = OPTION_VALUE,
     .required = true,
     .multiple = true,
     .help = "Folder of a resharing; once for each"},
    OPTIONS_TRUST,
    OPTION_RESHARE_DEBUG,
};

const struct command command_reshare_verify = {
    .name = "reshare verify",
    .run = reshare_verify,
    .help = "Verify, offline, every resharing since the genesis, hand-overs included",
    COMMAND_OPTIONS(reshare_verify_options),
};
