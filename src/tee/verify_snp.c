// Verifies SEV-SNP evidence (nitro 5.2, 5.3, 7): AMD's chain from the pinned root to the key of the
// machine, the report's signature by it, that the report is of that machine and allows nobody to
// look inside, and that what came with it is what the report was asked to sign.
#include "crypto/p384.h"
#include "tee/verification.h"

#include <inttypes.h>
#include <string.h>

static enum q_err step_parse(struct verification *v)
{
    return snp_evidence_read(v->in, v->a, &v->of.snp);
}

// The certificate of the machine's key, which says what product it is. Parsed anew by each that
// asks: the steps stay independent of each other.
static enum q_err parse_leaf(const struct snp_evidence *e, X509 **out)
{
    const struct snp_report *r = &e->report;
    if (r->signer == SNP_SIGNER_NONE)
        return fail(Q_ATTESTATION, "report: expected it signed, found the signing key none");
    if (r->signer != SNP_SIGNER_VCEK && r->signer != SNP_SIGNER_VLEK)
        return fail(Q_ATTESTATION, "report: expected it signed by a VCEK or VLEK, found key %u",
                    r->signer);
    if (e->leaf.p == NULL)
        return fail(Q_ATTESTATION,
                    "certificate table: expected a %s certificate, found none: the host gave none "
                    "to the guest",
                    r->signer == SNP_SIGNER_VCEK ? "VCEK" : "VLEK");
    return certificate_parse(e->leaf, "certificate", out);
}

// By the certificate, also before it is checked; else by the report. NULL: neither says it.
static const struct amd_chain *product_of(const struct snp_evidence *e)
{
    struct snp_key key;
    X509 *leaf = NULL;
    const struct amd_chain *product = e->key.product;
    if (product == NULL && parse_leaf(e, &leaf) == Q_OK && snp_key_read(leaf, &key) == Q_OK)
        product = key.product;
    X509_free(leaf);
    return product != NULL ? product : e->report.product;
}

// The root it came with, else AMD's own for its product; empty when neither can be told.
static struct bytes root_of(const struct snp_evidence *e)
{
    if (e->certificates.ark.p != NULL)
        return e->certificates.ark;
    const struct amd_chain *product = product_of(e);
    return product != NULL ? product->ark : BYTES_LIT("");
}

static enum q_err step_root(struct verification *v)
{
    if (!bytes_equal(root_of(&v->of.snp), buf_bytes(&v->trust->root)))
        return fail(Q_ATTESTATION,
                    "SEV-SNP root: expected the trusted root, found another: evidence of an AMD "
                    "machine needs AMD's root (ARK) for its product");
    return Q_OK;
}

static enum q_err add_authority(struct verification *v)
{
    const struct snp_evidence *e = &v->of.snp;
    struct bytes der = e->certificates.ask;
    if (der.p == NULL)
        der = e->key.cloud_key ? e->key.product->asvk : e->key.product->ask;
    X509 *x = NULL;
    TRY(certificate_parse(der, "authority", &x));
    TRY(chain_add(&v->chain, x, "authority"));
    return amd_certificate_check(x, "authority", AMD_AUTHORITY);
}

static enum q_err step_certificates(struct verification *v)
{
    struct snp_evidence *e = &v->of.snp;
    X509 *leaf = NULL;
    TRY(chain_start(&v->chain, v->trust));
    TRY(parse_leaf(e, &leaf));
    TRY(chain_set_leaf(&v->chain, leaf, "certificate"));
    TRY(amd_certificate_check(leaf, "certificate", AMD_KEY));
    TRY(snp_key_read(leaf, &e->key));
    return add_authority(v);
}

static enum q_err step_validity(struct verification *v)
{
    return chain_check_time(&v->chain, v->at_s, 0);
}

static enum q_err step_chain(struct verification *v)
{
    return chain_check_signatures(&v->chain, v->trust);
}

static enum q_err step_signature(struct verification *v)
{
    const struct snp_report *r = &v->of.snp.report;
    enum q_err err =
        p384_verify(certificate_point(v->chain.leaf), r->signed_part, BYTES_OF(r->signature));
    if (err == Q_NOMEM)
        return err;
    if (err != Q_OK)
        return fail(Q_ATTESTATION,
                    "signature: expected one by the key of its certificate, found another");
    return Q_OK;
}

static enum q_err check_key(const struct snp_report *r, const struct snp_key *k)
{
    if (k->cloud_key != (r->signer == SNP_SIGNER_VLEK))
        return fail(Q_ATTESTATION,
                    "report: expected the signing key %s of its certificate, found "
                    "the other kind",
                    k->cloud_key ? "VLEK" : "VCEK");
    if (r->product != NULL && r->product != k->product)
        return fail(Q_ATTESTATION,
                    "report: wrong product: expected %s, as its certificate says, "
                    "found a processor of %s",
                    k->product->product, r->product->product);
    if (!k->cloud_key && !bytes_equal(r->chip_id, BYTES_OF(k->chip)))
        return fail(Q_ATTESTATION,
                    "report: chip id: expected the hardware id of its certificate, "
                    "found %s",
                    bytes_is_zero(r->chip_id) ? "a masked one" : "another");
    return Q_OK;
}

static enum q_err check_tcb(const struct snp_report *r, const struct snp_key *k)
{
    struct tcb t;
    TRY(snp_tcb_read(r->reported_tcb, k->product, &t));
    if (t.fmc == k->tcb.fmc && t.bootloader == k->tcb.bootloader && t.tee == k->tcb.tee &&
        t.snp == k->tcb.snp && t.microcode == k->tcb.microcode)
        return Q_OK;
    return fail(Q_ATTESTATION,
                "report: TCB: expected that of its certificate (bootloader %u, tee %u, snp %u, "
                "microcode %u, fmc %u), found bootloader %u, tee %u, snp %u, microcode %u, fmc %u",
                k->tcb.bootloader, k->tcb.tee, k->tcb.snp, k->tcb.microcode, k->tcb.fmc,
                t.bootloader, t.tee, t.snp, t.microcode, t.fmc);
}

static enum q_err check_policy(const struct snp_report *r)
{
    if ((r->policy & SNP_POLICY_DEBUG) != 0)
        return fail(Q_ATTESTATION,
                    "report: policy %" PRIx64 ": expected no DEBUG, found it "
                    "allowed: the host reads the memory of this guest",
                    r->policy);
    if ((r->policy & SNP_POLICY_MIGRATION) != 0)
        return fail(Q_ATTESTATION,
                    "report: policy %" PRIx64 ": expected no migration agent, found "
                    "one allowed: it can move this guest's memory elsewhere",
                    r->policy);
    if ((r->policy & SNP_POLICY_RESERVED_ONE) == 0)
        return fail(Q_ATTESTATION,
                    "report: policy %" PRIx64 ": expected bit 17 set, found it clear", r->policy);
    if (r->vmpl > SNP_MAX_VMPL)
        return fail(Q_ATTESTATION, "report: expected a VMPL of 0 to %d, found %u", SNP_MAX_VMPL,
                    r->vmpl);
    return Q_OK;
}

static enum q_err step_platform(struct verification *v)
{
    const struct snp_evidence *e = &v->of.snp;
    TRY(check_policy(&e->report));
    TRY(check_key(&e->report, &e->key));
    return check_tcb(&e->report, &e->key);
}

static enum q_err check_role(const struct snp_evidence *e)
{
    uint8_t hash[SHA256_SIZE];
    struct bytes role = e->container.bound.role;
    if (role.p == NULL)
        return Q_OK;
    TRY(sha256(role, hash));
    if (bytes_equal(e->report.host_data, BYTES_OF(hash)))
        return Q_OK;
    return fail(Q_ATTESTATION,
                "role: expected the one whose SHA-256 is the report's host data, found another");
}

static enum q_err step_binding(struct verification *v)
{
    const struct snp_evidence *e = &v->of.snp;
    uint8_t data[SNP_DATA_SIZE];
    TRY(snp_bind(&e->container.bound, data));
    if (!bytes_equal(e->report.data, BYTES_OF(data)))
        return fail(Q_ATTESTATION, "report data: expected the hash of what came with the report, "
                                   "found another");
    return check_role(e);
}

static enum q_err module_id(const struct verification *v, const char *product, struct bytes *out)
{
    const uint8_t *id = v->of.snp.report.report_id.p;
    return arena_printf(v->a, out, "snp-%s-%02x%02x%02x%02x%02x%02x%02x%02x", product, id[0], id[1],
                        id[2], id[3], id[4], id[5], id[6], id[7]);
}

// What the fields of a product mean is known when the product is; else they stay zero.
static void claim_tcb(uint64_t field, const struct amd_chain *product, struct tcb *out)
{
    if (product == NULL || snp_tcb_read(field, product, out) != Q_OK)
        *out = (struct tcb){0};
}

static enum q_err claims_of(const struct verification *v, struct claims *out)
{
    const struct snp_evidence *e = &v->of.snp;
    const struct snp_report *r = &e->report;
    const struct amd_chain *product = product_of(e);
    *out = (struct claims){
        .provider = evidence_snp.provider,
        .platform = {.product = product != NULL ? product->product : "unknown",
                     .cloud_key = r->signer == SNP_SIGNER_VLEK,
                     .policy = r->policy,
                     .vmpl = r->vmpl,
                     .host_data = r->host_data},
        .register_count = SNP_FIRST_REGISTER + SNP_REGISTERS,
        .public_key = e->container.bound.public_key,
        .user_data = e->container.bound.user_data,
        .nonce = e->container.bound.nonce,
        .root = root_of(e),
        .debug = (r->policy & SNP_POLICY_DEBUG) != 0,
    };
    claim_tcb(r->reported_tcb, product, &out->platform.tcb);
    claim_tcb(r->launch_tcb, product, &out->platform.launch);
    TRY(module_id(v, out->platform.product, &out->module_id));
    return snp_registers(r, &e->container.bound, out->registers);
}

const struct evidence_kind evidence_snp = {
    .provider = "snp",
    .recognise = snp_evidence_recognise,
    .steps =
        {
            [ATTESTATION_PARSE] = step_parse,
            [ATTESTATION_ROOT] = step_root,
            [ATTESTATION_CERTIFICATES] = step_certificates,
            [ATTESTATION_VALIDITY] = step_validity,
            [ATTESTATION_CHAIN] = step_chain,
            [ATTESTATION_SIGNATURE] = step_signature,
            [ATTESTATION_PLATFORM] = step_platform,
            [ATTESTATION_BINDING] = step_binding,
        },
    .claims = claims_of,
};
