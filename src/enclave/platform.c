// The platform in a manifest's words (see platform.h).
#include "enclave/platform.h"

#include "base/version.h"

static enum q_err measure(struct tee *tee, unsigned index, struct arena *a, struct bytes *out)
{
    BUF_AUTO value = {0};
    TRY(tee_measurement(tee, index, &value));
    return arena_copy(a, buf_bytes(&value), out);
}

enum q_err platform_measure(struct tee *tee, struct arena *a, struct nitro_config *out)
{
    struct bytes *const pcrs[PLATFORM_PCRS] = {&out->pcr0, &out->pcr1, &out->pcr2, &out->pcr3};
    for (unsigned i = 0; i < PLATFORM_PCRS; i++)
        TRY(measure(tee, i, a, pcrs[i]));
    out->qos_commit = BYTES_LIT("quorate-" QUORATE_VERSION "-" QUORATE_GIT);
    return arena_copy(a, tee_root(tee), &out->root_certificate);
}

enum q_err platform_is(struct tee *tee, const struct nitro_config *manifest)
{
    ARENA_AUTO a = {0};
    struct nitro_config ours = {0};
    TRY(platform_measure(tee, &a, &ours));
    const struct {
        const char *name;
        struct bytes theirs, ours;
    } rows[] = {
        {"pcr0", manifest->pcr0, ours.pcr0},
        {"pcr1", manifest->pcr1, ours.pcr1},
        {"pcr2", manifest->pcr2, ours.pcr2},
        {"pcr3", manifest->pcr3, ours.pcr3},
        {"aws_root_certificate", manifest->root_certificate, ours.root_certificate},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (!bytes_equal(rows[i].theirs, rows[i].ours))
            return fail(Q_REFUSED, "manifest.enclave.%s: expected this enclave's own, got another",
                        rows[i].name);
    }
    return Q_OK;
}
