// reshare destroyed: a member of the old share set overwrites and removes the old share, and signs that no copy is
// left (docs/resharing.md). Not before the plan is seen to be that of the member's own files, an enclave to have made
// the output, and enough new members to have opened their shares.
#include "client/command.h"

#include "client/member_key.h"
#include "client/manifest/member_signature.h"
#include "client/prompt.h"
#include "client/reshare/reshare_evidence.h"
#include "client/reshare/reshare_progress.h"
#include "client/reshare/share_destroyed.h"
#include "client/share/share_plain.h"
#include "client/time_text.h"
#include "protocol/manifest.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

// Otherwise an output that no enclave made, or one that an enclave made by somebody else's plan, could talk members
// into destroying the quorum key.
static enum q_err check_attested(const struct options *o, const struct reshare_paths *paths,
                                 const struct reshare_output *output, struct arena *a)
{
    BUF_AUTO document = {0};
    struct bytes role;
    TRY(reshare_compare(o, &output->plan, a, &role));
    TRY(file_read_regular(paths->output_document, ATTESTATION_MAX_SIZE, &document));
    return err_context(reshare_check_archived(o, buf_bytes(&document), output, a), "%s",
                       paths->output_document);
}

// Whoever destroys too early may destroy the quorum key.
static enum q_err check_safe(const struct options *o, const struct reshare_paths *paths,
                             const struct reshare_progress *p, struct arena *a)
{
    uint32_t needed = p->planned.plan.new_share_set.threshold;
    size_t taken = progress_count(&p->taken);
    if (!p->made)
        return fail(Q_REFUSED,
                    "reshare destroyed: there is no output yet: the old shares are still needed");
    TRY(check_attested(o, paths, &p->output, a));
    if (taken >= needed || options_given(o, "force"))
        return Q_OK;
    return fail(Q_REFUSED,
                "reshare destroyed: expected %u new members who showed that their shares open "
                "(<alias>.result in the folder, from reshare take), found %zu: the old shares may "
                "still be needed (--force: destroy all the same)",
                needed, taken);
}

// The very share of the epoch before, and no other: a new share must not be destroyed by mistake. Zeros are what a
// run that was killed has left of it.
static enum q_err check_share(const struct reshare_plan *p, size_t index,
                              const struct member_key *key, const char *path)
{
    BUF_AUTO file = {0};
    SECRET_AUTO share = {0};
    uint8_t hash[SHA512_SIZE];
    TRY(file_read_regular(path, SHARE_FILE_MAX, &file));
    if (bytes_is_zero(buf_bytes(&file)))
        return Q_OK;
    TRY(share_open(key, buf_bytes(&file), path, &share));
    TRY(sha512(secret_bytes(&share), hash));
    if (bytes_equal(BYTES_OF(hash), BYTES_OF(p->old_share_hashes.items[index].bytes)))
        return Q_OK;
    return fail(Q_REFUSED, "%s: expected the share of epoch %" PRIu64 ", found another: it stays",
                path, p->epoch - 1);
}

static enum q_err overwrite(const char *path)
{
    BUF_AUTO left = {0};
    int fd = open(path, O_WRONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0)
        return fail_os(errno, "%s: cannot be overwritten", path);
    file_blank(fd);
    int synced = fsync(fd), error = errno;
    (void)close(fd);
    if (synced != 0)
        return fail_os(error, "%s: cannot be overwritten", path);
    TRY(file_read_regular(path, SHARE_FILE_MAX, &left));
    return bytes_is_zero(buf_bytes(&left)) ? Q_OK
                                           : fail(Q_IO, "%s: could not be overwritten", path);
}

static enum q_err ask(const struct options *o, const char *path, bool there)
{
    const struct prompt prompt = {stdin, stdout};
    BUF_AUTO q = {0};
    TRY(buf_printf(&q,
                   "%s %s, and every other copy of this share is destroyed: paper, backups, other "
                   "machines. Do you sign that? (y/n)",
                   there ? "This overwrites and removes" : "There is nothing at", path));
    const char *text = buf_text(&q);
    if (text == NULL)
        return Q_NOMEM;
    if (options_given(o, "unsafe-auto-confirm") || prompt_yes(&prompt, text))
        return Q_OK;
    return fail(Q_REFUSED, "not confirmed: nothing was destroyed or signed");
}

// First the share, then the word that it is gone; a run that was killed between the two is run again.
static enum q_err destroy(const struct options *o, const struct reshare_paths *paths,
                          const struct reshare_progress *p, const struct member_key *key,
                          struct arena *a)
{
    OUTPUT_AUTO out = {0};
    BUF_AUTO statement = {0};
    int64_t now;
    const char *alias = options_value(o, "alias"), *share = options_value(o, "share-path"), *path;
    TRY(time_now_s(&now));
    TRY(share_destroyed_make(key, alias, &p->planned.plan, p->planned.hash, now, &statement));
    TRY(reshare_member_path(paths, bytes_str(alias), RESHARE_DESTROYED_SUFFIX, a, &path));
    TRY(output_stage(&out, "Destruction statement", path, buf_bytes(&statement), OUTPUT_REMADE));
    if (file_exists(share)) {
        TRY(overwrite(share));
        TRY(file_remove(share));
        printf("Share overwritten and removed: %s\n", share);
    }
    return output_publish(&out);
}

static enum q_err reshare_destroyed(const struct options *o)
{
    ARENA_AUTO a = {0};
    MEMBER_KEY_AUTO *key = NULL;
    struct reshare_paths paths;
    struct reshare_progress p;
    size_t index;
    int64_t now;
    const char *share = options_value(o, "share-path");
    TRY(member_key_read(o, &key));
    TRY(time_now_s(&now));
    TRY(reshare_paths_in(options_value(o, "reshare-dir"), &a, &paths));
    TRY(reshare_progress_read(&paths, now, &a, &p));
    const struct member me = member_of(options_value(o, "alias"), key);
    TRY(reshare_find_self(&p.planned.plan, &me, &index));
    TRY(check_safe(o, &paths, &p, &a));
    if (file_exists(share))
        TRY(check_share(&p.planned.plan, index, key, share));
    TRY(ask(o, share, file_exists(share)));
    return destroy(o, &paths, &p, key, &a);
}

static const struct option reshare_destroyed_options[] = {
    OPTION_RESHARE_DIR,
    OPTION_REQUIRED("alias", "Name of the member"),
    OPTION_REQUIRED("share-path", "The member's OLD share, which is overwritten and removed"),
    OPTION_REQUIRED("previous-dir", "Folder of the genesis, or of the resharing before"),
    OPTION_OPTIONAL("share-set-dir", "Folder of the members who got the new shares"),
    OPTIONS_RESHARE_PARTS,
    OPTIONS_KEY,
    OPTION_RESHARE_DEBUG,
    OPTION_SWITCH("unsafe-auto-confirm", "Do not ask"),
    OPTION_SWITCH("force", "Although too few new members have shown that their shares open"),
    OPTION_AUDIT,
};

const struct command command_reshare_destroyed = {
    .name = "reshare destroyed",
    .run = reshare_destroyed,
    .help = "Overwrite the own old share, and sign that no copy of it is left",
    COMMAND_OPTIONS(reshare_destroyed_options),
    .audited = true,
    .secrets = true,
};
