// The platform in a manifest's words (see platform.h).
#include "enclave/platform.h"

#include "base/version.h"
#include "tee/attestation.h"

static enum q_err own_claims(struct tee *tee, struct arena *a, struct claims *out)
{
    BUF_AUTO document = {0};
    struct bytes kept;
    TRY(tee_attest(tee, BYTES_NONE, BYTES_NONE, BYTES_NONE, &document));
    TRY(arena_copy(a, buf_bytes(&document), &kept));
    return attestation_read(kept, a, out);
}

static enum q_err copy_register(const struct claims *c, size_t index, struct arena *a,
                                struct bytes *out)
{
    const struct register_value *r = &c->registers[index];
    return arena_copy(a, bytes_of(r->value, r->present ? r->n : 0), out);
}

enum q_err platform_measure(struct tee *tee, struct arena *a, struct nitro_config *out)
{
    struct claims c = {0};
    struct bytes *const pcrs[PLATFORM_PCRS] = {&out->pcr0, &out->pcr1, &out->pcr2, &out->pcr3};
    TRY(own_claims(tee, a, &c));
    for (size_t i = 0; i < PLATFORM_PCRS; i++)
        TRY(copy_register(&c, i, a, pcrs[i]));
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
