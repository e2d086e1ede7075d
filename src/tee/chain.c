// Checks that hold for a whole chain of certificates (see chain.h).
#include "tee/chain.h"

#include <inttypes.h>
#include <openssl/err.h>
#include <openssl/x509_vfy.h>
#include <stdio.h>
#include <time.h>

enum q_err chain_start(struct chain *c, const struct trust *trust)
{
    *c = (struct chain){.not_before_s = trust->not_before_s, .not_after_s = trust->not_after_s};
    c->intermediates = sk_X509_new_null();
    return c->intermediates != NULL ? Q_OK : fail(Q_NOMEM, "certificates: no memory for the chain");
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

enum q_err chain_add(struct chain *c, X509 *x, const char *what)
{
    if (sk_X509_push(c->intermediates, x) <= 0) {
        X509_free(x);
        return fail(Q_NOMEM, "%s: no memory for the chain", what);
    }
    return narrow(c, x, what);
}

enum q_err chain_set_leaf(struct chain *c, X509 *x, const char *what)
{
    c->leaf = x;
    return narrow(c, x, what);
}

void chain_free(struct chain *c)
{
    X509_free(c->leaf);
    sk_X509_pop_free(c->intermediates, X509_free);
    *c = (struct chain){0};
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

enum q_err chain_check_time(const struct chain *c, int64_t at_s, int64_t made_s)
{
    if (at_s >= c->not_before_s && at_s <= c->not_after_s)
        return Q_OK;
    char from[UTC_SIZE], to[UTC_SIZE], at[UTC_SIZE], remedy[120] = "";
    if (made_s != 0)
        (void)snprintf(remedy, sizeof remedy,
                       "; to check it as of when it was made use --validation-time-override "
                       "%" PRId64,
                       made_s);
    return fail(Q_ATTESTATION,
                "its certificates %s: expected a time from %s to %s UTC, found %s UTC%s",
                at_s > c->not_after_s ? "have expired" : "are not yet valid",
                utc(c->not_before_s, from), utc(c->not_after_s, to), utc(at_s, at), remedy);
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

enum q_err chain_check_signatures(const struct chain *c, const struct trust *trust)
{
    __attribute__((cleanup(release_context))) X509_STORE_CTX *context = X509_STORE_CTX_new();
    if (context == NULL ||
        X509_STORE_CTX_init(context, trust->store, c->leaf, c->intermediates) != 1)
        return fail(Q_NOMEM, "certificate chain: no memory to verify it");
    X509_VERIFY_PARAM *rules = X509_STORE_CTX_get0_param(context);
    X509_VERIFY_PARAM_set_depth(rules, CHAIN_MAX_DEPTH);
    unsigned long flags = X509_V_FLAG_NO_CHECK_TIME | X509_V_FLAG_IGNORE_CRITICAL;
    if (X509_VERIFY_PARAM_set_flags(rules, flags) != 1)
        return fail(Q_INTERNAL, "certificate chain: OpenSSL refused its rules");
    int verdict = X509_verify_cert(context);
    ERR_clear_error();
    if (verdict == 1)
        return Q_OK;
    return chain_failed(context);
}
