// Key forwarding: an enclave that has the quorum key seals it to another one that booted an approved manifest of the
// same namespace, and that one takes it (qos-behaviour 2.8, 2.9). Its boot is in handle_boot.c.
#include "enclave/handlers.h"

#include "base/log.h"
#include "base/text.h"
#include "custody/policy_forward.h"
#include "enclave/completion.h"

static void log_export(const struct manifest *theirs)
{
    BUF_AUTO name = {0};
    if (text_display(theirs->namespace.name, &name) == Q_OK && buf_text(&name) != NULL)
        log_info("export: quorum key sealed to an enclave of namespace %s, nonce %u",
                 (const char *)name.p, theirs->namespace.nonce);
}

enum q_err handle_export_key(struct enclave *e, struct exchange *x)
{
    const struct export_key_request *request = &x->request->export_key;
    const struct forward_terms terms = {.ours = &e->booted->envelope.manifest,
                                        .theirs = &request->manifest_envelope};
    TRANSFER_ENVELOPE_AUTO made = {.sealed = {0}};
    const struct transfer act = {
        .tee = e->tee,
        .evidence = request->cose_sign1_attestation_doc,
        .policy = forward_policy(&terms),
        .payload = {.keyring = e->keyring, .key = KEY_QUORUM},
        .sink = transfer_to_envelope(&made),
    };
    TRY(transfer(&act, x->arena, &x->why));
    const struct message reply = {
        .tag = MSG_EXPORT_KEY_RESPONSE,
        .encrypted_key = {.encrypted_quorum_key = secret_bytes(&made.sealed),
                          .signature = BYTES_OF(made.signature)},
    };
    TRY(answer(x, &reply));
    log_export(&terms.theirs->manifest);
    return Q_OK;
}

// In the original's order.
enum q_err open_forwarded_key(const struct enclave *e, const struct encrypted_quorum_key *in,
                              struct protocol_error *why, struct p256_pair **out)
{
    struct bytes expected = e->booted->envelope.manifest.namespace.quorum_key;
    struct p256_public quorum;
    SECRET_AUTO seed = {0};
    P256_PAIR_AUTO *pair = NULL;
    TRY(p256_public_parse(expected, &quorum));
    if (p256_verify(&quorum, in->encrypted_quorum_key, in->signature) != Q_OK)
        return refuse(why, PE_INVALID_ENCRYPTED_QUORUM_KEY_SIGNATURE,
                      "inject: expected a signature over the encrypted key by the manifest's "
                      "quorum key");
    if (custody_use(e->keyring, KEY_SETUP, USE_OPEN, in->encrypted_quorum_key, &seed) != Q_OK)
        return refuse_p256(why, PE_P256_ERROR,
                           "inject: expected an envelope sealed to this enclave's setup key");
    if (seed.n != P256_SEED_SIZE)
        return refuse(why, PE_ENCRYPTED_QUORUM_KEY_INVALID_LEN,
                      "inject: expected a seed of %d bytes, got %zu", P256_SEED_SIZE, seed.n);
    if (p256_pair_from_seed_suite(p256_public_suite(&quorum), secret_bytes(&seed), &pair) != Q_OK)
        return refuse(why, PE_INVALID_QUORUM_SECRET, "inject: %s", err_text());
    if (!bytes_equal(p256_public_bytes(p256_pair_public(pair)), expected))
        return refuse(why, PE_WRONG_QUORUM_KEY,
                      "inject: expected the manifest's quorum key, got another");
    *out = pair;
    pair = NULL;
    return Q_OK;
}

enum q_err handle_inject_key(struct enclave *e, struct exchange *x)
{
    const struct message reply = {.tag = MSG_INJECT_KEY_RESPONSE};
    P256_PAIR_AUTO *pair = NULL;
    TRY(open_forwarded_key(e, &x->request->encrypted_key, &x->why, &pair));
    TRY(answer(x, &reply));
    return quorum_key_complete(e, &pair, NULL, "inject");
}
