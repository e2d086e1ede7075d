// The act, and the sink that seals to the peer's key (see transfer.h).
#include "custody/transfer.h"

#include <string.h>

// Read, not verified: it has not left this enclave.
static enum q_err own_claims(struct tee *tee, struct arena *a, struct claims *out)
{
    BUF_AUTO document = {0};
    struct bytes kept;
    TRY(tee_attest(tee, BYTES_NONE, BYTES_NONE, BYTES_NONE, &document));
    TRY(arena_copy(a, buf_bytes(&document), &kept));
    return attestation_read(kept, a, out);
}

// The root is our TEE's own, never one that came with a request. A simulated TEE may have been given the mock
// PKI of another implementation, which has no mark, but never the root of real ones.
static enum q_err own_trust(const struct tee *tee, struct trust *out)
{
    bool simulated = tee_simulated(tee);
    TRY(trust_from_der(tee_root(tee), "this enclave's own root", simulated, out));
    bool real = bytes_equal(tee_root(tee), attestation_aws_root);
    if (simulated ? !real : !out->simulated)
        return Q_OK;
    return fail(Q_TEE, "this enclave's own root: expected one of a %s TEE, found one of a %s TEE",
                simulated ? "SIMULATED" : "real", real ? "real" : "SIMULATED");
}

// What is malformed proves nothing either.
static enum q_err unproven(enum q_err err, enum q_err as, const char *whose)
{
    if (err == Q_OK || err == Q_NOMEM)
        return err;
    return err_context(as, "%s evidence", whose);
}

static enum q_err verify(const struct transfer *t, struct arena *a, struct transfer_sides *sides)
{
    TRUST_AUTO trust = {0};
    TRY(unproven(own_claims(t->tee, a, &sides->self), Q_TEE, "this enclave's own"));
    TRY(unproven(own_trust(t->tee, &trust), Q_TEE, "the root of this enclave's own"));
    int64_t now_s = sides->self.timestamp_ms / 1000;
    return unproven(attestation_verify(t->evidence, &trust, now_s, a, &sides->peer), Q_ATTESTATION,
                    "the other enclave's");
}

enum q_err transfer(const struct transfer *t, struct arena *a, struct protocol_error *why)
{
    struct transfer_sides sides = {.self = {0}};
    TRY(verify(t, a, &sides));
    TRY(t->policy.ask(t->policy.terms, &sides, a, why));
    return t->sink.take(t->sink.context, &sides, &t->payload, why);
}

static enum q_err check_receiver(const struct claims *peer, struct protocol_error *why)
{
    struct p256_public key;
    if (peer->public_key.p == NULL)
        return refuse(why, PE_MISSING_EPHEMERAL_KEY,
                      "the other enclave's evidence: expected a public key, found none");
    if (p256_public_parse(peer->public_key, &key) != Q_OK)
        return refuse(why, PE_INVALID_EPHEMERAL_KEY, "the other enclave's evidence: %s",
                      err_text());
    return Q_OK;
}

static enum q_err seal_and_sign(void *context, const struct transfer_sides *sides,
                                const struct transfer_payload *payload, struct protocol_error *why)
{
    struct transfer_envelope *out = context;
    SECRET_AUTO signature = {0};
    TRY(check_receiver(&sides->peer, why));
    TRY(custody_use(payload->keyring, payload->key, USE_EXPORT, sides->peer.public_key,
                    &out->sealed));
    TRY(custody_use(payload->keyring, payload->key, USE_SIGN, secret_bytes(&out->sealed),
                    &signature));
    memcpy(out->signature, signature.p, sizeof out->signature);
    return Q_OK;
}

struct transfer_sink transfer_to_envelope(struct transfer_envelope *out)
{
    return (struct transfer_sink){.take = seal_and_sign, .context = out};
}

void transfer_envelope_free(struct transfer_envelope *e)
{
    secret_free(&e->sealed);
}
