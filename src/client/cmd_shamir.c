// shamir-split and shamir-reconstruct: secrets of the user's own as shares in files
// (qos-behaviour 1.6, qos-wire 2).
#include "client/command.h"

#include "base/arena.h"
#include "base/log.h"
#include "client/output.h"
#include "client/protected_file.h"
#include "crypto/shamir.h"

#include <stdio.h>

#define SECRET_FILE_MAX ((size_t)63 << 10)
#define SHARE_FILE_SIZE_MAX (SECRET_FILE_MAX + 1)

static enum q_err share_name(unsigned x, struct arena *a, const char **out)
{
    void *room;
    const size_t size = sizeof "4294967295.share";
    TRY(arena_alloc(a, size, &room));
    (void)snprintf(room, size, "%u.share", x);
    *out = room;
    return Q_OK;
}

static enum q_err stage_shares(struct output *out, const char *folder, unsigned n,
                               const struct secret *shares, struct arena *a)
{
    size_t size = shares->n / n;
    for (unsigned i = 0; i < n; i++) {
        const char *name, *path;
        TRY(share_name(i + 1, a, &name));
        TRY(file_join(a, folder, name, &path));
        TRY(output_stage(out, name, path, bytes_of(shares->p + i * size, size), OUTPUT_SECRET));
    }
    return Q_OK;
}

// A smaller split over a larger one leaves shares that fit none of the new ones.
static enum q_err warn_leftover(const char *folder, unsigned n, struct arena *a)
{
    for (unsigned x = n + 1; x <= SHAMIR_MAX_SHARES; x++) {
        const char *name, *path;
        TRY(share_name(x, a, &name));
        TRY(file_join(a, folder, name, &path));
        if (!file_exists(path))
            continue;
        log_warn("%s: is of another split, and rebuilds nothing together with these shares", path);
        return Q_OK;
    }
    return Q_OK;
}

static enum q_err shamir_split_files(const struct options *o)
{
    ARENA_AUTO a = {0};
    OUTPUT_AUTO out = {.force = options_given(o, "force")};
    SECRET_AUTO secret = {0}, shares = {0};
    uint32_t n, k;
    const char *path = options_value(o, "secret-path"), *folder = options_value(o, "output-dir");
    TRY(options_u32(o, "total-shares", 0, UINT32_MAX, &n));
    TRY(options_u32(o, "threshold", 0, UINT32_MAX, &k));
    TRY(file_read_secret(path, SECRET_FILE_MAX, &secret));
    if (protected_is(secret_bytes(&secret)))
        log_warn("%s: is protected, and is split as it is: who rebuilds it needs its passphrase",
                 path);
    TRY(shamir_split(secret_bytes(&secret), n, k, &shares));
    TRY(stage_shares(&out, folder, n, &shares, &a));
    TRY(output_publish(&out));
    return warn_leftover(folder, n, &a);
}

static const struct option split_options[] = {
    OPTION_REQUIRED("secret-path", "The secret, a file, FIFO or /dev/fd/N"),
    OPTION_REQUIRED("total-shares", "How many shares to make, at most 255"),
    OPTION_REQUIRED("threshold", "How many of them rebuild the secret, at least 2"),
    OPTION_REQUIRED("output-dir", "Folder for 1.share, 2.share and so on (secret)"),
    OPTION_FORCE,
    OPTION_UNLOCKED,
    OPTION_AUDIT,
};

const struct command command_shamir_split = {
    .name = "shamir-split",
    .run = shamir_split_files,
    .help = "Split a secret into shares, of which some rebuild it",
    COMMAND_OPTIONS(split_options),
    .audited = true,
    .secrets = true,
};

struct share_files {
    struct secret items[SHAMIR_MAX_SHARES];
    size_t n;
};
#define SHARE_FILES_AUTO __attribute__((cleanup(share_files_free))) struct share_files

static void share_files_free(struct share_files *f)
{
    for (size_t i = 0; i < f->n; i++)
        secret_free(&f->items[i]);
}

static enum q_err share_files_read(const struct options *o, struct share_files *f)
{
    if (o->values_count > SHAMIR_MAX_SHARES)
        return fail(Q_LIMIT, "--share: expected at most %d shares, found %zu", SHAMIR_MAX_SHARES,
                    o->values_count);
    for (size_t i = 0; i < o->values_count; i++) {
        TRY(file_read_secret(o->values[i], SHARE_FILE_SIZE_MAX, &f->items[i]));
        f->n++;
    }
    return Q_OK;
}

static enum q_err shamir_reconstruct(const struct options *o)
{
    OUTPUT_AUTO out = {.force = options_given(o, "force")};
    SHARE_FILES_AUTO files = {.n = 0};
    SECRET_AUTO secret = {0};
    struct bytes shares[SHAMIR_MAX_SHARES];
    const char *path = options_value(o, "output-path");
    TRY(output_check(&out, path));
    TRY(share_files_read(o, &files));
    for (size_t i = 0; i < files.n; i++)
        shares[i] = secret_bytes(&files.items[i]);
    TRY(shamir_combine(shares, files.n, &secret));
    TRY(output_stage(&out, "Reconstructed secret", path, secret_bytes(&secret), OUTPUT_SECRET));
    TRY(output_publish(&out));
    fprintf(stderr, "note: shares do not say how many are needed or which belong together: check "
                    "the secret before you rely on it\n");
    return Q_OK;
}

static const struct option reconstruct_options[] = {
    {.name = "share",
     .kind = OPTION_VALUE,
     .required = true,
     .multiple = true,
     .help = "A share, a file, FIFO or /dev/fd/N; once for each"},
    OPTION_REQUIRED("output-path", "File for the secret"),
    OPTION_FORCE,
    OPTION_UNLOCKED,
    OPTION_AUDIT,
};

const struct command command_shamir_reconstruct = {
    .name = "shamir-reconstruct",
    .run = shamir_reconstruct,
    .help = "Rebuild a secret from its shares",
    COMMAND_OPTIONS(reconstruct_options),
    .audited = true,
    .secrets = true,
};
