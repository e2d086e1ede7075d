// reshare verify: the whole history of a quorum key, from its genesis through every resharing, offline
// (docs/resharing.md).
#include "client/command.h"

#include "base/hex.h"
#include "base/log.h"
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

// Plan, approvals and document of a resharing name their own manifest set and enclave: k old members could have made
// another resharing with others. The newest plan holds the hash of all before it, so its approval is theirs too.
static enum q_err compare_newest(const struct options *o, const struct reshare_history *h,
                                 struct arena *a)
{
    const struct resharing *newest = &h->resharings.items[h->resharings.n - 1];
    struct bytes role;
    if (options_given(o, "manifest-set-dir"))
        return err_context(reshare_compare(o, &newest->output.plan, a, &role), "%s",
                           newest->paths.folder);
    log_warn("nothing says that the right people approved this history, nor in which enclave: "
             "--manifest-set-dir, --qos-release-dir and --pcr3-preimage-path name those of the "
             "newest epoch");
    return Q_OK;
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
    TRY(compare_newest(o, &h, &a));
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
    {.name = "manifest-set-dir",
     .kind = OPTION_VALUE,
     .requires_ = "qos-release-dir,pcr3-preimage-path",
     .help = "Folder of the members who approve manifests, to compare the newest epoch with"},
    {.name = "qos-release-dir",
     .kind = OPTION_VALUE,
     .requires_ = "manifest-set-dir",
     .help = "Folder with aws-x86_64.pcrs, to compare the newest epoch with"},
    {.name = "pcr3-preimage-path",
     .kind = OPTION_VALUE,
     .requires_ = "manifest-set-dir",
     .help = "File with the role behind PCR3, to compare the newest epoch with"},
    OPTIONS_TRUST,
    OPTION_RESHARE_DEBUG,
};

const struct command command_reshare_verify = {
    .name = "reshare verify",
    .run = reshare_verify,
    .help = "Verify, offline, every resharing since the genesis, hand-overs included",
    COMMAND_OPTIONS(reshare_verify_options),
};
