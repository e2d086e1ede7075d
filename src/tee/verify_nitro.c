// Verifies Nitro evidence (nitro 4, qos-wire 7.3): the root is the trusted one, the chain leads to
// it at the given time, and the document is signed with the chain's leaf key.
#include "tee/verification.h"

#include <stdio.h>
#include <string.h>

// Copies the document into the arena first, so that all views outlive the caller's bytes.
static enum q_err step_parse(struct verification *v)
{
    struct bytes copy;
    TRY(arena_copy(v->a, v->in, &copy));
    TRY(cose_read(copy, &v->of.nitro.cose));
    return document_read(v->of.nitro.cose.payload, &v->of.nitro.document);
}

static enum q_err step_root(struct verification *v)
{
    if (!bytes_equal(v->of.nitro.document.cabundle[0], buf_bytes(&v->trust->root)))
        return fail(Q_ATTESTATION, "cabundle[0]: expected the trusted %sroot, found another",
                    v->trust->simulated ? "SIMULATED " : "");
    return Q_OK;
}

static enum q_err add_intermediate(struct chain *c, struct bytes der, size_t index)
{
    char what[32];
    (void)snprintf(what, sizeof what, "cabundle[%zu]", index);
    X509 *x = NULL;
    TRY(certificate_parse(der, what, &x));
    TRY(chain_add(c, x, what));
    return certificate_check(x, what, CERTIFICATE_INTERMEDIATE, false);
}

static enum q_err step_certificates(struct verification *v)
{
    const struct document *d = &v->of.nitro.document;
    TRY(chain_start(&v->chain, v->trust));
    for (size_t i = 1; i < d->cabundle_count; i++)
        TRY(add_intermediate(&v->chain, d->cabundle[i], i));
    X509 *leaf = NULL;
    TRY(certificate_parse(d->certificate, "certificate", &leaf));
    TRY(chain_set_leaf(&v->chain, leaf, "certificate"));
    return certificate_check(leaf, "certificate", CERTIFICATE_LEAF, false);
}

static enum q_err step_validity(struct verification *v)
{
    return chain_check_time(&v->chain, v->at_s, v->of.nitro.document.timestamp_ms / 1000);
}

static enum q_err step_chain(struct verification *v)
{
    return chain_check_signatures(&v->chain, v->trust);
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

static enum q_err step_signature(struct verification *v)
{
    return check_signature(&v->of.nitro.cose, v->chain.leaf);
}

static enum q_err claims_of(const struct verification *v, struct claims *out)
{
    const struct document *d = &v->of.nitro.document;
    *out = (struct claims){
        .provider = evidence_nitro.provider,
        .module_id = d->module_id,
        .timestamp_ms = d->timestamp_ms,
        .register_count = d->register_count,
        .public_key = d->public_key,
        .user_data = d->user_data,
        .nonce = d->nonce,
        .root = d->cabundle[0],
        .simulated = certificate_der_simulated(d->cabundle[0]),
    };
    memcpy(out->registers, d->registers, sizeof out->registers);
    const struct register_value *image = &d->registers[MEASUREMENT_IMAGE];
    out->debug = image->present && bytes_is_zero(bytes_of(image->value, image->n));
    return Q_OK;
}

const struct evidence_kind evidence_nitro = {
    .provider = "nitro",
    .steps =
        {
            [ATTESTATION_PARSE] = step_parse,
            [ATTESTATION_ROOT] = step_root,
            [ATTESTATION_CERTIFICATES] = step_certificates,
            [ATTESTATION_VALIDITY] = step_validity,
            [ATTESTATION_CHAIN] = step_chain,
            [ATTESTATION_SIGNATURE] = step_signature,
        },
    .claims = claims_of,
};
