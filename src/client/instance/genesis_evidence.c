// Attestation documents of an instance (see genesis_evidence.h).
#include "client/instance/genesis_evidence.h"

#include "base/log.h"
#include "client/instance/tee_answer.h"
#include "protocol/genesis.h"
#include "protocol/manifest.h"

enum q_err instance_check_manifest(const struct options *o, const struct verification *v,
                                   const struct manifest *m)
{
    ARENA_AUTO a = {0};
    struct release release;
    struct bytes role;
    const char *folder = options_value(o, "qos-release-dir");
    const char *role_path = options_value(o, "pcr3-preimage-path");
    const struct bytes ours[] = {m->enclave.pcr0, m->enclave.pcr1, m->enclave.pcr2};
    if (v->skip)
        return Q_OK;
    TRY(evidence_manifest_ready(v, m));
    if (folder == NULL && role_path == NULL && v->trust.simulated) {
        log_warn("no --qos-release-dir: which program the SIMULATED enclave runs is not checked");
        return Q_OK;
    }
    if (folder == NULL || role_path == NULL)
        return fail(Q_BAD_INPUT,
                    "--qos-release-dir and --pcr3-preimage-path: expected both, so "
                    "that it is known which program has the key, found %s",
                    folder == NULL && role_path == NULL ? "none" : "one");
    TRY(release_read(folder, false, &release));
    for (size_t i = 0; i < RELEASE_PCRS; i++) {
        if (!bytes_equal(ours[i], BYTES_OF(release.pcrs[i])))
            return fail(Q_REFUSED,
                        "DifferentPcr%zu: manifest: expected the measurement of the release in %s, "
                        "found another",
                        i, folder);
    }
    TRY(role_read(role_path, &a, &role));
    return evidence_role_matches(m, role);
}

static enum q_err verify_output(const struct verification *v, const struct genesis_answer *g,
                                bool fresh, struct arena *a)
{
    const struct nitro_config *e = &g->envelope.manifest.enclave;
    uint8_t hash[SHA256_SIZE];
    struct claims claims;
    if (!g->has_output || g->reply.genesis_attestation_doc.p == NULL)
        return fail(Q_MISSING, "genesis_attestation_doc: expected the enclave's document over this "
                               "genesis, found none");
    if (g->reply.dr_key_wrapped_quorum_key.p != NULL && g->output.dr_key.p == NULL)
        return fail(Q_MISSING, "dr_key_wrapped_quorum_key: a DR key has the WHOLE quorum key: "
                               "expected --request with that key, found none");
    TRY(genesis_output_hash(&g->output, hash));
    TRY(evidence_read(v, g->reply.genesis_attestation_doc, a, &claims));
    const struct expectation expected = {
        .user_data = BYTES_OF(hash),
        .measurements = {e->pcr0, e->pcr1, e->pcr2, e->pcr3},
        .allow_debug = v->allow_debug,
    };
    TRY(claims_check(&claims, &expected));
    return fresh ? evidence_check_fresh(v, &claims) : Q_OK;
}

static enum q_err verify_setup(const struct verification *v, const struct genesis_answer *g,
                               bool fresh, struct arena *a)
{
    struct claims claims;
    struct p256_public key;
    if (g->reply.attestation_doc.p == NULL)
        return fail(Q_MISSING,
                    "attestation_doc: expected the enclave's document over the manifest, "
                    "found none");
    TRY(evidence_read(v, g->reply.attestation_doc, a, &claims));
    TRY(evidence_check_setup(v, &claims, &g->envelope.manifest));
    TRY(evidence_public_key(&claims, &key));
    if (!bytes_equal(p256_public_bytes(&key), p256_public_bytes(&g->setup_key)))
        return fail(Q_REFUSED, "ephemeral_key: expected the key in attestation_doc, found another");
    return fresh ? evidence_check_fresh(v, &claims) : Q_OK;
}

enum q_err genesis_answer_check_holders(const struct options *o, const struct verification *v,
                                        const struct genesis_answer *g, struct arena *a)
{
    if (v->skip)
        return Q_OK;
    enum q_err err = err_context(verify_output(v, g, false, a), "genesis");
    if (err == Q_OK || err == Q_NOMEM || options_given(o, "request"))
        return err;
    log_warn("%s; without --request it is not known whether somebody else has the quorum key, too",
             err_text());
    return Q_OK;
}

enum q_err genesis_answer_verify(const struct verification *v, const struct genesis_answer *g,
                                 bool fresh, struct arena *a)
{
    if (v->skip)
        return Q_OK;
    TRY(err_context(verify_output(v, g, fresh, a), "genesis"));
    return err_context(verify_setup(v, g, fresh, a), "setup key");
}

enum q_err genesis_answer_check_binding(const struct verification *v,
                                        const struct genesis_answer *g)
{
    const struct bytes signature = g->reply.manifest_envelope.quorum_key_signature;
    if (v->skip)
        return Q_OK;
    if (signature.p != NULL)
        return err_context(p256_verify(&g->quorum_key, BYTES_OF(g->hash), signature),
                           "quorum_key_signature: over the manifest's hash");
    if (!v->trust.simulated)
        return fail(Q_MISSING, "quorum_key_signature: expected the quorum key's signature over the "
                               "manifest's hash, found none");
    log_warn("no quorum_key_signature: that this manifest is of the genesis is not checked");
    return Q_OK;
}

enum q_err instance_attest(struct instance_link *l, const struct verification *v,
                           const struct manifest *m, bool live, struct arena *a,
                           struct bytes *document, struct p256_public *key)
{
    struct claims claims;
    TRY(instance_document(l, a, document));
    TRY(err_context(evidence_read(v, *document, a, &claims), "%s", l->base));
    TRY(err_context(evidence_check_fresh(v, &claims), "%s", l->base));
    TRY(err_context(live ? evidence_check_live(v, &claims, m) : evidence_check_setup(v, &claims, m),
                    "%s", l->base));
    return err_context(evidence_public_key(&claims, key), "%s", l->base);
}
