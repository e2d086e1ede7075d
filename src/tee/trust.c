// The root that evidence must chain to: AWS's, AMD's, or one the user names, which must say of
// itself that it is a simulation (design "TEE providers", qos-wire 7.3).
#include "base/file.h"
#include "tee/snp_certificates.h"

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509_vfy.h>
#include <string.h>

#define MAX_ROOT_FILE ((size_t)64 << 10)

static void release_certificate(X509 **x)
{
    X509_free(*x);
}
#define X509_AUTO __attribute__((cleanup(release_certificate))) X509

static void release_bio(BIO **b)
{
    BIO_free(*b);
}
#define BIO_AUTO __attribute__((cleanup(release_bio))) BIO

static bool is_pinned(struct bytes der)
{
    return bytes_equal(der, attestation_aws_root) || amd_chain_of_root(der) != NULL;
}

static enum q_err check_root(X509 *x, struct bytes der, const char *what, bool any_root)
{
    bool simulated = certificate_simulated(x), amd = amd_certificate_is_rsa(x);
    if ((amd || !simulated) && !any_root && !is_pinned(der))
        return fail(Q_REFUSED,
                    "%s: expected a root with the critical extension quorate-simulated (%s), found "
                    "one without it",
                    what, QUORATE_SIMULATED_OID);
    TRY(amd ? amd_certificate_check(x, what, AMD_ROOT)
            : certificate_check(x, what, CERTIFICATE_ROOT, simulated));
    if (X509_NAME_cmp(X509_get_subject_name(x), X509_get_issuer_name(x)) != 0)
        return fail(Q_ATTESTATION, "%s: expected a self-issued root, found another issuer", what);
    return Q_OK;
}

static enum q_err store_of(X509 *x, struct x509_store_st **out)
{
    *out = X509_STORE_new();
    if (*out == NULL || X509_STORE_add_cert(*out, x) != 1)
        return fail(Q_NOMEM, "trusted root: no memory for OpenSSL's store");
    return Q_OK;
}

static enum q_err fill(struct bytes der, const char *what, bool any_root, struct trust *out)
{
    X509_AUTO *x = NULL;
    TRY(certificate_parse(der, what, &x));
    TRY(check_root(x, der, what, any_root));
    TRY(certificate_validity(x, what, &out->not_before_s, &out->not_after_s));
    out->simulated = certificate_simulated(x);
    TRY(store_of(x, &out->store));
    return buf_append(&out->root, der);
}

enum q_err trust_from_der(struct bytes der, const char *what, bool any_root, struct trust *out)
{
    // Every verification passes here first: no openssl.cnf of the host decides anything.
    *out = (struct trust){0};
    if (OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, NULL) != 1)
        return fail(Q_INTERNAL, "OpenSSL: cannot be started");
    enum q_err err = fill(der, what, any_root, out);
    if (err != Q_OK)
        trust_free(out);
    return err;
}

enum q_err trust_aws(struct trust *out)
{
    return trust_from_der(attestation_aws_root, "AWS Nitro root", false, out);
}

enum q_err trust_amd(const char *product, struct trust *out)
{
    *out = (struct trust){0};
    const struct amd_chain *chain = amd_chain_of_product(bytes_str(product));
    if (chain == NULL)
        return fail(Q_BAD_INPUT, "AMD root: expected Milan, Genoa or Turin, found %s", product);
    return trust_from_der(chain->ark, "AMD root", false, out);
}

const char *attestation_amd_product(struct bytes root)
{
    const struct amd_chain *chain = amd_chain_of_root(root);
    return chain == NULL ? NULL : chain->product;
}

// One PEM certificate, as DER. Text before it is allowed, a second certificate is not.
static enum q_err from_pem(struct bytes pem, const char *path, struct buf *out)
{
    BIO_AUTO *bio = BIO_new_mem_buf(pem.p, (int)pem.n);
    if (bio == NULL)
        return fail(Q_NOMEM, "%s: no memory to read it", path);
    X509_AUTO *x = PEM_read_bio_X509(bio, NULL, NULL, NULL);
    X509_AUTO *second = x == NULL ? NULL : PEM_read_bio_X509(bio, NULL, NULL, NULL);
    ERR_clear_error();
    if (x == NULL || second != NULL)
        return fail(Q_BAD_INPUT, "%s: expected one PEM certificate, found %s", path,
                    x == NULL ? "none" : "several");
    int n = i2d_X509(x, NULL);
    if (n <= 0)
        return fail(Q_BAD_INPUT, "%s: expected a certificate, found one that has no DER", path);
    TRY(buf_reserve(out, (size_t)n));
    uint8_t *end = out->p + out->n;
    out->n += (size_t)i2d_X509(x, &end);
    return Q_OK;
}

enum q_err trust_load(const char *path, bool any_root, struct trust *out)
{
    *out = (struct trust){0};
    BUF_AUTO contents = {0}, der = {0};
    TRY(file_read(path, MAX_ROOT_FILE, &contents));
    static const char marker[] = "-----BEGIN";
    if (memmem(buf_bytes(&contents).p, contents.n, marker, sizeof marker - 1) == NULL)
        return trust_from_der(buf_bytes(&contents), path, any_root, out);
    TRY(from_pem(buf_bytes(&contents), path, &der));
    return trust_from_der(buf_bytes(&der), path, any_root, out);
}

void trust_free(struct trust *t)
{
    X509_STORE_free(t->store);
    buf_free(&t->root);
    *t = (struct trust){0};
}
