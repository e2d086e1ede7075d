// share check: a member proves, offline, that the stored share still opens and is the one of the
// genesis; and the table of a drill of all members.
#include "client/command.h"

#include "base/file.h"
#include "base/hex.h"
#include "client/member_key.h"
#include "client/output.h"
#include "client/reshare/reshare_history.h"
#include "client/share/share_drill.h"
#include "client/share/share_plain.h"
#include "client/share/share_proof.h"
#include "client/share/share_result.h"
#include "client/time_text.h"
#include "protocol/genesis.h"

#include <inttypes.h>
#include <stdio.h>

static enum q_err needed(const struct options *o, const char *name, const char **out)
{
    *out = options_value(o, name);
    if (*out == NULL)
        return fail(Q_BAD_INPUT,
                    "argument %s is required but was not found (or --all, for all "
                    "members)",
                    name);
    return Q_OK;
}

static enum q_err write_result(const struct options *o, const struct member_key *key,
                               const char *alias, const uint8_t genesis[static SHA256_SIZE])
{
    OUTPUT_AUTO out = {0};
    BUF_AUTO file = {0};
    int64_t now;
    const char *path = options_value(o, "result-path");
    if (path == NULL)
        return Q_OK;
    TRY(time_now_s(&now));
    TRY(share_result_make(key, alias, genesis, now, &file));
    TRY(output_stage(&out, "Share check result", path, buf_bytes(&file), OUTPUT_REMADE));
    return output_publish(&out);
}

// "the genesis <hash>", "epoch 1, current"
static enum q_err name_epoch(const struct reshare_history *h, const struct share_epoch *e,
                             struct buf *out)
{
    if (h->resharings.n > 0)
        return buf_printf(out, "epoch %" PRIu64 ", current", e->epoch);
    TRY(buf_append_str(out, "the genesis "));
    return hex_encode(BYTES_OF(e->hash), out);
}

static enum q_err say_yes(const struct reshare_history *h, const char *alias, unsigned number)
{
    BUF_AUTO name = {0};
    const struct share_epoch *e = reshare_history_end(h);
    TRY(name_epoch(h, e, &name));
    const char *text = buf_text(&name);
    if (text == NULL)
        return Q_NOMEM;
    printf("Yes: the share of %s opens, and is share %u of %zu of %s. %u of them "
           "bring the quorum key back.\n",
           alias, number, e->shares->member_outputs.n, text, e->shares->set.threshold);
    return Q_OK;
}

struct own {
    const char *alias, *path;
    const struct member_key *key;
    struct bytes share;
};

static bool is_of(const struct share_epoch *e, const struct own *own)
{
    unsigned number;
    return share_proof(e->shares, own->alias, own->key, own->share, own->path, &number) == Q_OK;
}

// A share that is good, but of an epoch that a later one took the place of, is no longer what the member needs.
static enum q_err refuse_old(const struct own *own, const struct share_epoch *e,
                             const struct resharing *next)
{
    BUF_AUTO time = {0};
    TRY(time_show(next->made_s, &time));
    const char *when = buf_text(&time);
    return fail(Q_REFUSED,
                "%s: opens, but is a share of epoch %" PRIu64 ", superseded by epoch %" PRIu64
                " on %s: take the new share with reshare take; destroy this one with reshare "
                "destroyed",
                own->path, e->epoch, next->epoch.epoch, when == NULL ? "?" : when);
}

// Newest first: each proof is a use of the key, for a YubiKey with PIN and touch. Its own sentence stays when the share
// is of none.
static enum q_err prove(const struct reshare_history *h, const struct own *own, unsigned *number)
{
    const struct share_epoch *end = reshare_history_end(h);
    enum q_err err = share_proof(end->shares, own->alias, own->key, own->share, own->path, number);
    if (err == Q_OK || h->resharings.n == 0)
        return err;
    for (size_t i = h->resharings.n; i > 0; i--) {
        const struct share_epoch *e = i == 1 ? &h->start : &h->resharings.items[i - 2].epoch;
        if (is_of(e, own))
            return refuse_old(own, e, &h->resharings.items[i - 1]);
    }
    return share_proof(end->shares, own->alias, own->key, own->share, own->path, number);
}

static enum q_err check_one(const struct options *o, const struct reshare_history *h)
{
    MEMBER_KEY_AUTO *key = NULL;
    BUF_AUTO share = {0};
    uint8_t hash[SHA256_SIZE];
    struct own own;
    unsigned number = 0;
    TRY(needed(o, "alias", &own.alias));
    TRY(needed(o, "share-path", &own.path));
    TRY(member_key_read(o, &key));
    TRY(file_read(own.path, SHARE_FILE_MAX, &share));
    own.key = key;
    own.share = buf_bytes(&share);
    TRY(prove(h, &own, &number));
    TRY(genesis_output_hash(reshare_history_end(h)->shares, hash));
    TRY(say_yes(h, own.alias, number));
    return write_result(o, key, own.alias, hash);
}

static enum q_err check_all(const struct options *o, const char *folder,
                            const struct genesis_output *g, struct arena *a)
{
    struct drill d;
    int64_t now;
    TRY(time_now_s(&now));
    TRY(drill_run(o, g, folder, now, a, &d));
    TRY(drill_print(&d, now));
    return drill_verdict(&d);
}

static enum q_err share_check(const struct options *o)
{
    ARENA_AUTO a = {0};
    struct reshare_history h;
    const char *folder = options_value(o, "all");
    TRY(reshare_history_load(options_value(o, "namespace-dir"), o->values, o->values_count, &a,
                             &h));
    return folder == NULL ? check_one(o, &h)
                          : check_all(o, folder, reshare_history_end(&h)->shares, &a);
}

static const struct option share_check_options[] = {
    OPTION_REQUIRED("namespace-dir", "Folder with the files of the genesis"),
    {.name = "reshare-dir",
     .kind = OPTION_VALUE,
     .multiple = true,
     .help = "Folder of a resharing since the genesis; once for each"},
    OPTION_OPTIONAL("alias", "Name of the member"),
    OPTION_OPTIONAL("share-path", "The member's share, from after-genesis"),
    OPTION_OPTIONAL("result-path", "File for the member's signed word that the share opens"),
    {.name = "all",
     .kind = OPTION_VALUE,
     .forbids = "alias,share-path,secret-path,yubikey,pkcs11-module,result-path",
     .help = "Folder of a drill, instead: results, or folders with secrets and shares"},
    OPTIONS_KEY,
};

const struct command command_share_check = {
    .name = "share check",
    .run = share_check,
    .help = "Prove offline that a stored share opens and is the one of the genesis",
    COMMAND_OPTIONS(share_check_options),
    .secrets = true,
};
