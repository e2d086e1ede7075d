// Collecting approvals (see approvals_dir.h).
#include "client/manifest/approvals_dir.h"

#include "base/file.h"
#include "base/log.h"
#include "client/output.h"
#include "crypto/p256.h"
#include "protocol/manifest.h"

#include <string.h>

#define APPROVAL_FILE_MAX ((size_t)64 << 10)

static bool names_approval(const char *name)
{
    const char *last = strrchr(name, '.');
    return last != NULL && strcmp(last, ".approval") == 0;
}

static bool signs(const struct approval *approval, const uint8_t hash[static SHA256_SIZE])
{
    struct p256_public key;
    return p256_public_parse(approval->member.pub_key, &key) == Q_OK &&
           p256_verify(&key, bytes_of(hash, SHA256_SIZE), approval->signature) == Q_OK;
}

static bool there_already(const struct manifest_envelope *e, const struct approval *approval)
{
    for (size_t i = 0; i < e->manifest_set_approvals.n; i++) {
        if (member_equal(&e->manifest_set_approvals.items[i].member, &approval->member))
            return true;
    }
    return false;
}

static void skipped(const char *path, const struct approval *approval, const char *why)
{
    BUF_AUTO alias = {0};
    log_warn("%s: skipped: the approval of %s %s", path,
             output_shown(approval->member.alias, &alias), why);
}

// Whether this approval is taken into the envelope.
static bool belongs(const struct manifest_envelope *e, const struct approval *approval,
                    const uint8_t hash[static SHA256_SIZE], const char *path)
{
    if (!member_set_has(&e->manifest.manifest_set, &approval->member)) {
        skipped(path, approval, "is not from a member of the manifest set");
        return false;
    }
    if (!signs(approval, hash)) {
        skipped(path, approval, "could not be verified against this manifest");
        return false;
    }
    if (there_already(e, approval)) {
        skipped(path, approval, "is there already");
        return false;
    }
    return true;
}

static enum q_err read_approval(const char *path, struct arena *a, struct approval *out)
{
    BUF_AUTO file = {0};
    TRY(file_read_regular(path, APPROVAL_FILE_MAX, &file));
    return err_context(approval_read(buf_bytes(&file), a, out), "%s", path);
}

enum q_err approvals_dir_read(const char *folder, struct arena *a, struct manifest_envelope *e)
{
    struct file_list names;
    uint8_t hash[SHA256_SIZE];
    void *room;
    TRY(manifest_hash(&e->manifest, hash));
    TRY(file_list(folder, a, &names));
    TRY(arena_array(a, names.n, sizeof *e->manifest_set_approvals.items, &room));
    e->manifest_set_approvals.items = room;
    e->manifest_set_approvals.n = 0;
    for (size_t i = 0; i < names.n; i++) {
        const char *path;
        if (!names_approval(names.names[i]))
            continue;
        TRY(file_join(a, folder, names.names[i], &path));
        struct approval approval;
        if (read_approval(path, a, &approval) != Q_OK)
            log_warn("skipped: %s", err_text());
        else if (belongs(e, &approval, hash, path))
            e->manifest_set_approvals.items[e->manifest_set_approvals.n++] = approval;
    }
    return Q_OK;
}
