// share check: a member proves, offline, that the stored share still opens and is the one of the
// genesis; and the table of a drill of all members.
#include "client/command.h"

#include "base/file.h"
#include "base/hex.h"
#include "client/genesis_files.h"
#include "client/member_key.h"
#include "client/output.h"
#include "client/share_drill.h"
#include "client/share_plain.h"
#include "client/share_proof.h"
#include "client/share_result.h"
#include "client/time_text.h"
#include "protocol/genesis.h"

#include <stdio.h>

static enum q_err read_genesis(const struct options *o, struct arena *a, struct genesis_output *g)
{
    struct genesis_paths paths;
    TRY(genesis_paths_in(options_value(o, "namespace-dir"), a, &paths));
    return genesis_files_read(&paths, a, g);
}

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

static enum q_err say_yes(const struct genesis_output *g, const char *alias, unsigned number,
                          const uint8_t genesis[static SHA256_SIZE])
{
    BUF_AUTO hex = {0};
    TRY(hex_encode(bytes_of(genesis, SHA256_SIZE), &hex));
    const char *text = buf_text(&hex);
    if (text == NULL)
        return Q_NOMEM;
    printf("Yes: the share of %s opens, and is share %u of %zu of the genesis %s. %u of them "
           "bring the quorum key back.\n",
           alias, number, g->member_outputs.n, text, g->set.threshold);
    return Q_OK;
}

static enum q_err check_one(const struct options *o, const struct genesis_output *g)
{
    MEMBER_KEY_AUTO *key = NULL;
    BUF_AUTO share = {0};
    uint8_t hash[SHA256_SIZE];
    const char *alias, *share_path;
    unsigned number;
    TRY(needed(o, "alias", &alias));
    TRY(needed(o, "share-path", &share_path));
    TRY(member_key_read(o, &key));
    TRY(file_read(share_path, SHARE_FILE_MAX, &share));
    TRY(share_proof(g, alias, key, buf_bytes(&share), share_path, &number));
    TRY(genesis_output_hash(g, hash));
    TRY(say_yes(g, alias, number, hash));
    return write_result(o, key, alias, hash);
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
    struct genesis_output g;
    const char *folder = options_value(o, "all");
    TRY(read_genesis(o, &a, &g));
    return folder == NULL ? check_one(o, &g) : check_all(o, folder, &g, &a);
}

static const struct option share_check_options[] = {
    OPTION_REQUIRED("namespace-dir", "Folder with the files of the genesis"),
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
