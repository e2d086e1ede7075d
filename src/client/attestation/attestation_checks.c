// Making the checks of a document (see attestation_checks.h).
#include "client/attestation/attestation_checks.h"

#include "base/hex.h"
#include "client/time_text.h"
#include "client/attestation/trust_root.h"
#include "crypto/p256.h"
#include "protocol/genesis.h"
#include "protocol/manifest.h"

#include <stdio.h>

#define LAST_REGISTER 31 // of those an enclave that booted a manifest must show
#define SETUP_REGISTER 16

const char *const check_result_names[CHECK_RESULT_COUNT] = {"ok", "failed", "not made"};

// Where checks are collected, and what they look at.
struct examination {
    struct arena *a;
    const struct claims *claims;
    const struct attestation_wish *wish;
    struct check_list *out;
};

static enum q_err add(struct examination *x, const char *name, enum check_result result,
                      struct bytes detail)
{
    if (x->out->n == CHECKS_MAX)
        return fail(Q_INTERNAL, "checks: more than %d", CHECKS_MAX);
    struct check *c = &x->out->items[x->out->n++];
    *c = (struct check){.name = name, .result = result};
    return arena_copy(x->a, detail, &c->detail);
}

// A check that has been made just now: err and the recorded sentence, or what was found.
static enum q_err conclude(struct examination *x, const char *name, enum q_err err,
                           const char *found)
{
    if (err == Q_NOMEM)
        return err;
    return err == Q_OK ? add(x, name, CHECK_OK, bytes_str(found))
                       : add(x, name, CHECK_FAILED, bytes_str(err_text()));
}

static enum q_err hex_text(struct bytes value, struct buf *out, const char **text)
{
    TRY(hex_encode(value, out));
    *text = buf_text(out);
    return *text == NULL ? Q_NOMEM : Q_OK;
}

// Expected and found bytes. p == NULL: the document has none.
static enum q_err compare(struct examination *x, const char *name, struct bytes expected,
                          struct bytes found)
{
    BUF_AUTO expected_hex = {0}, found_hex = {0};
    const char *e, *f = "none";
    TRY(hex_text(expected, &expected_hex, &e));
    if (found.p != NULL)
        TRY(hex_text(found, &found_hex, &f));
    if (found.p != NULL && bytes_equal(expected, found))
        return add(x, name, CHECK_OK, bytes_str(f));
    return conclude(x, name, fail(Q_ATTESTATION, "expected %s, found %s", e, f), "");
}

static struct bytes register_of(const struct claims *c, unsigned index)
{
    const struct register_value *r = &c->registers[index];
    return r->present ? bytes_of(r->value, r->n) : BYTES_NONE;
}

static enum q_err compare_register(struct examination *x, const char *name, unsigned index,
                                   struct bytes expected)
{
    return compare(x, name, expected, register_of(x->claims, index));
}

static const char *const step_names[ATTESTATION_STEPS] = {
    [ATTESTATION_LIMITS] = "limits",       [ATTESTATION_PARSE] = "parse",
    [ATTESTATION_ROOT] = "root",           [ATTESTATION_CERTIFICATES] = "certificates",
    [ATTESTATION_VALIDITY] = "validity",   [ATTESTATION_CHAIN] = "chain",
    [ATTESTATION_SIGNATURE] = "signature", [ATTESTATION_PLATFORM] = "platform",
    [ATTESTATION_BINDING] = "binding",
};

static enum q_err describe_root(const struct claims *c, struct buf *out)
{
    uint8_t print[SHA256_SIZE];
    TRY(sha256(c->root, print));
    TRY(buf_append_str(out, c->simulated ? "SIMULATED, SHA-256 " : "SHA-256 "));
    return hex_encode(BYTES_OF(print), out);
}

static enum q_err describe_validity(const struct claims *c, int64_t at_s, struct buf *out)
{
    TRY(time_show(c->not_before_s, out));
    TRY(buf_append_str(out, " to "));
    TRY(time_show(c->not_after_s, out));
    TRY(buf_append_str(out, ", at "));
    return time_show(at_s, out);
}

static enum q_err describe_platform(const struct platform *p, struct buf *out)
{
    const struct tcb *t = &p->tcb;
    TRY(buf_printf(out, "%s key, VMPL %u, TCB: bootloader %u, tee %u, snp %u, microcode %u",
                   p->cloud_key ? "cloud's" : "chip's", p->vmpl, t->bootloader, t->tee, t->snp,
                   t->microcode));
    return t->fmc == 0 ? Q_OK : buf_printf(out, ", fmc %u", t->fmc);
}

// What a step that held has found.
static enum q_err describe_step(const struct claims *c, size_t step, struct bytes document,
                                int64_t at_s, struct buf *out)
{
    switch ((enum attestation_step)step) {
    case ATTESTATION_LIMITS:
        return buf_printf(out, "%zu bytes of at most %zu", document.n, ATTESTATION_MAX_SIZE);
    case ATTESTATION_PARSE:
        if (c->platform.product != NULL)
            return buf_printf(out, "SEV-SNP report of a %s machine", c->platform.product);
        return buf_printf(out, "COSE_Sign1 with ES384, %zu PCRs", c->register_count);
    case ATTESTATION_ROOT:
        return describe_root(c, out);
    case ATTESTATION_CERTIFICATES:
        return buf_append_str(out, c->platform.product != NULL
                                       ? "AMD's, each with its role's constraints"
                                       : "P-384, each with its role's constraints");
    case ATTESTATION_VALIDITY:
        return describe_validity(c, at_s, out);
    case ATTESTATION_CHAIN:
        return buf_append_str(out, "leads to the trusted root");
    case ATTESTATION_SIGNATURE:
        return buf_append_str(out, "by the key of its certificate");
    case ATTESTATION_PLATFORM:
        return describe_platform(&c->platform, out);
    case ATTESTATION_BINDING:
        return buf_append_str(out, "the report is bound to what comes with it");
    }
    return fail(Q_INTERNAL, "attestation step %zu", step);
}

// In place of the sentence for after-genesis, whose option is another.
static enum q_err add_expired(struct examination *x, int64_t at_s)
{
    BUF_AUTO found = {0};
    const struct claims *c = x->claims;
    TRY(buf_append_str(&found, at_s > c->not_after_s ? "the certificates have expired: valid "
                                                     : "the certificates are not yet valid: "));
    TRY(describe_validity(c, at_s, &found));
    if (c->timestamp_ms != 0) {
        TRY(buf_append_str(&found, "; the document was made "));
        TRY(time_show(c->timestamp_ms / 1000, &found));
        TRY(buf_append_str(&found, " (--at document)"));
    }
    return add(x, step_names[ATTESTATION_VALIDITY], CHECK_FAILED, buf_bytes(&found));
}

static enum q_err add_step(struct examination *x, const struct attestation_report *report,
                           size_t step, struct bytes document, int64_t at_s)
{
    BUF_AUTO found = {0};
    if (!report->steps[step].made)
        return add(x, step_names[step], CHECK_NOT_MADE, BYTES_LIT("an earlier check failed"));
    if (report->steps[step].result != Q_OK && step == ATTESTATION_VALIDITY)
        return add_expired(x, at_s);
    if (report->steps[step].result != Q_OK)
        return add(x, step_names[step], CHECK_FAILED, report->steps[step].why);
    TRY(describe_step(x->claims, step, document, at_s, &found));
    return add(x, step_names[step], CHECK_OK, buf_bytes(&found));
}

static enum q_err check_debug(struct examination *x)
{
    bool platform = x->claims->platform.product != NULL;
    if (!x->claims->debug)
        return add(x, "debug", CHECK_OK,
                   platform ? BYTES_LIT("off: the policy forbids it")
                            : BYTES_LIT("off: PCR0 measures an image"));
    if (platform)
        return add(x, "debug", CHECK_FAILED,
                   BYTES_LIT("the policy allows DEBUG: the host reads the memory of this guest"));
    if (x->wish->allow_debug)
        return add(x, "debug", CHECK_OK, BYTES_LIT("DEBUG MODE, accepted as asked"));
    return add(x, "debug", CHECK_FAILED,
               BYTES_LIT("PCR0 is all zero: the enclave runs in debug mode, its operator reads "
                         "its memory"));
}

// Also without a policy of the reader's: what holds by default is a check of its own where there is
// something to check.
static enum q_err check_policy(struct examination *x)
{
    if (x->wish->policy == NULL && x->claims->platform.product == NULL)
        return Q_OK;
    if (!x->claims->verified)
        return add(x, "policy", CHECK_NOT_MADE, BYTES_LIT("the document did not verify"));
    return conclude(x, "policy", policy_check(x->wish->policy, x->claims),
                    x->wish->policy == NULL ? "VMPL 0" : "allowed by the policy");
}

static enum q_err check_nonce(struct examination *x)
{
    struct bytes found = x->claims->nonce;
    if (x->wish->nonce.p != NULL)
        return compare(x, "nonce", x->wish->nonce, found);
    if (found.p == NULL)
        return add(x, "nonce", CHECK_OK, BYTES_LIT("none"));
    return conclude(x, "nonce",
                    fail(Q_ATTESTATION, "UnexpectedNonce: expected none, found %zu bytes", found.n),
                    "");
}

static enum q_err check_release(struct examination *x)
{
    static const char *const names[RELEASE_PCRS] = {"pcr0.release", "pcr1.release", "pcr2.release"};
    if (x->wish->release == NULL)
        return Q_OK;
    for (unsigned i = 0; i < RELEASE_PCRS; i++)
        TRY(compare_register(x, names[i], i, BYTES_OF(x->wish->release->pcrs[i])));
    return Q_OK;
}

static enum q_err check_role(struct examination *x)
{
    uint8_t expected[SHA384_SIZE];
    if (x->wish->role.p == NULL)
        return Q_OK;
    TRY(role_measurement(x->wish->role, expected));
    return compare_register(x, "pcr3.role", MEASUREMENT_ROLE, BYTES_OF(expected));
}

static enum q_err check_genesis(struct examination *x)
{
    uint8_t hash[SHA256_SIZE];
    if (x->wish->genesis == NULL)
        return Q_OK;
    TRY(genesis_output_hash(x->wish->genesis, hash));
    return compare(x, "genesis", BYTES_OF(hash), x->claims->user_data);
}

static enum q_err all_registers(const struct claims *c)
{
    for (unsigned i = 0; i <= LAST_REGISTER; i++) {
        if (!c->registers[i].present)
            return fail(Q_ATTESTATION, "MissingPcr { index: %u }", i);
    }
    return Q_OK;
}

static enum q_err public_key(const struct claims *c)
{
    struct p256_public key;
    if (c->public_key.p == NULL)
        return fail(Q_ATTESTATION, "MissingPubKey: expected a public key, found none");
    return p256_public_parse(c->public_key, &key);
}

static enum q_err check_commitment(struct examination *x, const uint8_t hash[static SHA256_SIZE])
{
    static const char *const names[COMMITMENT_COUNT] = {"pcr16.commitment", "pcr17.commitment"};
    enum commitment which = x->wish->commitment;
    enum q_err key = public_key(x->claims);
    uint8_t expected[SHA384_SIZE];
    TRY(conclude(x, "public-key", key, "two points on P-256"));
    if (key != Q_OK)
        return add(x, names[which], CHECK_NOT_MADE, BYTES_LIT("there is no key to commit to"));
    TRY(commitment_register(which, hash, x->claims->public_key, expected));
    return compare_register(x, names[which], SETUP_REGISTER + (unsigned)which, BYTES_OF(expected));
}

static enum q_err check_manifest(struct examination *x, const struct trust *trust)
{
    static const char *const names[MEASUREMENT_COUNT] = {"pcr0.manifest", "pcr1.manifest",
                                                         "pcr2.manifest", "pcr3.manifest"};
    const struct manifest_envelope *e = x->wish->envelope;
    if (e == NULL)
        return Q_OK;
    const struct nitro_config *n = &e->manifest.enclave;
    const struct bytes pcrs[MEASUREMENT_COUNT] = {n->pcr0, n->pcr1, n->pcr2, n->pcr3};
    uint8_t hash[SHA256_SIZE];
    TRY(conclude(x, "approvals", envelope_check_approvals(e, NULL),
                 "enough members approved the manifest"));
    TRY(conclude(x, "root.manifest", trust_root_same(buf_bytes(&trust->root), n->root_certificate),
                 "the manifest names the trusted root"));
    TRY(manifest_hash(&e->manifest, hash));
    TRY(compare(x, "manifest-hash", BYTES_OF(hash), x->claims->user_data));
    for (unsigned i = 0; i < MEASUREMENT_COUNT; i++)
        TRY(compare_register(x, names[i], i, pcrs[i]));
    TRY(conclude(x, "registers", all_registers(x->claims), "PCR0 to PCR31 are there"));
    return check_commitment(x, hash);
}

enum q_err attestation_checks_make(struct bytes document, const struct trust *trust, int64_t at_s,
                                   const struct attestation_wish *wish, struct arena *a,
                                   struct claims *claims, struct check_list *out)
{
    struct attestation_report report;
    struct examination x = {.a = a, .claims = claims, .wish = wish, .out = out};
    *out = (struct check_list){.n = 0};
    enum q_err err = attestation_inspect(document, trust, at_s, a, claims, &report);
    if (err == Q_NOMEM || err == Q_INTERNAL)
        return err;
    for (size_t i = 0; i < ATTESTATION_STEPS; i++) {
        if (report.steps[i].exists)
            TRY(add_step(&x, &report, i, document, at_s));
    }
    if (!report.steps[ATTESTATION_PARSE].made || report.steps[ATTESTATION_PARSE].result != Q_OK)
        return add(&x, "contents", CHECK_NOT_MADE, BYTES_LIT("the document cannot be read"));
    TRY(check_debug(&x));
    TRY(check_policy(&x));
    TRY(check_nonce(&x));
    TRY(check_release(&x));
    TRY(check_role(&x));
    TRY(check_genesis(&x));
    return check_manifest(&x, trust);
}

bool checks_hold(const struct check_list *checks)
{
    size_t held = 0;
    for (size_t i = 0; i < checks->n; i++)
        held += checks->items[i].result == CHECK_OK;
    return held > 0 && held == checks->n;
}

enum q_err checks_verdict(const struct check_list *checks)
{
    BUF_AUTO names = {0};
    if (checks_hold(checks))
        return Q_OK;
    for (size_t i = 0; i < checks->n; i++) {
        if (checks->items[i].result != CHECK_OK)
            TRY(buf_printf(&names, "%s%s", names.n == 0 ? "" : ", ", checks->items[i].name));
    }
    const char *text = buf_text(&names);
    return fail(Q_ATTESTATION, "attestation document: expected every check to hold, did not: %s",
                text == NULL ? "?" : text);
}
