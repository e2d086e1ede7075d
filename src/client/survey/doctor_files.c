// Secrets that others can read, and files that were never filled in (see doctor.h).
#include "client/survey/doctor.h"

#include "base/file.h"
#include "client/command_line.h"
#include "client/share/share_plain.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define OTHERS ((mode_t)(S_IRWXG | S_IRWXO))

static bool ends_with(const char *name, const char *suffix)
{
    size_t n = strlen(name), m = strlen(suffix);
    return n > m && strcmp(name + n - m, suffix) == 0;
}

static enum q_err chmod_line(const char *path, struct buf *out, const char **line)
{
    TRY(buf_append_str(out, "chmod 600"));
    // A name that cannot be shown is not put into a command.
    if (line_word(out, path) != Q_OK)
        TRY(buf_append_str(out, " on that file"));
    *line = buf_text(out);
    return *line == NULL ? Q_NOMEM : Q_OK;
}

enum q_err doctor_mode(struct findings *out, const char *path, mode_t mode, uint64_t size)
{
    BUF_AUTO command = {0};
    const char *remedy;
    bool secret = ends_with(path, ".secret");
    // A wrapped share is made to be handed on.
    bool share = ends_with(path, ".share") && !ends_with(path, "wrapped.share");
    if ((!secret && !share) || (mode & OTHERS) == 0)
        return Q_OK;
    TRY(chmod_line(path, &command, &remedy));
    unsigned shown = (unsigned)(mode & 07777);
    if (secret)
        return finding_add(out, FINDING_ERROR, "secret-readable", path, remedy,
                           "expected a secret that only its owner reads, found mode %03o", shown);
    if (size < SHARE_PLAIN_SIZE + P256_ENVELOPE_OVERHEAD)
        return finding_add(out, FINDING_ERROR, "share-readable", path, remedy,
                           "expected an encrypted share, or one that only its owner reads; found "
                           "%llu bytes, too few for an encrypted one, with mode %03o",
                           (unsigned long long)size, shown);
    return finding_add(out, FINDING_WARNING, "share-readable", path, remedy,
                       "others can read this share (mode %03o); it is encrypted to its member",
                       shown);
}

// One folder, and those in it when deeper.
static enum q_err look_into(const struct patient *p, const char *folder, bool deeper)
{
    struct file_list names;
    if (file_list(folder, p->arena, &names) != Q_OK)
        return Q_OK; // others say so
    for (size_t i = 0; i < names.n; i++) {
        const char *path;
        struct stat s;
        TRY(file_join(p->arena, folder, names.names[i], &path));
        if (lstat(path, &s) != 0)
            continue;
        if (S_ISREG(s.st_mode))
            TRY(doctor_mode(p->out, path, s.st_mode, (uint64_t)s.st_size));
        else if (S_ISDIR(s.st_mode) && deeper)
            TRY(look_into(p, path, false));
    }
    return Q_OK;
}

static bool seen_before(const char *const *folders, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (folders[i] != NULL && strcmp(folders[i], folders[n]) == 0)
            return true;
    }
    return false;
}

enum q_err doctor_permissions(const struct patient *p)
{
    const char *const folders[] = {
        options_value(p->o, "members-dir"),  p->survey->share_set_dir,
        p->survey->manifest_set_dir,         options_value(p->o, "namespace-dir"),
        options_value(p->o, "manifest-dir"), options_value(p->o, "manifest-approvals-dir"),
    };
    for (size_t i = 0; i < sizeof folders / sizeof folders[0]; i++) {
        if (folders[i] != NULL && !seen_before(folders, i))
            TRY(look_into(p, folders[i], i == 0));
    }
    struct file_list names;
    if (folders[0] != NULL && file_list(folders[0], p->arena, &names) != Q_OK)
        return finding_add(p->out, FINDING_ERROR, "unreadable", folders[0], "", "%s", err_text());
    return Q_OK;
}

#define MEASUREMENTS                                                                               \
    "put the measurements of your enclave image there (of a simulated enclave: qos_core "          \
    "--print-pcrs > aws-x86_64.pcrs)"

enum q_err doctor_release(const struct options *o, struct release *out, bool *readable,
                          struct findings *findings)
{
    const char *folder = options_value(o, "qos-release-dir");
    *readable = false;
    if (folder == NULL)
        return Q_OK;
    enum q_err err = release_read(folder, true, out);
    if (err != Q_OK)
        return err == Q_NOMEM ? err
                              : finding_add(findings, FINDING_ERROR, "bad-release", folder,
                                            MEASUREMENTS, "%s", err_text());
    if (out->placeholders)
        return finding_add(findings, FINDING_ERROR, "placeholder-pcrs", folder, MEASUREMENTS,
                           "expected the measurements of an enclave, found placeholders");
    *readable = true;
    for (size_t i = 0; i < RELEASE_PCRS; i++) {
        if (bytes_is_zero(BYTES_OF(out->pcrs[i])))
            TRY(finding_add(findings, FINDING_ERROR, "zero-pcrs", folder, MEASUREMENTS,
                            "expected the measurement of an enclave as PCR%zu, found zeros, as an "
                            "enclave in debug mode has",
                            i));
    }
    return Q_OK;
}

enum q_err doctor_role(const struct options *o, struct arena *a, struct bytes *out,
                       struct findings *findings)
{
    const char *path = options_value(o, "pcr3-preimage-path");
    static const char remedy[] = "write the ARN of the enclave's role into that file";
    if (path == NULL)
        return Q_OK;
    struct bytes role;
    enum q_err err = role_read(path, a, &role);
    if (err != Q_OK)
        return err == Q_NOMEM ? err
                              : finding_add(findings, FINDING_ERROR, "bad-role", path, remedy, "%s",
                                            err_text());
    if (memmem(role.p, role.n, "YOUR_", 5) != NULL || memchr(role.p, '<', role.n) != NULL)
        return finding_add(findings, FINDING_ERROR, "placeholder-role", path, remedy,
                           "expected the role of an enclave, found the guide's placeholder");
    *out = role;
    return Q_OK;
}
