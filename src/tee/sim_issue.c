// Makes the certificates of a new simulated TEE: root, intermediate and leaf, in the shape of AWS's
// own (nitro 4), but for names and an extension that say what they are.
#include "base/random.h"
#include "crypto/p384.h"
#include "tee/attestation.h"
#include "tee/sim_dir.h"

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>

#define SUBJECT "QUORATE SIMULATED TEE - NOT A REAL ENCLAVE"
#define DAY_S ((int64_t)86400)
#define VALIDITY_S (3652 * DAY_S)

struct extension {
    int nid;
    const char *value; // as X509V3_EXT_conf_nid reads it; NULL ends a list
};

static const struct extension root_extensions[] = {
    {NID_basic_constraints, "critical,CA:TRUE"},
    {NID_subject_key_identifier, "hash"},
    {NID_key_usage, "critical,digitalSignature,keyCertSign,cRLSign"},
    {0, NULL},
};
static const struct extension intermediate_extensions[] = {
    {NID_basic_constraints, "critical,CA:TRUE,pathlen:0"},
    {NID_authority_key_identifier, "keyid"},
    {NID_subject_key_identifier, "hash"},
    {NID_key_usage, "critical,digitalSignature,keyCertSign,cRLSign"},
    {0, NULL},
};
static const struct extension leaf_extensions[] = {
    {NID_basic_constraints, "critical,CA:FALSE"},
    {NID_key_usage, "critical,digitalSignature"},
    {0, NULL},
};

// A certificate with its key.
struct identity {
    X509 *certificate;
    EVP_PKEY *key;
};
#define IDENTITY_AUTO __attribute__((cleanup(identity_free))) struct identity

static void identity_free(struct identity *i)
{
    X509_free(i->certificate);
    EVP_PKEY_free(i->key);
}

static enum q_err openssl_failed(const char *what)
{
    ERR_clear_error();
    return fail(Q_INTERNAL, "simulated PKI: %s: expected OpenSSL to make it, found a failure",
                what);
}

static enum q_err set_serial(X509 *x)
{
    uint8_t serial[16];
    TRY(random_bytes(serial, sizeof serial));
    serial[0] = (uint8_t)((serial[0] & 0x3f) | 0x40); // positive, and never shorter
    BIGNUM *number = BN_bin2bn(serial, sizeof serial, NULL);
    bool set = number != NULL && BN_to_ASN1_INTEGER(number, X509_get_serialNumber(x)) != NULL;
    BN_free(number);
    return set ? Q_OK : openssl_failed("serial number");
}

static bool add_name(X509_NAME *name, const char *field, const char *value)
{
    const unsigned char *text = (const unsigned char *)value;
    return X509_NAME_add_entry_by_txt(name, field, MBSTRING_UTF8, text, -1, -1, 0) == 1;
}

static enum q_err set_names(X509 *x, const X509 *issuer, const char *unit)
{
    X509_NAME *subject = X509_get_subject_name(x);
    if (!add_name(subject, "O", "Quorate") || !add_name(subject, "OU", unit) ||
        !add_name(subject, "CN", SUBJECT) ||
        X509_set_issuer_name(x, X509_get_subject_name(issuer)) != 1)
        return openssl_failed("names");
    return Q_OK;
}

static enum q_err set_validity(X509 *x, int64_t now_s)
{
    // A day back, for clocks that are behind; never before 1970.
    int64_t from = now_s > DAY_S ? now_s - DAY_S : 0;
    if (ASN1_TIME_set(X509_getm_notBefore(x), from) == NULL ||
        ASN1_TIME_set(X509_getm_notAfter(x), from + VALIDITY_S) == NULL)
        return openssl_failed("validity");
    return Q_OK;
}

static enum q_err add_extensions(X509 *x, X509 *issuer, const struct extension *list)
{
    X509V3_CTX context;
    X509V3_set_ctx(&context, issuer, x, NULL, NULL, 0);
    for (; list->value != NULL; list++) {
        X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, &context, list->nid, list->value);
        bool added = e != NULL && X509_add_ext(x, e, -1) == 1;
        X509_EXTENSION_free(e);
        if (!added)
            return openssl_failed("extension");
    }
    return Q_OK;
}

// UTF8String "SIMULATED" under our OID, critical: a verifier that does not know it refuses the
// root.
static enum q_err mark_simulated(X509 *x)
{
    static const uint8_t value[] = "\x0c\x09SIMULATED";
    ASN1_OBJECT *oid = OBJ_txt2obj(QUORATE_SIMULATED_OID, 1);
    ASN1_OCTET_STRING *content = ASN1_OCTET_STRING_new();
    X509_EXTENSION *e = NULL;
    if (oid != NULL && content != NULL &&
        ASN1_OCTET_STRING_set(content, value, sizeof value - 1) == 1)
        e = X509_EXTENSION_create_by_OBJ(NULL, oid, 1, content);
    bool added = e != NULL && X509_add_ext(x, e, -1) == 1;
    X509_EXTENSION_free(e);
    ASN1_OCTET_STRING_free(content);
    ASN1_OBJECT_free(oid);
    return added ? Q_OK : openssl_failed("quorate-simulated extension");
}

// issuer NULL: self-issued, and marked as simulated.
static enum q_err issue(const struct identity *issuer, const char *unit,
                        const struct extension *extensions, int64_t now_s, struct identity *out)
{
    out->key = EVP_EC_gen("P-384");
    out->certificate = X509_new();
    if (out->key == NULL || out->certificate == NULL)
        return openssl_failed("key");
    const struct identity *signer = issuer == NULL ? out : issuer;
    X509 *x = out->certificate;
    if (X509_set_version(x, X509_VERSION_3) != 1 || X509_set_pubkey(x, out->key) != 1)
        return openssl_failed("certificate");
    TRY(set_serial(x));
    TRY(set_names(x, signer->certificate, unit));
    TRY(set_validity(x, now_s));
    TRY(add_extensions(x, signer->certificate, extensions));
    if (issuer == NULL)
        TRY(mark_simulated(x));
    return X509_sign(x, signer->key, EVP_sha384()) > 0 ? Q_OK : openssl_failed("signature");
}

static enum q_err take_der(X509 *x, struct buf *out)
{
    int n = i2d_X509(x, NULL);
    if (n <= 0)
        return openssl_failed("DER");
    TRY(buf_reserve(out, (size_t)n));
    uint8_t *end = out->p + out->n;
    out->n += (size_t)i2d_X509(x, &end);
    return Q_OK;
}

static enum q_err take_scalar(const EVP_PKEY *key, struct secret *out)
{
    BIGNUM *scalar = BN_secure_new();
    if (scalar == NULL || EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_PRIV_KEY, &scalar) != 1) {
        BN_clear_free(scalar);
        return openssl_failed("secret key");
    }
    enum q_err err = secret_new(out, P384_SCALAR_SIZE);
    if (err == Q_OK && BN_bn2binpad(scalar, out->p, P384_SCALAR_SIZE) != P384_SCALAR_SIZE)
        err = openssl_failed("secret key");
    BN_clear_free(scalar);
    return err;
}

enum q_err sim_pki_generate(int64_t now_s, struct sim_pki_new *out)
{
    IDENTITY_AUTO root = {0}, intermediate = {0}, leaf = {0};
    TRY(issue(NULL, "root", root_extensions, now_s, &root));
    TRY(issue(&root, "intermediate", intermediate_extensions, now_s, &intermediate));
    TRY(issue(&intermediate, "enclave", leaf_extensions, now_s, &leaf));
    TRY(take_der(root.certificate, &out->pki.root));
    TRY(take_der(intermediate.certificate, &out->pki.intermediate));
    TRY(take_der(leaf.certificate, &out->pki.leaf));
    TRY(take_scalar(root.key, &out->root_key));
    TRY(take_scalar(intermediate.key, &out->intermediate_key));
    return take_scalar(leaf.key, &out->pki.leaf_key);
}
