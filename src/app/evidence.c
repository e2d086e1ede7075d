// Verifying an enclave from outside: its live attestation document against a manifest and a root
// (qos-wire 7.3, "manifest_live"), and an app proof against both (qos-behaviour 7).
#include "app/manifest.h"
#include "app/proof.h"
#include "app/sign.h"
#include "base/clock.h"
#include "codec/json.h"
#include "tee/attestation.h"

#include <string.h>

struct claims_text {
    struct bytes provider;
    bool simulated;
    struct bytes module_id;
    uint64_t timestamp_ms, valid_from, valid_until;
    struct bytes root, manifest_hash, public_key;
    LIST_OF(struct bytes) registers;
};
static const struct type type_registers = {LIST("registers", &type_bytes)};
static const struct field claims_text_fields[] = {
    FIELD(struct claims_text, provider, "provider", &type_text),
    FIELD(struct claims_text, simulated, "simulated", &type_bool),
    FIELD(struct claims_text, module_id, "moduleId", &type_text),
    FIELD(struct claims_text, timestamp_ms, "timestampMs", &type_u64),
    FIELD(struct claims_text, valid_from, "validFrom", &type_u64),
    FIELD(struct claims_text, valid_until, "validUntil", &type_u64),
    FIELD(struct claims_text, root, "rootSha256", &type_bytes),
    FIELD(struct claims_text, manifest_hash, "manifestHash", &type_bytes),
    FIELD(struct claims_text, public_key, "publicKey", &type_bytes),
    FIELD(struct claims_text, registers, "registers", &type_registers),
};
static const struct type type_claims_text = {
    STRUCT(struct claims_text, "claims", claims_text_fields)};

#define REGISTERS 32 // those that a committed enclave shows

// What was verified: claims whose key is a key, and the enclave's manifest.
struct verified {
    struct arena arena;
    struct claims claims;
    struct p256_public live_key;
};

static void verified_release(struct verified *v)
{
    arena_free(&v->arena);
}
#define VERIFIED_AUTO __attribute__((cleanup(verified_release))) struct verified

static enum q_err load_trust(const struct app_evidence *e, struct trust *out)
{
    struct bytes root;
    if (e->root == NULL && e->root_size == 0)
        return trust_aws(out);
    TRY(view_of(e->root, e->root_size, "attestation root", &root));
    return trust_from_der(root, "attestation root", false, out);
}

// A manifest made for one root can never be met by an enclave of another (design "TEE providers").
static enum q_err check_manifest(const struct manifest *m, const struct trust *trust)
{
    if (!bytes_equal(m->enclave.root_certificate, buf_bytes(&trust->root)))
        return fail(Q_REFUSED, "attestation root: expected the one that the manifest names, found "
                               "another");
    if (bytes_is_zero(m->enclave.pcr0) || bytes_is_zero(m->enclave.pcr1) ||
        bytes_is_zero(m->enclave.pcr2))
        return fail(Q_REFUSED, "manifest: expected measurements in PCR0, PCR1 and PCR2, found "
                               "zeros, as placeholders and enclaves in debug mode give");
    return Q_OK;
}

static enum q_err time_of(const struct app_evidence *e, int64_t *at)
{
    *at = e->at;
    if (e->at != 0)
        return Q_OK;
    int64_t ms;
    TRY(clock_ms(&clock_wall, &ms));
    *at = ms / 1000;
    return Q_OK;
}

static enum q_err check_live(const struct app_manifest *m, const struct claims *c)
{
    const struct nitro_config *enclave = &m->envelope.manifest.enclave;
    struct expectation expected = {
        .user_data = BYTES_OF(m->hash),
        .measurements = {enclave->pcr0, enclave->pcr1, enclave->pcr2, enclave->pcr3},
        .committed = true,
        .commitment = COMMITMENT_LIVE,
    };
    memcpy(expected.manifest_hash, m->hash, sizeof m->hash);
    return claims_check(c, &expected);
}

// Whatever is wrong with a document, it does not prove what it must.
static enum q_err not_proved(enum q_err err)
{
    err = err_context(err, "attestation document");
    return err == Q_CRYPTO || err == Q_BAD_INPUT ? Q_ATTESTATION : err;
}

static enum q_err verify_evidence(const struct app_evidence *e, struct verified *out)
{
    TRUST_AUTO trust = {0};
    struct bytes document;
    int64_t at;
    TRY(needs(e, "evidence"));
    TRY(needs(e->manifest, "manifest"));
    TRY(view_of(e->document, e->document_size, "attestation document", &document));
    TRY(load_trust(e, &trust));
    TRY(check_manifest(&e->manifest->envelope.manifest, &trust));
    TRY(time_of(e, &at));
    TRY(not_proved(attestation_verify(document, &trust, at, &out->arena, &out->claims)));
    TRY(not_proved(check_live(e->manifest, &out->claims)));
    return not_proved(p256_public_parse(out->claims.public_key, &out->live_key));
}

static uint64_t not_negative(int64_t n)
{
    return n < 0 ? 0 : (uint64_t)n;
}

static enum q_err describe(const struct app_manifest *m, const struct claims *c, char **out)
{
    BUF_AUTO json = {0};
    uint8_t root_hash[SHA256_SIZE];
    struct bytes registers[REGISTERS];
    if (out == NULL)
        return Q_OK;
    TRY(sha256(c->root, root_hash));
    for (size_t i = 0; i < REGISTERS; i++)
        registers[i] = bytes_of(c->registers[i].value, c->registers[i].n);
    const struct claims_text text = {
        .provider = bytes_str(c->simulated ? "SIMULATED nitro" : c->provider),
        .simulated = c->simulated,
        .module_id = c->module_id,
        .timestamp_ms = not_negative(c->timestamp_ms),
        .valid_from = not_negative(c->not_before_s),
        .valid_until = not_negative(c->not_after_s),
        .root = BYTES_OF(root_hash),
        .manifest_hash = BYTES_OF(m->hash),
        .public_key = c->public_key,
        .registers = {registers, REGISTERS},
    };
    TRY(json_encode(&type_claims_text, &text, JSON_PLAIN, &json));
    return give_text(&json, out);
}

static enum q_err evidence_verify(const struct app_evidence *e, uint8_t *live_key, char **claims)
{
    VERIFIED_AUTO v = {0};
    if (claims != NULL)
        *claims = NULL;
    TRY(verify_evidence(e, &v));
    TRY(describe(e->manifest, &v.claims, claims));
    if (live_key != NULL)
        memcpy(live_key, v.live_key.bytes, APP_PUBLIC_KEY_SIZE);
    return Q_OK;
}

static enum q_err proof_verify(const struct app_proof *p, const struct app_evidence *e,
                               char **claims)
{
    VERIFIED_AUTO v = {0};
    if (claims != NULL)
        *claims = NULL;
    TRY(needs(p, "app proof"));
    TRY(verify_evidence(e, &v));
    if (!bytes_equal(p256_public_bytes(&p->public_key), p256_public_bytes(&v.live_key)))
        return fail(Q_ATTESTATION, "app proof: expected the public key that the enclave attests, "
                                   "found another");
    TRY(err_context(verify_plain(&p->public_key, buf_bytes(&p->payload), p->signature),
                    "app proof"));
    return describe(e->manifest, &v.claims, claims);
}

enum app_status app_evidence_verify(const struct app_evidence *evidence,
                                    uint8_t live_key[APP_PUBLIC_KEY_SIZE], char **claims)
{
    return status_of(evidence_verify(evidence, live_key, claims));
}

enum app_status app_proof_verify(const struct app_proof *proof, const struct app_evidence *evidence,
                                 char **claims)
{
    return status_of(proof_verify(proof, evidence, claims));
}
