// Verifies evidence of any provider: which kind it is, its steps in their order, and the claims
// that come of it (nitro 4 and 5, qos-wire 7.3).
#include "tee/verification.h"

static const struct evidence_kind *kind_of(struct bytes in)
{
    return evidence_snp.recognise(in) ? &evidence_snp : &evidence_nitro;
}

static void verification_release(struct verification *v)
{
    chain_free(&v->chain);
}
#define VERIFICATION_AUTO __attribute__((cleanup(verification_release))) struct verification

static enum q_err check_limits(struct bytes in)
{
    if (in.n > ATTESTATION_MAX_SIZE)
        return fail(Q_LIMIT, "expected at most %zu bytes, found %zu", ATTESTATION_MAX_SIZE, in.n);
    return Q_OK;
}

#define STEP(name) (1u << ATTESTATION_##name)
// The steps without whose success one cannot be taken.
static const unsigned needs[ATTESTATION_STEPS] = {
    [ATTESTATION_LIMITS] = 0,
    [ATTESTATION_PARSE] = STEP(LIMITS),
    [ATTESTATION_ROOT] = STEP(PARSE),
    [ATTESTATION_CERTIFICATES] = STEP(PARSE),
    [ATTESTATION_VALIDITY] = STEP(CERTIFICATES),
    [ATTESTATION_CHAIN] = STEP(CERTIFICATES),
    [ATTESTATION_SIGNATURE] = STEP(CERTIFICATES),
    [ATTESTATION_PLATFORM] = STEP(CERTIFICATES),
    [ATTESTATION_BINDING] = STEP(PARSE),
};

static bool has_step(const struct evidence_kind *kind, size_t step)
{
    return step == ATTESTATION_LIMITS || kind->steps[step] != NULL;
}

static enum q_err take(const struct evidence_kind *kind, size_t step, struct verification *v)
{
    return step == ATTESTATION_LIMITS ? check_limits(v->in) : kind->steps[step](v);
}

static enum q_err verify(struct verification *v, struct claims *out)
{
    const struct evidence_kind *kind = kind_of(v->in);
    struct claims claims;
    if (v->trust->store == NULL)
        return fail(Q_INTERNAL, "no trusted root was given");
    for (size_t i = 0; i < ATTESTATION_STEPS; i++) {
        if (has_step(kind, i))
            TRY(take(kind, i, v));
    }
    TRY(kind->claims(v, &claims));
    *out = claims;
    out->not_before_s = v->chain.not_before_s;
    out->not_after_s = v->chain.not_after_s;
    out->simulated = v->trust->simulated;
    out->verified = true;
    return Q_OK;
}

enum q_err attestation_verify(struct bytes document, const struct trust *trust, int64_t at_s,
                              struct arena *a, struct claims *out)
{
    *out = (struct claims){0};
    VERIFICATION_AUTO v = {.in = document, .trust = trust, .at_s = at_s, .a = a};
    return err_context(verify(&v, out), "attestation document");
}

// Takes all steps that can be taken; adds those that held to held, as bits.
static enum q_err take_steps(const struct evidence_kind *kind, struct verification *v,
                             struct attestation_report *report, unsigned *held)
{
    for (size_t i = 0; i < ATTESTATION_STEPS; i++) {
        if (!has_step(kind, i)) {
            *held |= 1u << i;
            continue;
        }
        report->steps[i].exists = true;
        if ((needs[i] & *held) != needs[i])
            continue;
        report->steps[i].made = true;
        report->steps[i].result = take(kind, i, v);
        if (report->steps[i].result == Q_OK)
            *held |= 1u << i;
        else
            TRY(arena_copy(v->a, bytes_str(err_text()), &report->steps[i].why));
    }
    return Q_OK;
}

static enum q_err first_failure(const struct attestation_report *report)
{
    for (size_t i = 0; i < ATTESTATION_STEPS; i++) {
        if (report->steps[i].made && report->steps[i].result != Q_OK)
            return fail(report->steps[i].result, "attestation document: %.*s",
                        (int)report->steps[i].why.n, (const char *)report->steps[i].why.p);
    }
    return Q_OK;
}

enum q_err attestation_inspect(struct bytes document, const struct trust *trust, int64_t at_s,
                               struct arena *a, struct claims *out,
                               struct attestation_report *report)
{
    *out = (struct claims){0};
    *report = (struct attestation_report){0};
    if (trust->store == NULL)
        return fail(Q_INTERNAL, "attestation document: no trusted root was given");
    VERIFICATION_AUTO v = {.in = document, .trust = trust, .at_s = at_s, .a = a};
    const struct evidence_kind *kind = kind_of(document);
    unsigned held = 0;
    TRY(take_steps(kind, &v, report, &held));
    if ((held & STEP(PARSE)) != 0)
        TRY(kind->claims(&v, out));
    if ((held & STEP(CERTIFICATES)) != 0) {
        out->not_before_s = v.chain.not_before_s;
        out->not_after_s = v.chain.not_after_s;
    }
    TRY(first_failure(report));
    out->verified = held == (1u << ATTESTATION_STEPS) - 1;
    return out->verified ? Q_OK : fail(Q_INTERNAL, "attestation document: a step was left out");
}

static enum q_err read(struct verification *v, struct claims *out)
{
    const struct evidence_kind *kind = kind_of(v->in);
    TRY(check_limits(v->in));
    TRY(kind->steps[ATTESTATION_PARSE](v));
    return kind->claims(v, out);
}

enum q_err attestation_read(struct bytes document, struct arena *a, struct claims *out)
{
    *out = (struct claims){0};
    struct verification v = {.in = document, .a = a};
    return err_context(read(&v, out), "attestation document");
}
