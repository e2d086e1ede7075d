// Keys between TEE instances (renclave 1.3, 3.2): the evidence that asks for one, the export that seals it to that
// evidence, and the injection that takes it, once.
#include "enclave/instance/api_forward.h"

#include "base/log.h"
#include "codec/borsh.h"
#include "custody/policy_instance.h"
#include "enclave/completion.h"
#include "enclave/handlers.h"
#include "enclave/platform.h"

#include <string.h>

enum q_err attest_booted(struct enclave *e, struct bytes nonce, struct buf *document)
{
    return tee_attest(e->tee, BYTES_OF(e->booted->manifest_hash), nonce,
                      p256_public_bytes(attested_key(e)), document);
}

// ---- generate-attestation

// What is left out, or zero as the guide sends it, is filled in; what is said must be so.
static enum q_err check_hash(const struct enclave *e, struct api_call *c, struct bytes hash)
{
    bool open = hash.p == NULL || (hash.n == SHA256_SIZE && bytes_is_zero(hash));
    if (open || bytes_equal(hash, BYTES_OF(e->booted->manifest_hash)))
        return Q_OK;
    return api_refuse(c, 400,
                      "manifest_hash: expected the hash of the manifest that this enclave has "
                      "booted, or %d zeros, found another",
                      SHA256_SIZE);
}

static enum q_err check_registers(struct enclave *e, struct api_call *c)
{
    const struct api_attestation_request *body = c->body;
    struct nitro_config own = {0};
    TRY(platform_measure(e->tee, c->arena, &own));
    const struct {
        struct bytes asked, own;
    } rows[PLATFORM_PCRS] = {{body->pcr0, own.pcr0},
                             {body->pcr1, own.pcr1},
                             {body->pcr2, own.pcr2},
                             {body->pcr3, own.pcr3}};
    for (unsigned i = 0; i < PLATFORM_PCRS; i++)
        if (rows[i].asked.n > 0 && !bytes_equal(rows[i].asked, rows[i].own))
            return api_refuse(c, 400, "pcr%u: expected what this enclave measures, found another",
                              i);
    return Q_OK;
}

static enum q_err answer_attested(struct enclave *e, struct api_call *c, struct bytes nonce)
{
    BUF_AUTO document = {0};
    TRY(attest_booted(e, nonce, &document));
    const struct api_attestation_reply reply = {.attestation_doc = buf_bytes(&document)};
    return api_answer_result(c, "GenerateAttestationResponse", &type_api_attestation_reply, &reply);
}

static bool has_attestable_manifest(const struct enclave *e)
{
    return e->booted != NULL && attested_key(e) != NULL;
}

enum q_err api_generate_attestation(struct enclave *e, struct api_call *c)
{
    const struct api_attestation_request *body = c->body;
    if (!has_attestable_manifest(e))
        return api_refuse(c, 409, "attestation: expected an enclave with a manifest, found none");
    TRY(check_hash(e, c, body->manifest_hash));
    TRY(check_registers(e, c));
    return answer_attested(e, c, body->nonce.n > 0 ? body->nonce : BYTES_NONE);
}

enum q_err api_attestation_state(struct enclave *e, struct api_call *c)
{
    const struct api_no_attestation_reply none = {.phase = bytes_str(phase_name(e->phase))};
    return has_attestable_manifest(e) ? answer_attested(e, c, BYTES_NONE)
                                      : api_answer(c, &type_api_no_attestation_reply, &none);
}

// ---- export-key

static enum q_err seal_to(struct enclave *e, struct api_call *c,
                          const struct manifest_envelope *theirs, struct transfer_envelope *made)
{
    const struct api_export_request *body = c->body;
    const struct forward_terms terms = {.ours = &e->booted->envelope.manifest, .theirs = theirs};
    const struct transfer act = {
        .tee = e->tee,
        .evidence = body->attestation_doc,
        .policy = instance_policy(&terms),
        .payload = {.keyring = e->keyring, .key = KEY_QUORUM},
        .sink = transfer_to_envelope(made),
    };
    enum q_err err = transfer(&act, c->arena, &c->why);
    bool evidence =
        err == Q_ATTESTATION || (err == Q_REFUSED && c->why.tag == (uint32_t)PE_QOS_ATTEST_ERROR);
    return err_context(err, evidence ? "Export key failed: Attestation document verification failed"
                                     : "Export key failed");
}

enum q_err api_export_key(struct enclave *e, struct api_call *c)
{
    const struct api_export_request *body = c->body;
    struct manifest_envelope theirs;
    TRANSFER_ENVELOPE_AUTO made = {.sealed = {0}};
    TRY(api_read_envelope(c, body->manifest_envelope, &theirs));
    if (body->attestation_doc.p == NULL)
        return api_refuse(c, 400, "Attestation document must be an array of bytes: found none");
    TRY(seal_to(e, c, &theirs, &made));
    const struct api_export_reply reply = {.encrypted_quorum_key = secret_bytes(&made.sealed),
                                           .signature = BYTES_OF(made.signature)};
    TRY(api_answer_result(c, "ExportKeyResponse", &type_api_export_reply, &reply));
    log_info("export: quorum key sealed to another instance");
    return Q_OK;
}

// ---- inject-key

static enum q_err hash_of(const struct encrypted_quorum_key *key, uint8_t out[static SHA256_SIZE])
{
    BUF_AUTO encoded = {0};
    TRY(borsh_encode(&type_encrypted_quorum_key, key, &encoded));
    return sha256(buf_bytes(&encoded), out);
}

static enum q_err answer_injected(struct api_call *c)
{
    static const struct api_success_reply reply = {.success = true};
    return api_answer_result(c, "InjectKeyResponse", &type_api_success_reply, &reply);
}

static enum q_err take_key(struct enclave *e, struct api_call *c,
                           const struct encrypted_quorum_key *key,
                           const uint8_t hash[static SHA256_SIZE])
{
    P256_PAIR_AUTO *pair = NULL;
    TRY(open_forwarded_key(e, key, &c->why, &pair));
    TRY(answer_injected(c));
    enum q_err err = instance_key_complete(e, &pair, "inject-key");
    if (err != Q_OK)
        c->status = 500; // ours: the key was the right one
    TRY(err);
    memcpy(e->booted->injected, hash, SHA256_SIZE);
    return Q_OK;
}

enum q_err api_inject_key(struct enclave *e, struct api_call *c)
{
    const struct api_inject_key_request *body = c->body;
    const struct encrypted_quorum_key key = {.encrypted_quorum_key = body->encrypted_quorum_key,
                                             .signature = body->signature};
    uint8_t hash[SHA256_SIZE];
    if (key.encrypted_quorum_key.p == NULL || key.signature.p == NULL)
        return api_refuse(c, 400,
                          "Failed to parse encrypted quorum key: expected encrypted_quorum_key "
                          "and signature, found one of them missing");
    TRY(hash_of(&key, hash));
    if (e->phase == PHASE_WAITING_FOR_FORWARDED_KEY)
        return take_key(e, c, &key, hash);
    if (bytes_equal(BYTES_OF(hash), BYTES_OF(e->booted->injected)))
        return answer_injected(c);
    return api_refuse(c, 409,
                      "inject-key: expected the injection that gave this enclave its key, found "
                      "another: a key is taken once");
}
