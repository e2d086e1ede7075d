// Verifies Nitro evidence (nitro 4, qos-wire 7.3): the root is the trusted one, the chain leads to
// it at the given time, and the document is signed with the chain's leaf key. OpenSSL builds the
// chain.
#include "tee/certificate.h"
#include "tee/document.h"

#include <inttypes.h>
#include <openssl/err.h>
#include <openssl/x509_vfy.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

// The certificates below the root, parsed, and the time when all of them and the root are valid.
struct chain {
    X509 *leaf;
    STACK_OF(X509) * intermediates;
    int64_t not_before_s, not_after_s;
};

static void chain_free(struct chain *c)
{
    X509_free(c->leaf);
    sk_X509_pop_free(c->intermediates, X509_free);
}

static enum q_err narrow(struct chain *c, const X509 *x, const char *what)
{
    int64_t not_before = 0, not_after = 0;
    TRY(certificate_validity(x, what, &not_before, &not_after));
    if (not_before > c->not_before_s)
        c->not_before_s = not_before;
    if (not_after < c->not_after_s)
        c->not_after_s = not_after;
    return Q_OK;
}

static enum q_err add_intermediate(struct chain *c, struct bytes der, size_t index)
{
    char what[32];
    (void)snprintf(what, sizeof what, "cabundle[%zu]", index);
    X509 *x = NULL;
    TRY(certificate_parse(der, what, &x));
    if (sk_X509_push(c->intermediates, x) <= 0) {
        X509_free(x);
        return fail(Q_NOMEM, "%s: no memory for the chain", what);
    }
    TRY(certificate_check(x, what, CERTIFICATE_INTERMEDIATE, false));
    return narrow(c, x, what);
}

static enum q_err chain_parse(const struct document *d, const struct trust *trust, struct chain *c)
{
    c->not_before_s = trust->not_before_s;
    c->not_after_s = trust->not_after_s;
    c->intermediates = sk_X509_new_null();
    if (c->intermediates == NULL)
        return fail(Q_NOMEM, "cabundle: no memory for the chain");
    for (size_t i = 1; i < d->cabundle_count; i++)
        TRY(add_intermediate(c, d->cabundle[i], i));
    TRY(certificate_parse(d->certificate, "certificate", &c->leaf));
    TRY(certificate_check(c->leaf, "certificate", CERTIFICATE_LEAF, false));
    return narrow(c, c->leaf, "certificate");
}

#define UTC_SIZE 32
static const char *utc(int64_t seconds, char out[static UTC_SIZE])
{
    struct tm tm = {0};
    time_t t = (time_t)seconds;
    if (gmtime_r(&t, &tm) == NULL || strftime(out, UTC_SIZE, "%Y-%m-%d %H:%M:%S", &tm) == 0)
        (void)snprintf(out, UTC_SIZE, "%" PRId64 " s", seconds);
    return out;
}

static enum q_err check_time(const struct chain *c, const struct document *d, int64_t at_s)
{
    if (at_s >= c->not_before_s && at_s <= c->not_after_s)
        return Q_OK;
    char from[UTC_SIZE], to[UTC_SIZE], at[UTC_SIZE];
    return fail(Q_ATTESTATION,
                "its certificates %s: expected a time from %s to %s UTC, found %s UTC; to check it "
                "as of when it was made use --validation-time-override %" PRId64,
                at_s > c->not_after_s ? "have expired" : "are not yet valid",
                utc(c->not_before_s, from), utc(c->not_after_s, to), utc(at_s, at),
                d->timestamp_ms / 1000);
}

static void release_context(X509_STORE_CTX **context)
{
    X509_STORE_CTX_free(*context);
}

static enum q_err chain_failed(X509_STORE_CTX *context)
{
    const char *why = X509_verify_cert_error_string(X509_STORE_CTX_get_error(context));
    int depth = X509_STORE_CTX_get_error_depth(context);
    if (depth == 0)
        return fail(Q_ATTESTATION, "certificate chain: leaf: %s", why);
    return fail(Q_ATTESTATION, "certificate chain: %d above the leaf: %s", depth, why);
}

// Signatures, names, CA flags, path lengths and name constraints. What each certificate must keep
// alone (critical extensions too) and the time were checked before.
static enum q_err check_chain(const struct chain *c, const struct trust *trust)
{
    __attribute__((cleanup(release_context))) X509_STORE_CTX *context = X509_STORE_CTX_new();
    if (context == NULL ||
        X509_STORE_CTX_init(context, trust->store, c->leaf, c->intermediates) != 1)
        return fail(Q_NOMEM, "certificate chain: no memory to verify it");
    X509_VERIFY_PARAM *rules = X509_STORE_CTX_get0_param(context);
    X509_VERIFY_PARAM_set_depth(rules, DOCUMENT_MAX_CHAIN);
    unsigned long flags = X509_V_FLAG_NO_CHECK_TIME | X509_V_FLAG_IGNORE_CRITICAL;
    if (X509_VERIFY_PARAM_set_flags(rules, flags) != 1)
        return fail(Q_INTERNAL, "certificate chain: OpenSSL refused its rules");
    int verdict = X509_verify_cert(context);
    ERR_clear_error();
    if (verdict == 1)
        return Q_OK;
    return chain_failed(context);
}

static enum q_err check_signature(const struct cose *cose, const X509 *leaf)
{
    BUF_AUTO signed_bytes = {0};
    TRY(cose_signed_bytes(cose, &signed_bytes));
    enum q_err err =
        p384_verify(certificate_point(leaf), buf_bytes(&signed_bytes), cose->signature);
    if (err == Q_NOMEM)
        return err;
    if (err != Q_OK)
        return fail(Q_ATTESTATION,
                    "signature: expected one by the key of its certificate, found another");
    return Q_OK;
}

static void claims_of(const struct document *d, struct claims *out)
{
    *out = (struct claims){
        .provider = "nitro",
        .module_id = d->module_id,
        .timestamp_ms = d->timestamp_ms,
        .register_count = d->register_count,
        .public_key = d->public_key,
        .user_data = d->user_data,
        .nonce = d->nonce,
        .root = d->cabundle[0],
    };
    memcpy(out->registers, d->registers, sizeof out->registers);
    const struct register_value *image = &d->registers[MEASUREMENT_IMAGE];
    out->debug = image->present && bytes_is_zero(bytes_of(image->value, image->n));
}

// One verification: what it was given, and what its steps make for each other.
struct verification {
    struct bytes in;
    const struct trust *trust;
    int64_t at_s;
    struct arena *a;
    struct cose cose;
    struct document document;
    struct chain chain;
};

static void verification_release(struct verification *v)
{
    chain_free(&v->chain);
}
#define VERIFICATION_AUTO __attribute__((cleanup(verification_release))) struct verification

static enum q_err step_limits(struct verification *v)
{
    if (v->in.n > ATTESTATION_MAX_SIZE)
        return fail(Q_LIMIT, "expected at most %zu bytes, found %zu", ATTESTATION_MAX_SIZE,
                    v->in.n);
    return Q_OK;
}

// Copies the document into the arena first, so that all views outlive the caller's bytes.
static enum q_err step_parse(struct verification *v)
{
    struct bytes copy;
    TRY(arena_copy(v->a, v->in, &copy));
    TRY(cose_read(copy, &v->cose));
    return document_read(v->cose.payload, &v->document);
}

static enum q_err step_root(struct verification *v)
{
    if (!bytes_equal(v->document.cabundle[0], buf_bytes(&v->trust->root)))
        return fail(Q_ATTESTATION, "cabundle[0]: expected the trusted %sroot, found another",
                    v->trust->simulated ? "SIMULATED " : "");
    return Q_OK;
}

static enum q_err step_certificates(struct verification *v)
{
    return chain_parse(&v->document, v->trust, &v->chain);
}

static enum q_err step_validity(struct verification *v)
{
    return check_time(&v->chain, &v->document, v->at_s);
}

static enum q_err step_chain(struct verification *v)
{
    return check_chain(&v->chain, v->trust);
}

static enum q_err step_signature(struct verification *v)
{
    return check_signature(&v->cose, v->chain.leaf);
}

#define STEP(name) (1u << ATTESTATION_##name)
static const struct {
    enum q_err (*take)(struct verification *v);
    unsigned needs; // the steps without whose success this one cannot be taken
} steps[ATTESTATION_STEPS] = {
    [ATTESTATION_LIMITS] = {step_limits, 0},
    [ATTESTATION_PARSE] = {step_parse, STEP(LIMITS)},
    [ATTESTATION_ROOT] = {step_root, STEP(PARSE)},
    [ATTESTATION_CERTIFICATES] = {step_certificates, STEP(PARSE)},
    [ATTESTATION_VALIDITY] = {step_validity, STEP(CERTIFICATES)},
    [ATTESTATION_CHAIN] = {step_chain, STEP(CERTIFICATES)},
    [ATTESTATION_SIGNATURE] = {step_signature, STEP(CERTIFICATES)},
};

static enum q_err verify(struct verification *v, struct claims *out)
{
    if (v->trust->store == NULL)
        return fail(Q_INTERNAL, "no trusted root was given");
    for (size_t i = 0; i < ATTESTATION_STEPS; i++)
        TRY(steps[i].take(v));
    claims_of(&v->document, out);
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

// Takes all steps that can be taken; returns those that held, as bits.
static enum q_err take_steps(struct verification *v, struct attestation_report *report,
                             unsigned *held)
{
    *held = 0;
    for (size_t i = 0; i < ATTESTATION_STEPS; i++) {
        if ((steps[i].needs & *held) != steps[i].needs)
            continue;
        report->steps[i].made = true;
        report->steps[i].result = steps[i].take(v);
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
    unsigned held;
    TRY(take_steps(&v, report, &held));
    if ((held & STEP(PARSE)) != 0) {
        claims_of(&v.document, out);
        out->simulated = certificate_der_simulated(out->root);
    }
    if ((held & STEP(CERTIFICATES)) != 0) {
        out->not_before_s = v.chain.not_before_s;
        out->not_after_s = v.chain.not_after_s;
    }
    TRY(first_failure(report));
    out->verified = held == (1u << ATTESTATION_STEPS) - 1;
    return out->verified ? Q_OK : fail(Q_INTERNAL, "attestation document: a step was left out");
}

enum q_err attestation_read(struct bytes document, struct arena *a, struct claims *out)
{
    *out = (struct claims){0};
    struct verification v = {.in = document, .a = a};
    TRY(err_context(step_limits(&v), "attestation document"));
    TRY(err_context(step_parse(&v), "attestation document"));
    claims_of(&v.document, out);
    out->simulated = certificate_der_simulated(out->root);
    return Q_OK;
}
