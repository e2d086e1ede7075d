// The manifest that comes from another TEE instance (renclave 1.3, 3.2, 3.4): share-manifest and boot-key-forward, which
// boot it for a key that is to follow, and what GET tells of the one that is there.
#include "base/file.h"
#include "base/hex.h"
#include "base/log.h"
#include "base/text.h"
#include "custody/policy_manifest.h"
#include "enclave/instance/api_credentials.h"
#include "enclave/instance/api_forward.h"
#include "enclave/boot.h"
#include "enclave/platform.h"

#include <string.h>

#define PIN_FILE_MAX 1024

// One handing over; the two routes differ in their answer alone.
struct handover {
    struct api_call *call;
    const struct api_manifest_envelope *given;
    struct bytes pivot; // empty: none came
    enum q_err (*answer)(struct api_call *c, struct bytes document);
};

enum q_err api_read_envelope(struct api_call *c, const struct api_manifest_envelope *in,
                             struct manifest_envelope *out)
{
    if (in == NULL)
        return api_refuse(c, 400,
                          "Failed to parse manifest envelope: manifest_envelope: expected an "
                          "object, found none");
    return err_context(api_manifest_to_core(in, c->arena, out),
                       "Failed to parse manifest envelope");
}

// The application is built in: bytes that come with a manifest are only ever compared (renclave 8.2 C15).
static enum q_err check_pivot(const struct handover *h, const struct manifest *m)
{
    uint8_t hash[SHA256_SIZE];
    if (h->pivot.n == 0)
        return Q_OK;
    TRY(sha256(h->pivot, hash));
    if (bytes_equal(BYTES_OF(hash), BYTES_OF(m->pivot.hash)))
        return Q_OK;
    return refuse_different_bytes(&h->call->why, PE_INVALID_PIVOT_HASH, "SHA-256 of the pivot",
                                  BYTES_OF(m->pivot.hash), BYTES_OF(hash), h->call->arena);
}

enum q_err instance_check_manifest(const struct enclave *e,
                                   const struct manifest_envelope *envelope, struct bytes signature,
                                   struct protocol_error *why)
{
    const struct manifest_offer offer = {.envelope = envelope, .quorum_key_signature = signature};
    const struct manifest_receiver receiver = {
        .relaxed = tee_relaxed(e->tee),
        .pinned = e->has_pinned_quorum_key ? &e->pinned_quorum_key : NULL,
    };
    TRY(manifest_offer_check(&offer, &receiver, why));
    TRY(api_auth_check_pivot(&envelope->manifest.pivot));
    return platform_is(e->tee, &envelope->manifest.enclave);
}

static enum q_err say(void *context, struct enclave *e, const struct boot_stage *s,
                      struct bytes document)
{
    const struct handover *h = context;
    (void)e;
    (void)s;
    return h->answer(h->call, document);
}

static void log_taken(const struct namespace *n)
{
    BUF_AUTO name = {0};
    if (text_display(n->name, &name) == Q_OK && buf_text(&name) != NULL)
        log_info("share-manifest: namespace %s, nonce %u, waiting for the key of another instance",
                 (const char *)name.p, n->nonce);
}

static enum q_err boot_given(struct enclave *e, struct handover *h,
                             const struct manifest_envelope *envelope)
{
    const struct boot_witness witness = {
        .say = say, .context = h, .arena = h->call->arena, .why = &h->call->why};
    BOOT_STAGE_AUTO s = {0};
    TRY(instance_check_manifest(e, envelope, h->given->quorum_key_signature, &h->call->why));
    TRY(boot_stage(e, envelope, NULL, &s, &h->call->why));
    if (h->given->quorum_key_signature.p != NULL)
        TRY(arena_copy(&s.booted->memory, h->given->quorum_key_signature,
                       &s.booted->quorum_key_signature));
    enum q_err err =
        boot_commit(e, &s, &witness, BIRTH_INSTANCE_FORWARDED, PHASE_WAITING_FOR_FORWARDED_KEY);
    if (err != Q_OK)
        h->call->status = 500; // the TEE's failure, not the request's
    TRY(err);
    log_taken(&e->booted->envelope.manifest.namespace);
    return Q_OK;
}

// A manifest that is there stays; the same one again is answered like the first time.
static enum q_err answer_again(struct enclave *e, struct handover *h,
                               const struct manifest_envelope *envelope)
{
    uint8_t hash[SHA256_SIZE];
    BUF_AUTO document = {0};
    TRY(manifest_hash(&envelope->manifest, hash));
    if (!bytes_equal(BYTES_OF(hash), BYTES_OF(e->booted->manifest_hash)))
        return api_refuse(h->call, 409,
                          "manifest: expected the one that this enclave has booted, found another: "
                          "a manifest is taken once");
    TRY(attest_booted(e, BYTES_NONE, &document));
    return h->answer(h->call, buf_bytes(&document));
}

static enum q_err take(struct enclave *e, struct handover *h)
{
    struct manifest_envelope envelope;
    TRY(api_read_envelope(h->call, h->given, &envelope));
    TRY(check_pivot(h, &envelope.manifest));
    return e->booted != NULL ? answer_again(e, h, &envelope) : boot_given(e, h, &envelope);
}

static enum q_err answer_shared(struct api_call *c, struct bytes document)
{
    static const struct api_success_reply reply = {.success = true};
    (void)document;
    return api_answer_result(c, "ShareManifestResponse", &type_api_success_reply, &reply);
}

enum q_err api_share_manifest(struct enclave *e, struct api_call *c)
{
    const struct api_share_manifest_request *body = c->body;
    struct handover h = {.call = c, .given = body->manifest_envelope, .answer = answer_shared};
    return take(e, &h);
}

static enum q_err answer_booted(struct api_call *c, struct bytes document)
{
    const struct api_boot_key_forward_reply reply = {
        .nsm_response = {.attestation = {.document = document}}};
    return api_answer_result(c, "BootKeyForwardResponse", &type_api_boot_key_forward_reply, &reply);
}

enum q_err api_boot_key_forward(struct enclave *e, struct api_call *c)
{
    const struct api_boot_key_forward_request *body = c->body;
    struct handover h = {
        .call = c, .given = body->manifest_envelope, .pivot = body->pivot, .answer = answer_booted};
    return take(e, &h);
}

enum q_err api_manifest_state(struct enclave *e, struct api_call *c)
{
    BUF_AUTO hash = {0};
    struct api_manifest_state_reply reply = {.manifest_shared = e->booted != NULL,
                                             .phase = bytes_str(phase_name(e->phase))};
    if (e->booted != NULL) {
        TRY(hex_encode(BYTES_OF(e->booted->manifest_hash), &hash));
        reply.manifest_hash = buf_bytes(&hash);
    }
    return api_answer(c, &type_api_manifest_state_reply, &reply);
}

static struct bytes without_newline(struct bytes text)
{
    while (text.n > 0 && (text.p[text.n - 1] == '\n' || text.p[text.n - 1] == '\r'))
        text.n--;
    return text;
}

enum q_err instance_pin_read(struct enclave *e)
{
    BUF_AUTO text = {0};
    const char *path = e->policy.pinned_quorum_key;
    if (path == NULL)
        return Q_OK;
    TRY(err_context(file_read(path, PIN_FILE_MAX, &text), "--pinned-quorum-key"));
    TRY(err_context(api_key_read(without_newline(buf_bytes(&text)), &e->pinned_quorum_key), "%s",
                    path));
    e->has_pinned_quorum_key = true;
    return Q_OK;
}
