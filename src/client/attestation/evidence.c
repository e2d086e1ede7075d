// Attestation documents against a genesis or a manifest (see evidence.h).
#include "client/attestation/evidence.h"

#include "base/clock.h"
#include "base/hex.h"
#include "base/log.h"
#include "base/text.h"
#include "client/audit_trail.h"
#include "client/key_file.h"
#include "client/attestation/trust_root.h"
#include "protocol/genesis.h"
#include "protocol/manifest.h"

#include <inttypes.h>
#include <stdio.h>

#define OLD_AFTER_S INT64_C(300)
#define DAY_S INT64_C(86400)
#define AGE_IN_DAYS_S (4 * DAY_S)
#define LAST_SECOND INT64_C(253402300799) // of the year 9999, as far as certificates go

static enum q_err read_override(const struct options *o, struct verification *v)
{
    const char *value = options_value(o, "validation-time-override");
    if (value == NULL)
        return Q_OK;
    uint64_t seconds;
    TRY(err_context(text_u64(bytes_str(value), &seconds), "--validation-time-override"));
    if (seconds == 0 || seconds > (uint64_t)LAST_SECOND)
        return fail(Q_BAD_INPUT, "--validation-time-override: expected Unix seconds, found %s",
                    value);
    v->override_s = (int64_t)seconds;
    return Q_OK;
}

static bool has_option(const struct options *o, const char *name)
{
    for (size_t i = 0; i < o->count; i++) {
        if (bytes_is(bytes_str(o->table[i].name), name))
            return true;
    }
    return false;
}

enum q_err verification_start(const struct options *o, struct verification *v)
{
    *v = (struct verification){
        .skip = options_given(o, "unsafe-skip-attestation"),
        .allow_debug = options_given(o, "unsafe-allow-debug"),
        .overridable = has_option(o, "validation-time-override"),
    };
    TRY(read_override(o, v));
    if (v->skip) {
        printf("**WARNING:** Skipping attestation document verification.\n");
        return Q_OK;
    }
    return trust_root_load(o, &v->trust);
}

void verification_end(struct verification *v)
{
    trust_free(&v->trust);
}

static enum q_err now_s(int64_t *out)
{
    int64_t ms;
    TRY(clock_ms(&clock_wall, &ms));
    *out = ms / 1000;
    return Q_OK;
}

// "26 h 5 min"
static void say_age(int64_t age_s)
{
    if (age_s < -OLD_AFTER_S)
        log_warn("the attestation document is from %" PRId64 " min in the future by this "
                 "machine's clock",
                 -age_s / 60);
    else if (age_s > AGE_IN_DAYS_S)
        log_warn("the attestation document is %" PRId64 " days old", age_s / DAY_S);
    else if (age_s > OLD_AFTER_S)
        log_warn("the attestation document is %" PRId64 " h %" PRId64 " min old", age_s / 3600,
                 age_s / 60 % 60);
}

// Whether the document would hold at the time it says it was made: then its certificates' time is
// the only thing against it. Keeps the recorded sentence.
static bool holds_when_made(const struct verification *v, struct bytes document)
{
    ARENA_AUTO a = {0};
    struct claims c;
    char cause[Q_ERR_TEXT_SIZE];
    (void)snprintf(cause, sizeof cause, "%s", err_text());
    bool holds = attestation_read(document, &a, &c) == Q_OK && c.timestamp_ms != 0 &&
                 attestation_verify(document, &v->trust, c.timestamp_ms / 1000, &a, &c) == Q_OK;
    err_record(-1, "%s", cause);
    return holds;
}

// The sentence about time names the option of after-genesis; the other commands have none, by
// intent.
static enum q_err refused(const struct verification *v, enum q_err err, struct bytes document)
{
    if (v->overridable || !holds_when_made(v, document))
        return err_context(err, "attestation document");
    char cause[Q_ERR_TEXT_SIZE];
    (void)snprintf(cause, sizeof cause, "%s", err_text());
    return fail(err,
                "attestation document: %s (after-genesis alone has that option: here, check this "
                "machine's clock and get a fresh document from the enclave)",
                cause);
}

enum q_err evidence_read(const struct verification *v, struct bytes document, struct arena *a,
                         struct claims *out)
{
    audit_note_document(document);
    if (v->skip)
        return err_context(attestation_read(document, a, out), "attestation document");
    int64_t now;
    TRY(now_s(&now));
    int64_t at = v->override_s != 0 ? v->override_s : now;
    enum q_err err = attestation_verify(document, &v->trust, at, a, out);
    if (err != Q_OK)
        return refused(v, err, document);
    if (out->timestamp_ms != 0)
        say_age(now - out->timestamp_ms / 1000);
    return Q_OK;
}

enum q_err evidence_check_genesis(const struct verification *v, const struct claims *c,
                                  const struct genesis_output *g, const struct release *release,
                                  struct bytes role)
{
    if (v->skip)
        return Q_OK;
    uint8_t hash[SHA256_SIZE], role_pcr[SHA384_SIZE];
    TRY(genesis_output_hash(g, hash));
    TRY(role_measurement(role, role_pcr));
    struct expectation e = {.user_data = BYTES_OF(hash), .allow_debug = v->allow_debug};
    for (size_t i = 0; i < RELEASE_PCRS; i++)
        e.measurements[i] = BYTES_OF(release->pcrs[i]);
    e.measurements[MEASUREMENT_ROLE] = BYTES_OF(role_pcr);
    return err_context(claims_check(c, &e), "attestation document");
}

enum q_err evidence_check_fresh(const struct verification *v, const struct claims *c)
{
    int64_t now;
    if (v->skip)
        return Q_OK;
    TRY(now_s(&now));
    if (c->timestamp_ms == 0)
        return fail(Q_REFUSED,
                    "attestation document: expected one that says when it was made, found one of "
                    "SEV-SNP, which has no time and here no nonce: the host could give out an "
                    "earlier answer");
    int64_t age_s = now - c->timestamp_ms / 1000;
    if (age_s <= OLD_AFTER_S)
        return Q_OK;
    return fail(Q_REFUSED,
                "attestation document: expected one made for this request, found one that is "
                "%" PRId64
                " min old: the host gave out an earlier answer, or this machine's clock is wrong",
                age_s / 60);
}

enum q_err evidence_manifest_ready(const struct verification *v, const struct manifest *m)
{
    if (v->skip)
        return Q_OK;
    TRY(trust_root_same(buf_bytes(&v->trust.root), m->enclave.root_certificate));
    bool measured = !bytes_is_zero(m->enclave.pcr0) && !bytes_is_zero(m->enclave.pcr1) &&
                    !bytes_is_zero(m->enclave.pcr2);
    if (measured || v->allow_debug)
        return Q_OK;
    return fail(Q_REFUSED,
                "manifest: expected measurements in PCR0, PCR1 and PCR2, found zeros, as "
                "placeholders and enclaves in debug mode give: make a manifest with the "
                "measurements of your enclave image (for tests: --unsafe-skip-attestation)");
}

enum q_err evidence_role_matches(const struct manifest *m, struct bytes role)
{
    uint8_t pcr3[SHA384_SIZE];
    TRY(role_measurement(role, pcr3));
    if (bytes_equal(m->enclave.pcr3, BYTES_OF(pcr3)))
        return Q_OK;
    BUF_AUTO theirs = {0}, ours = {0};
    TRY(hex_encode(m->enclave.pcr3, &theirs));
    TRY(hex_encode(BYTES_OF(pcr3), &ours));
    const char *manifest_hex = buf_text(&theirs), *file_hex = buf_text(&ours);
    if (manifest_hex == NULL || file_hex == NULL)
        return Q_NOMEM;
    return fail(
        Q_REFUSED,
        "Pcr3PreimageDoesNotMatchManifest { manifest_pcr3: \"%s\", file_pcr3: \"%s\" }: the "
        "role in the file is not the one the manifest was made for",
        manifest_hex, file_hex);
}

static enum q_err check_committed(const struct verification *v, const struct claims *c,
                                  const struct manifest *m, enum commitment commitment)
{
    if (v->skip)
        return Q_OK;
    struct expectation e = {
        .measurements = {m->enclave.pcr0, m->enclave.pcr1, m->enclave.pcr2, m->enclave.pcr3},
        .allow_debug = v->allow_debug,
        .committed = true,
        .commitment = commitment,
    };
    TRY(manifest_hash(m, e.manifest_hash));
    e.user_data = BYTES_OF(e.manifest_hash);
    TRY(err_context(claims_check(c, &e), "attestation document"));
    struct p256_public key;
    return evidence_public_key(c, &key);
}

enum q_err evidence_check_setup(const struct verification *v, const struct claims *c,
                                const struct manifest *m)
{
    return check_committed(v, c, m, COMMITMENT_SETUP);
}

enum q_err evidence_check_live(const struct verification *v, const struct claims *c,
                               const struct manifest *m)
{
    return check_committed(v, c, m, COMMITMENT_LIVE);
}

enum q_err evidence_public_key(const struct claims *c, struct p256_public *out)
{
    if (c->public_key.p == NULL)
        return fail(Q_ATTESTATION,
                    "attestation document: MissingPubKey: expected a public key, found none");
    return err_context(p256_public_parse(c->public_key, out),
                       "attestation document: ephemeral key");
}

enum q_err evidence_setup_key(const struct options *o, const struct claims *c,
                              struct p256_public *out)
{
    const char *path = options_value(o, "unsafe-eph-path-override");
    P256_PAIR_AUTO *pair = NULL;
    if (path == NULL)
        return evidence_public_key(c, out);
    TRY(seed_file_read(o, path, &pair));
    *out = *p256_pair_public(pair);
    return Q_OK;
}
